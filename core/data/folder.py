"""`folder:DIR`: a folder of pictures, a folder per class → glyphs.

Where DIR holds `train` and `test`, each with the class folders in it, those are the parts; else a fifth of each class
tests. Each picture holds one symbol (or one thing) on plain paper, whatever its size and polarity; its ink becomes
bright and is cut out and placed as MNIST does it. Pictures that are glyphs already, 28×28 on black, stay as they are.
"""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import torch

from core.data.normalise import FAINTEST, normalise
from core.data.pictures import read_picture
from core.data.samples import Samples
from core.data.split import draw_test_part
from core.data.strokes import SIZE
from core.errors import DataError, PictureError

MAX_IMAGES = 80_000  # all of MNIST as picture files is 70,000; at 28×28 these are 63 MB in memory
MAX_PIXELS = 10_000_000_000  # of all pictures together: some minutes' unpacking, a thousand large photos
MAX_CLASSES = 1000  # what a network can have
FADED = 24  # of 255: a picture whose strongest contrast is less shows no ink
REDUCED_PX = 280  # longest side at which the ink is looked for: ten times the glyph's
FINE_PX = 100  # from this longest side on a single pixel is a speck and never a stroke
PLAIN_PERCENT = 90  # of the border's pixels are paper; the rest may be ink that runs over it
NAMED = 3  # files and classes named in a note; of the others there is a count
JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems leave lying about, beside hidden files


Files = dict[str, list[Path]]  # those of a part, by class
Glyphs = dict[str, list[np.ndarray]]  # likewise


def read_folder(folder: Path, name: str) -> tuple[Samples, Samples]:
    """The training and the test part of an image folder; raises `DataError` where it cannot be one."""
    parts, notes = survey(folder)
    glyphs, broken = _read_all(parts, folder)
    total = sum(len(files) for part in parts for files in part.values())
    if len(broken) == total:
        raise DataError(f"None of the {total:,} files in the class folders of {folder} is a picture that shows ink.")
    notes += _about_broken(broken, total) + _about_empty(glyphs)
    classes = tuple(label for label, images in glyphs[0].items() if images)
    if len(classes) < 2:
        raise DataError(
            f"{folder} holds pictures of one class only{_in_words(classes)}; give at least two class folders with "
            f"pictures in them{', for training too' if len(parts) == 2 else ''}."
        )
    samples = [_stack(part, classes) for part in glyphs]
    if len(samples) == 1:
        samples = _split(*samples[0])
    if not len(samples[1][1]):
        raise DataError(f"{folder} leaves no picture for testing; give at least one class two pictures or more.")
    train, test = (
        Samples(name, part, torch.from_numpy(images), torch.from_numpy(labels), _names(classes), notes=tuple(notes))
        for part, (images, labels) in zip(("train", "test"), samples, strict=True)
    )
    return train, test


def survey(folder: Path) -> tuple[list[Files], list[str]]:
    """The files of one part by class, or of two where there are `train` and `test`; and a note on other folders.

    Raises `DataError` where the folder cannot be one of class folders.
    """
    if not folder.is_dir():
        came = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {came}; give a folder that holds a folder of pictures for each class.")
    try:
        names = _visible(folder, Path.is_dir)
        roots, notes = [folder], []
        if {"train", "test"} <= set(names) and all(_visible(folder / part, Path.is_dir) for part in ("train", "test")):
            roots = [folder / "train", folder / "test"]
            if others := [name for name in names if name not in ("train", "test")]:
                notes.append(f"Beside train and test, these folders were left out: {_listed(others)}.")
        budget = MAX_IMAGES
        parts = []
        for root in roots:
            labels = _visible(root, Path.is_dir)
            if not labels:
                raise DataError(f"{root} holds no folders; put the pictures of each class into a folder of its own.")
            if len(labels) > MAX_CLASSES:
                raise DataError(f"{root} holds {len(labels):,} folders; at most {MAX_CLASSES:,} classes are possible.")
            files = {label: [root / label / name for name in _visible(root / label, Path.is_file)] for label in labels}
            budget -= sum(map(len, files.values()))
            parts.append(files)
    except OSError as error:
        raise DataError(f"{error.filename or folder} cannot be opened ({error.strerror}).") from error
    if budget < 0:
        raise DataError(f"{folder} holds more than {MAX_IMAGES:,} files; take fewer.")
    if budget == MAX_IMAGES:
        raise DataError(f"The class folders in {folder} are empty; put pictures into them.")
    return parts, notes


def _visible(folder: Path, kind: Callable[[Path], bool]) -> list[str]:
    """The names in a folder that a person would see, sorted."""
    return sorted(name for name in os.listdir(folder) if is_visible(name) and kind(folder / name))


def is_visible(name: str) -> bool:
    """Not hidden, no system's leavings, and a name that can be shown."""
    return not name.startswith(".") and name not in JUNK and name.isprintable()


def _read_all(parts: list[Files], folder: Path) -> tuple[list[Glyphs], list[str]]:
    """The glyphs of each part, by class; and the names of the files that give none."""
    pixels = 0
    broken: list[str] = []
    glyphs: list[Glyphs] = []
    for part in parts:
        glyphs.append({label: [] for label in part})
        for label, file in ((label, file) for label, files in part.items() for file in files):
            try:
                picture = read_picture(file)
            except PictureError:
                broken.append(str(file.relative_to(folder)))
                continue
            pixels += picture.shape[0] * picture.shape[1]
            if pixels > MAX_PIXELS:
                raise DataError(f"The pictures in {folder} have more than {MAX_PIXELS:,} pixels; save them smaller.")
            if (glyph := glyph_of(picture)) is not None:
                glyphs[-1][label].append(glyph)
            else:
                broken.append(str(file.relative_to(folder)))
    return glyphs, broken


def glyph_of(picture: np.ndarray) -> np.ndarray | None:
    """A picture of one thing, `(H, W, 3) uint8` → `(28, 28) uint8`, ink bright; None where there is no ink.

    The border shows the paper; ink is on the side with the heavier tail of departures from it.
    """
    if picture.shape[:2] == (SIZE, SIZE):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if np.median(_border(grey)) <= FAINTEST:
            return grey if grey.max() >= FADED else None
    shrink = REDUCED_PX / max(picture.shape[:2])
    if shrink < 1:
        size_wh = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
        picture = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)
    departure = picture - _paper(picture)
    darker, lighter = np.clip(-departure, 0, None).max(axis=2), np.clip(departure, 0, None).max(axis=2)
    ink = darker if (darker**3).sum() > (lighter**3).sum() else lighter
    if max(ink.shape) >= FINE_PX:
        ink = cv2.blur(ink, (3, 3))
    if ink.max() < FADED:
        return None
    grey = _stretch(ink)
    middle, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)  # between paper and ink
    return _stretch(normalise(_stretch(np.clip(grey - middle / 2, 0, None))))


def _paper(picture: np.ndarray) -> np.ndarray:
    """What the picture would be without ink, `(H, W, 3) float32`: a quadratic surface through its border.

    It follows the light of a photo across the page, and knows nothing of how wide the ink is: filled shapes stay whole.
    """
    height, width = picture.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).astype(np.float32)
    along, seen = _border(terms), _border(picture).astype(np.float32)
    oddity = np.abs(seen - np.median(seen, axis=0)).max(axis=1)
    plain = oddity <= np.percentile(oddity, PLAIN_PERCENT)
    return terms @ np.linalg.lstsq(along[plain], seen[plain], rcond=None)[0]


def _border(picture: np.ndarray) -> np.ndarray:
    """The outermost pixels, `(P, …)`."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def _stretch(ink: np.ndarray) -> np.ndarray:
    """The same with its strongest ink at 255: thin strokes fade when they are reduced."""
    return np.rint(ink * (255 / max(float(ink.max()), 1))).astype(np.uint8)


def _names(folders: tuple[str, ...]) -> tuple[str, ...]:
    """The classes' names: signs that no folder's name may hold, such as a slash, are escaped in it as in addresses."""
    names = tuple(unquote(folder, errors="replace") for folder in folders)
    return names if len(set(names)) == len(names) and all(name.isprintable() for name in names) else folders


def _stack(glyphs: Glyphs, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    images = [glyph for label in classes for glyph in glyphs.get(label, [])]
    labels = [number for number, label in enumerate(classes) for _ in glyphs.get(label, [])]
    return np.array(images, np.uint8).reshape(-1, SIZE, SIZE), np.array(labels, np.int64)


def _split(images: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    testing = draw_test_part(labels)
    return [(images[chosen], labels[chosen]) for chosen in (~testing, testing)]


def _about_broken(broken: list[str], total: int) -> list[str]:
    if not broken:
        return []
    return [
        f"{len(broken):,} of {total:,} files are damaged, blank or no pictures and were skipped: {_listed(broken)}."
    ]


def _about_empty(glyphs: list[Glyphs]) -> list[str]:
    """What is said about classes that nothing can be learnt of."""
    empty = [label for label, images in glyphs[0].items() if not images]
    only_tested = [label for label, images in glyphs[-1].items() if images and not glyphs[0].get(label)]
    notes = []
    if empty:
        notes.append(f"Classes without a readable picture to train on were left out: {_listed(empty)}.")
    if unknown := [label for label in only_tested if label not in empty]:
        notes.append(f"Classes that stand in test only were left out: {_listed(unknown)}.")
    return notes


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _in_words(classes: tuple[str, ...]) -> str:
    return f" ({classes[0]})" if classes else ""

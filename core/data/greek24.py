"""`greek24`: about 13,900 small Greek letters of 297 people, cut out of their form sheets (GCDB).

One file is expected in `INKLING_DATA/greek24`: `gcdb.npz` with `images` (N, 52, 52) uint8, ink 0 on paper 255, and
for each its letter (`labels`), which alphabet it is of (`group`) and whose sheet it is from (`form`). Capitals are
left out.
The cut-outs hold pieces of the sheet's dotted lines, which are taken away here; some hold nothing, a fragment, or
another letter than they should.

32 sheets stand in the file twice under different numbers; they are taken once. Every sixth writer tests, so that no
hand stands in both parts. `greek24_left_out.txt` names the training cells, by their row in the file, that a first
network, taught for 8 epochs by five in six of the sheets, gave their own label less than 0.1: 411 of 11,617. They are
left out. The test part is as the sheets are, faulty cells included.
"""

import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np

from core.data.alphabet import GREEK
from core.data.normalise import normalise
from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

SIDE = 52  # pixels of a cut-out
SMALL = "LETT_SML"  # what the groups of small letters begin with
TEST_EVERY = 6  # writers
REACH_PX = 12  # from the edge: so far in do the sheet's lines lie
LINE_SHARE = 0.3  # of a row or column is ink where it is a dotted line: some dots are lost in the scan
LINE_SPREAD = 0.75  # of the side that a line runs along, at least: a letter's own bars are shorter
SPECK = 4  # pixels: what is left of a line's dots
THIN = 2  # pixels: thicker is no piece of a line
LEAST_INK, LEAST_SIDE = 12, 8  # pixels: less is no letter
CLASSES = tuple(GREEK)
LEFT_OUT = Path(__file__).with_name("greek24_left_out.txt")


def load_greek24(part: str) -> Samples:
    """The letters of five in six writers, or of the sixth; raises `DataError` where the file is missing or damaged."""
    import torch

    cells, images, labels, forms = _read()
    writers = np.unique(forms)
    testing = np.isin(forms, writers[TEST_EVERY - 1 :: TEST_EVERY])
    faulty = np.isin(cells, [int(line) for line in LEFT_OUT.read_text("ascii").split()])
    chosen = np.flatnonzero(testing if part == "test" else ~testing & ~faulty)
    cleaned = [without_lines(image) for image in images[chosen]]
    kept = [i for i, ink in enumerate(cleaned) if is_letter(ink)]
    glyphs = np.stack([normalise(cleaned[i]) for i in kept])
    numbers = np.array([CLASSES.index(label) for label in labels[chosen][kept]])
    whole = int((testing if part == "test" else ~testing).sum())
    notes: tuple[str, ...] = (
        f"{whole - len(kept):,} of {whole:,} cells of the sheets are empty or faulty and were left out.",
    )
    if part == "test":
        notes += ("Some of the others hold a fragment or another letter than the sheet asked for.",)
    return Samples("greek24", part, torch.from_numpy(glyphs), torch.from_numpy(numbers), CLASSES, notes=notes)


def _read() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The small letters, each once: rows of the file, images with bright ink, labels and writers."""
    file = data_dir() / "greek24" / "gcdb.npz"
    try:
        with np.load(file, allow_pickle=False) as archive:
            images, labels, groups, forms = (archive[key] for key in ("images", "labels", "group", "form"))
        if images.shape != (len(labels), SIDE, SIDE) or not set(np.unique(labels)) <= set(CLASSES):
            raise ValueError(f"its images are {images.shape}, or it holds other letters than the 24")
        small = np.flatnonzero(np.char.startswith(groups, SMALL))
        _, first = np.unique(images[small].reshape(len(small), -1), axis=0, return_index=True)
        small = small[np.sort(first)]
        return small, 255 - images[small], labels[small], forms[small]
    except FileNotFoundError as error:
        raise DataError(f"{file} is missing; set INKLING_DATA to a folder that holds greek24/{file.name}.") from error
    except (OSError, EOFError, KeyError, ValueError, IndexError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file} is damaged or half downloaded ({error}); fetch it again.") from error


def without_lines(ink: np.ndarray) -> np.ndarray:
    """A cut-out, `(52, 52) uint8`, ink bright, without the dotted lines near its edges and the specks they leave."""
    ink = ink.copy()
    for turned in (ink, ink.T):  # views: rows, then columns
        for row in [*range(REACH_PX), *range(SIDE - REACH_PX, SIDE)]:
            dots = np.flatnonzero(turned[row])
            if len(dots) >= LINE_SHARE * SIDE and np.ptp(dots) >= LINE_SPREAD * SIDE:
                turned[row] = 0
    count, parts, statistics, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8), connectivity=8)
    for part, (x, y, w, h, area) in enumerate(statistics[1:count].tolist(), 1):
        room = min(x, y, SIDE - x - w, SIDE - y - h)  # to the nearest edge
        piece = min(w, h) <= THIN and room < REACH_PX and area < statistics[1:, cv2.CC_STAT_AREA].max()
        if area <= SPECK or piece:
            ink[parts == part] = 0
    return ink


def is_letter(ink: np.ndarray) -> bool:
    """Whether there is enough ink for a letter."""
    return bool((ink > 0).sum() >= LEAST_INK and max(cv2.boundingRect((ink > 0).astype(np.uint8))[2:]) >= LEAST_SIDE)

"""A letter's picture → the glyph that a network gets: our way, and the classic course's, to be compared."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional

from core.data import Samples
from core.data.folder import FADED
from core.data.normalise import FAINTEST
from core.data.pictures import decode_picture
from core.errors import DataError, PictureError
from core.reading.segment import segment
from core.transfer.letters import Letters
from core.transfer.letters_set import LettersSet

OURS, COURSE = "ours", "course"
PREPARATIONS = (OURS, COURSE)
SIZE = 28
COURSE_SCALE = 36 / 128  # of the classic course's example programme for its 133×133 Greek letters


def letters_of(letters: LettersSet, preparation: str = OURS) -> Letters:
    """The set as glyphs; pictures without a symbol are listed in `lost`. Raises `DataError` where there is none."""
    glyphs, labels, pictures, lost = [], [], [], []
    for letter in letters.letters:
        glyph = glyph_of(letter.png, preparation)
        if glyph is None:
            lost.append((letter.id, letter.label))
            continue
        glyphs.append(glyph)
        labels.append(letter.label)
        pictures.append(letter.id)
    if not glyphs:
        raise DataError(f"No symbol was found in any picture of {letters.name!r}; write each large on plain paper.")
    classes = tuple(label for label in letters.classes if label in labels)
    images = torch.from_numpy(np.stack(glyphs))
    numbers = torch.tensor([classes.index(label) for label in labels])
    return Letters(Samples(letters.name, "train", images, numbers, classes), tuple(pictures), tuple(lost))


@lru_cache(maxsize=4096)
def glyph_of(png: bytes, preparation: str = OURS) -> np.ndarray | None:
    """`(28, 28) uint8`, ink bright; None where the picture shows no symbol."""
    try:
        image = decode_picture(png, "The letter")
    except PictureError:
        return None
    return PREPARE[preparation](image)


def _ours(image: np.ndarray) -> np.ndarray | None:
    if image.shape[:2] == (SIZE, SIZE):
        grey = np.array(Image.fromarray(image).convert("L"))
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        if np.median(border) <= FAINTEST:
            return grey if grey.max() >= FADED else None
    found = [s for s in segment(image).segments if s.reason is None]
    if not found:
        return None
    return np.rint(max(found, key=lambda s: max(s.box[2:])).glyph * 255).astype(np.uint8)


def _course(image: np.ndarray) -> np.ndarray:
    """The classic course's `GreekTransform`: grey, scaled about the middle by 36/128, cropped to 28×28, inverted."""
    grey = functional.rgb_to_grayscale(torch.from_numpy(image).permute(2, 0, 1))
    grey = functional.affine(grey, 0, [0, 0], COURSE_SCALE, [0.0])
    return functional.invert(functional.center_crop(grey, [SIZE, SIZE]))[0].numpy()


PREPARE: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {OURS: _ours, COURSE: _course}


def png_of(picture: np.ndarray) -> bytes:
    """`(H, W) or (H, W, 3) uint8` as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()

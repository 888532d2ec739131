"""A letters set → the glyphs that a network gets: our way, and the classic course's, to be compared."""

from functools import lru_cache

import numpy as np
import torch

from core.data import Samples
from core.data.pictures import decode_picture
from core.errors import DataError, PictureError
from core.transfer.glyphs import COURSE, OURS, PREPARATIONS, png_of, prepare
from core.transfer.letters import Letters
from core.transfer.letters_set import LettersSet

__all__ = ["COURSE", "OURS", "PREPARATIONS", "glyph_of", "letters_of", "png_of"]


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


@lru_cache(maxsize=10_000)
def glyph_of(png: bytes, preparation: str = OURS) -> np.ndarray | None:
    """`(28, 28) uint8`, ink bright; None where the picture shows no symbol. Shared: never to be changed in place."""
    try:
        glyph = prepare(decode_picture(png, "The letter"), preparation)
    except PictureError:
        return None
    if glyph is not None:
        glyph.setflags(write=False)
    return glyph

"""Letters: a small labelled set of symbols to teach, a folder of pictures for each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.data import Samples
from core.data.folder import survey
from core.errors import DataError, PictureError
from core.reading.picture import read_picture
from core.transfer.glyphs import prepare
from core.transfer.letters_names import from_folder
from core.transfer.letters_set import as_label

NAMED = 3  # pictures named in a note; of the others there is a count


@dataclass(frozen=True, eq=False)
class Letters:
    """Glyphs cut out of pictures as every picture is that Inkling reads."""

    samples: Samples
    pictures: tuple[str, ...]  # where each glyph comes from, relative to the folder
    lost: tuple[tuple[str, str], ...] = ()  # pictures in which no symbol was found: (picture, label)


def read_letters(folder: Path, part: str = "train") -> Letters:
    """The letters of a folder that holds a folder for each; of `train` or `test` where it holds these two.

    A folder of the store is one as well. Raises `DataError` where it is no such folder, or no symbol can be found in
    any of its pictures.
    """
    parts, notes = survey(folder)
    files = [
        (as_label(from_folder(name)), file) for name, found in parts[-1 if part == "test" else 0].items()
        for file in found
    ]  # fmt: skip
    classes = tuple(dict.fromkeys(label for label, _ in files))  # the folders' order; `α` and `alpha` are the same
    glyphs, labels, pictures, lost = [], [], [], []
    for label, file in files:
        name = str(file.relative_to(folder))
        glyph = _glyph_in(file)
        if glyph is None:
            lost.append((name, label))
            continue
        glyphs.append(glyph)
        labels.append(classes.index(label))
        pictures.append(name)
    if not glyphs:
        raise DataError(f"No symbol was found in any picture of {folder}; write each large on plain paper, one a file.")
    if lost:
        named = ", ".join(name for name, _ in lost[:NAMED]) + (f" and {len(lost) - NAMED} more" * (len(lost) > NAMED))
        notes.append(f"No symbol was found in {len(lost)} of {len(lost) + len(glyphs)} pictures: {named}.")
    images = torch.from_numpy(np.stack(glyphs))
    samples = Samples(from_folder(folder.name), part, images, torch.tensor(labels), classes, notes=tuple(notes))
    return Letters(samples, tuple(pictures), tuple(lost))


def largest_symbol(file: Path) -> np.ndarray | None:
    """`(28, 28) float32` in [0, 1], or None where the file is no picture or shows no symbol."""
    glyph = _glyph_in(file)
    return None if glyph is None else glyph.astype(np.float32) / 255


def _glyph_in(file: Path) -> np.ndarray | None:
    """`(28, 28) uint8`, likewise."""
    try:
        return prepare(read_picture(file))
    except PictureError:
        return None

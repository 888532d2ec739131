"""Letters: a small labelled set of symbols to teach, a folder of pictures for each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.data import Samples
from core.data.folder import survey
from core.errors import DataError, PictureError
from core.reading.picture import read_picture
from core.reading.segment import segment

NAMED = 3  # pictures named in a note; of the others there is a count


@dataclass(frozen=True, eq=False)
class Letters:
    """Glyphs cut out of pictures as every picture is that Inkling reads."""

    samples: Samples
    pictures: tuple[str, ...]  # where each glyph comes from, relative to the folder
    lost: tuple[tuple[str, str], ...] = ()  # pictures in which no symbol was found: (picture, label)


def read_letters(folder: Path, part: str = "train") -> Letters:
    """The letters of a folder that holds a folder for each; of `train` or `test` where it holds these two.

    Raises `DataError` where it is no such folder, or no symbol can be found in any of its pictures.
    """
    parts, notes = survey(folder)
    files = parts[-1 if part == "test" else 0]
    glyphs, labels, pictures, lost = [], [], [], []
    classes = tuple(label for label in files if files[label])
    for number, label in enumerate(classes):
        for file in files[label]:
            name = str(file.relative_to(folder))
            glyph = largest_symbol(file)
            if glyph is None:
                lost.append((name, label))
                continue
            glyphs.append(glyph)
            labels.append(number)
            pictures.append(name)
    if not glyphs:
        raise DataError(f"No symbol was found in any picture of {folder}; write each large on plain paper, one a file.")
    if lost:
        named = ", ".join(name for name, _ in lost[:NAMED]) + (f" and {len(lost) - NAMED} more" * (len(lost) > NAMED))
        notes.append(f"No symbol was found in {len(lost)} of {len(lost) + len(glyphs)} pictures: {named}.")
    images = torch.from_numpy(np.rint(np.stack(glyphs) * 255).astype(np.uint8))
    samples = Samples(folder.name, part, images, torch.tensor(labels), classes, notes=tuple(notes))
    return Letters(samples, tuple(pictures), tuple(lost))


def largest_symbol(file: Path) -> np.ndarray | None:
    """`(28, 28) float32`, or None where the file is no picture or shows no symbol."""
    try:
        found = [s for s in segment(read_picture(file)).segments if s.reason is None]
    except PictureError:
        return None
    return max(found, key=lambda s: max(s.box[2:])).glyph if found else None

"""Labelled pictures in colour: those of a folder, of a letters set, or two photographs cut into tiles."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_image

from core.data.folder import survey
from core.data.pictures import MAX_BYTES
from core.errors import DataError, PictureError
from core.transfer.letters_set import LettersSet
from core.transfer.preparation import png_of

TILE_PX = 64  # side of the example's tiles: 60 of each photograph, none over another
EXAMPLE = {"flower": "flower.jpg", "palace": "china.jpg"}  # scikit-learn's sample photographs, embedded in it


@dataclass(frozen=True)
class Photo:
    """A picture and what it shows; read when it is needed, for a set may be larger than the memory."""

    label: str
    name: str  # where it comes from, for people
    source: Path | bytes

    def content(self) -> bytes:
        """The picture's file; raises `PictureError` where it cannot be opened or is too large."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            with self.source.open("rb") as opened:
                return opened.read(MAX_BYTES + 1)  # what is longer is refused when it is unpacked
        except OSError as error:
            raise PictureError(f"{self.name} cannot be opened ({error.strerror}); check its permissions.") from error


@dataclass(frozen=True)
class PhotoSet:
    """Pictures to teach, and, where there is one, a test part of their own."""

    name: str
    photos: tuple[Photo, ...]
    tested: tuple[Photo, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of the pictures that teach, in the order in which they first came."""
        return tuple(dict.fromkeys(photo.label for photo in self.photos))

    def checked(self) -> "PhotoSet":
        """The same, if a head can be taught and measured with it; raises `DataError` otherwise."""
        counts = Counter(photo.label for photo in self.photos)
        if len(counts) < 2:
            raise DataError(
                f"{self.name} holds pictures of {len(counts)} class; give at least two, each in a folder of its own."
            )
        label, fewest = min(counts.items(), key=lambda item: item[1])
        if fewest < 2 and not self.tested:
            raise DataError(
                f"There is one picture only of {label!r}, so nothing would be left to measure it by; add another, or "
                "take the class out."
            )
        return self

    def with_notes(self, *notes: str) -> "PhotoSet":
        return replace(self, notes=(*self.notes, *notes))


def folder_photos(folder: Path, name: str = "") -> PhotoSet:
    """The pictures of a folder that holds a folder for each class, or `train` and `test` of such.

    Raises `DataError` where it is none, or holds too little.
    """
    parts, notes = survey(folder)
    read = [
        tuple(Photo(label, f"{label}/{file.name}", file) for label, files in part.items() for file in files)
        for part in parts
    ]
    photos, tested = read[0], read[1] if len(read) > 1 else ()
    known = {photo.label for photo in photos}
    if strange := sorted({photo.label for photo in tested} - known):
        notes.append(f"Classes that stand in test only were left out: {', '.join(strange)}.")
        tested = tuple(photo for photo in tested if photo.label in known)
    return PhotoSet(name or folder.name, photos, tested, tuple(notes)).checked()


def check_photos(folder: Path, name: str) -> None:
    """For what was uploaded: raises `DataError` where `folder_photos` would."""
    folder_photos(folder, name)


def letters_photos(letters: LettersSet) -> PhotoSet:
    """A letters set's pictures as they came, in colour."""
    photos = tuple(Photo(letter.label, f"{letter.label}: {letter.origin}", letter.png) for letter in letters.letters)
    return PhotoSet(letters.name, photos).checked()


@lru_cache(maxsize=1)
def example_photos() -> PhotoSet:
    """Tiles of two photographs: which of the two is a tile from?

    No two tiles overlap; yet tiles of one photograph are alike in light and colour, so this is easier than most tasks.
    """
    photos = []
    for label, file in EXAMPLE.items():
        pixels = load_sample_image(file)  # (427, 640, 3) uint8
        rows, columns = (side // TILE_PX for side in pixels.shape[:2])
        for row, column in np.ndindex(rows, columns):
            top, left = row * TILE_PX, column * TILE_PX
            tile = np.ascontiguousarray(pixels[top : top + TILE_PX, left : left + TILE_PX])
            photos.append(Photo(label, f"{label}, row {row + 1}, column {column + 1}", png_of(tile)))
    return PhotoSet("two photographs in tiles", tuple(photos))

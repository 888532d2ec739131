"""Letters sets on disk: a folder for each set, in it a folder of PNG files for each letter, as `transfer` reads it.

A file is called `0007 origin.ID.png`: its place in the set, where it comes from, and the letter's id, which tells a
damaged file. What somebody puts there by hand is read as well. New pictures are written and flushed before any file
goes: whatever breaks off a change leaves a letter there twice at worst, and never none.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from core.data.folder import is_visible
from core.data.pictures import decode_picture
from core.errors import DataError, PictureError
from core.networks.store import write_atomically
from core.networks.trash import put_back, throw_away
from core.paths import home_dir
from core.transfer.glyphs import png_of, stored_picture
from core.transfer.letters_names import as_folder, as_folders, from_folder, shortened
from core.transfer.letters_set import Letter, LettersSet, as_label, check_size, plain_text

MAX_NAME = 60  # characters
KIND = "letters"  # in the trash
FILE_NAME = re.compile(r"(?:(?P<place>\d+) )?(?P<origin>.*)\.(?P<id>[0-9a-f]{16})\.png", re.DOTALL)
_writing = RLock()  # two sessions that change sets


@dataclass(frozen=True)
class Stored:
    """A set as it lies on disk."""

    letters: LettersSet
    damaged: tuple[str, ...]  # files that cannot be read as a picture, relative to the set's folder


def shelf() -> Path:
    """The folder of the user's letters sets."""
    return home_dir() / "letters"


def folder_of(name: str) -> Path:
    """Where a set of that name lies, or would."""
    there = [entry for entry in _entries() if from_folder(entry.name) == name]
    return there[0] if there else shelf() / as_folder(name)


def list_letters() -> list[str]:
    """The names of the sets, sorted."""
    return sorted({from_folder(entry.name) for entry in _entries()}, key=lambda name: (name.casefold(), name))


def _entries() -> list[Path]:
    try:
        return sorted(entry for entry in shelf().iterdir() if is_visible(entry.name) and entry.is_dir())
    except OSError:
        return []  # no such shelf yet: the first set that is saved makes it


def is_taken(name: str) -> bool:
    """Whether a set is called so; capitals make no difference, as on some systems they make none for folders."""
    return name.casefold() in (other.casefold() for other in list_letters())


def free_letters_name(wish: str) -> str:
    """The wish as a name that a new set may have: itself, else with 2, 3, … behind it."""
    name, number = wish, 1
    while is_taken(name):
        number += 1
        name = f"{wish[: MAX_NAME - len(str(number)) - 1]} {number}"
    return name


def as_name(text: str) -> str:
    """What somebody typed as a set's name; raises `DataError` for what none can be called."""
    name = plain_text(text, "The name", MAX_NAME)
    if name.casefold().startswith("example:"):
        raise DataError("Only the examples are called 'example: …'; choose another name.")
    as_folder(name)
    return name


def open_letters(name: str) -> LettersSet:
    """A set of the store; raises `DataError` where there is none. Damaged files are left out (see `open_stored`)."""
    return open_stored(name).letters


def open_stored(name: str) -> Stored:
    """A set of the store and what of it is damaged; raises `DataError` where there is none or it cannot be opened."""
    if name not in list_letters():
        raise DataError(f"There is no letters set {name!r}; there are: {', '.join(list_letters()) or 'none yet'}.")
    folder = folder_of(name)
    read: list[tuple[int, str, Letter]] = []
    damaged: list[str] = []
    try:
        for file in _files(folder):
            letter = _read(file)
            place = FILE_NAME.fullmatch(file.name)
            if letter is None:
                damaged.append(str(file.relative_to(folder)))
            else:
                number = int(place["place"]) if place and place["place"] else 10**9  # put there by hand: at the end
                read.append((number, str(file), letter))
    except OSError as error:
        raise DataError(f"{folder} cannot be opened ({error.strerror}).") from error
    letters = tuple(letter for _, _, letter in sorted(read, key=lambda entry: entry[:2]))
    return Stored(LettersSet(name).with_letters(letters), tuple(damaged))


def save_letters(letters: LettersSet) -> None:
    """Makes the stored set of that name this one; raises `DataError` where that fails, with nothing lost."""
    with _writing, _telling(shelf()):
        if as_name(letters.name) != letters.name:
            raise DataError(f"{letters.name!r} is no name for a letters set; call it {as_name(letters.name)!r}.")
        check_size(letters)
        folders = as_folders(letters.classes)
        folder = folder_of(letters.name)
        before = {_key(file): file for file in _files(folder) if _read(file) is not None} if folder.exists() else {}
        folder.mkdir(parents=True, exist_ok=True)
        for place, letter in enumerate(letters.letters, 1):
            file = folder / folders[letter.label] / f"{place:04d} {shortened(letter.origin)}.{letter.id}.png"
            file.parent.mkdir(exist_ok=True)
            if (kept := before.pop(f"{file.parent.name}/{letter.id}", None)) is None:
                write_atomically(file, letter.png)
            elif kept != file:
                kept.rename(file)
        for left in before.values():
            left.unlink()
        for emptied in (entry for entry in folder.iterdir() if entry.is_dir() and not any(entry.iterdir())):
            emptied.rmdir()


def rename_letters(name: str, new: str) -> str:
    """Gives a set another name, which is returned; raises `DataError` where that one is taken or cannot be one."""
    new = as_name(new)
    if new == name:
        return name
    with _writing, _telling(shelf()):
        if is_taken(new) and new.casefold() != name.casefold():
            raise DataError(f"There is a letters set {new!r} already; choose another name, or rename that one first.")
        if name not in list_letters():
            raise DataError(f"There is no letters set {name!r} any more.")
        folder_of(name).rename(folder_of(new))
    return new


def delete_letters(name: str) -> str:
    """Moves a set to the trash; what `undelete_letters` needs to put it back."""
    with _writing, _telling(shelf()):
        if name not in list_letters():
            raise DataError(f"There is no letters set {name!r} any more.")
        return throw_away([folder_of(name)], shelf(), KIND)


def undelete_letters(token: str) -> str:
    """Puts a deleted set back; its name. Raises `InklingError` where that is no longer possible."""
    return from_folder(put_back(token, shelf())[0].name)


def discard_damaged(name: str) -> str:
    """Moves the damaged files of a set to the trash; the token there."""
    with _writing, _telling(shelf()):
        return throw_away([folder_of(name) / file for file in open_stored(name).damaged], shelf(), f"{KIND}-files")


def _files(folder: Path) -> Iterator[Path]:
    """What lies in the folders of the letters, hidden files left out."""
    for inside in sorted(entry for entry in folder.iterdir() if is_visible(entry.name) and entry.is_dir()):
        yield from sorted(entry for entry in inside.iterdir() if is_visible(entry.name) and entry.is_file())


def _read(file: Path) -> Letter | None:
    """The letter in a file; None where it is damaged or no picture."""
    named = FILE_NAME.fullmatch(file.name)
    try:
        label, content = as_label(from_folder(file.parent.name)), file.read_bytes()
        if named:
            letter = Letter(label, content, from_folder(named["origin"]))
            if letter.id == named["id"]:
                return letter
        picture = decode_picture(content, file.name)
    except (OSError, PictureError, DataError):
        return None
    return Letter(label, png_of(stored_picture(picture)), from_folder(named["origin"]) if named else file.name)


def _key(file: Path) -> str:
    """The same for the same letter in the same folder, wherever in the set it stands."""
    named = FILE_NAME.fullmatch(file.name)
    return f"{file.parent.name}/{named['id'] if named else file.name}"


@contextmanager
def _telling(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError("The disk is full; make room, then try again. What was there before is whole.") from error
        raise DataError(f"The letters sets in {place} cannot be written ({error.strerror}).") from error

"""Letters sets on disk: a folder for each set, in it a folder of PNG files for each letter, as `transfer` reads it."""

import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote

from core.errors import DataError
from core.networks.passport import is_name
from core.paths import home_dir
from core.transfer.letters_set import Letter, LettersSet

SAFE = " !#$&'()+,;=@[]^_`{}~"  # characters that any system takes in a folder's name, besides letters and digits


def shelf() -> Path:
    """The folder of the user's letters sets."""
    return home_dir() / "letters"


def list_letters() -> list[str]:
    """The names of the sets, sorted."""
    try:
        return sorted(entry.name for entry in shelf().iterdir() if is_name(entry.name) and entry.is_dir())
    except OSError:
        return []  # no such shelf yet: the first set that is saved makes it


def open_letters(name: str) -> LettersSet:
    """A set of the store; raises `DataError` where there is none."""
    folder = shelf() / name
    if name not in list_letters():
        raise DataError(f"There is no letters set {name!r}; there are: {', '.join(list_letters()) or 'none yet'}.")
    files = sorted(folder.glob("*/*.png"), key=lambda file: file.stat().st_mtime_ns)
    return LettersSet(name, tuple(Letter(unquote(f.parent.name), f.read_bytes(), _origin(f)) for f in files))


def save_letters(letters: LettersSet) -> None:
    """Writes the set aside, then puts it in the place of the one before; raises `DataError` where that fails."""
    if not is_name(letters.name):
        raise DataError(f"{letters.name!r} is no name for a letters set; use letters, digits, '.', '_' and '-'.")
    place = shelf() / letters.name
    try:
        shelf().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=shelf(), prefix=".saving-") as workplace:
            made = Path(workplace) / "made"
            made.mkdir()
            for letter in letters.letters:
                folder = made / quote(letter.label, safe=SAFE)
                folder.mkdir(exist_ok=True)
                (folder / _file_name(letter)).write_bytes(letter.png)
            if place.exists():
                place.rename(Path(workplace) / "before")
            made.rename(place)
    except OSError as error:
        raise DataError(f"The letters set cannot be written to {shelf()} ({error.strerror}).") from error


def delete_letters(name: str) -> None:
    shutil.rmtree(shelf() / name)


def _file_name(letter: Letter) -> str:
    stem = re.sub(r"[^\w-]+", "-", Path(letter.origin).stem)[:40]
    return f"{stem}.{letter.id}.png"


def _origin(file: Path) -> str:
    return file.name.split(".")[0]

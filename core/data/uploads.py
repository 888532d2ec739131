"""Data sets that were uploaded: checked before they are kept, in `datasets/` of Inkling's home.

An archive is judged by its directory before anything of it is unpacked, unpacked beside its later place, read as the
data set that it shall be, and only then given its name. What is refused leaves nothing behind.
"""

import io
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path, PurePosixPath
from threading import Lock

from core.data.folder import MAX_IMAGES, is_visible, read_folder
from core.data.heart import read_heart
from core.errors import DataError
from core.paths import home_dir

MAX_ARCHIVE_BYTES = 200_000_000
MAX_UNPACKED_BYTES = 1_000_000_000
MAX_RATIO = 200  # pictures are compressed already; bombs reach 1,000 (deflate's limit)
SMALL_BYTES = 20_000_000  # below it the ratio does not matter: white pages as BMP shrink well
MAX_DEPTH = 8  # folders in folders: a part, a class and a few wrappings
CHUNK_BYTES = 1 << 20
DIRECTORY_ENTRY = b"PK\x01\x02"  # each entry of an archive's directory begins so

_naming = Lock()  # two sessions' uploads of the same name


def unpack_images(archive: bytes, name: str, check: Callable[[Path, str], object] = read_folder) -> Path:
    """The uploaded ZIP of an image folder, unpacked; use it as `folder:PATH`. Raises `DataError` and keeps nothing.

    `check(folder, name)` raises `DataError` where what was unpacked is no such data set as it shall be.
    """
    with unpacked_images(archive, name) as folder:
        try:
            check(folder, name)
        except DataError as error:
            raise DataError(str(error).replace(str(folder), name).replace(str(folder.parent), name)) from error
        return _keep(folder, name, "")


@contextmanager
def unpacked_images(archive: bytes, name: str) -> Iterator[Path]:
    """The folder that holds the class folders of an uploaded ZIP; gone afterwards. Raises `DataError`."""
    with _workplace() as workplace, _opened(archive, name) as opened:
        unpacked = workplace / "images"
        unpacked.mkdir()
        _unpack(opened, unpacked, name)
        yield _unwrapped(unpacked)


def keep_table(table: bytes, name: str) -> Path:
    """The uploaded heart table; use it as `heart:PATH`. Raises `DataError` and keeps nothing."""
    with _workplace() as workplace:
        file = workplace / "table.csv"
        file.write_bytes(table)
        try:
            read_heart(file)
        except DataError as error:
            raise DataError(str(error).replace(str(file), name)) from error
        return _keep(file, name, ".csv")


def list_uploads() -> list[str]:
    """The names to load them by: `folder:…` and `heart:…`."""
    kept = sorted(path for path in _shelf().glob("*") if is_visible(path.name))
    return [f"folder:{path}" for path in kept if path.is_dir()] + [
        f"heart:{path}" for path in kept if path.is_file() and path.suffix == ".csv"
    ]


def _shelf() -> Path:
    return home_dir() / "datasets"


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder beside the kept data sets, so that renaming moves no data; gone afterwards."""
    try:
        _shelf().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_shelf(), prefix=".upload-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:  # no room, no permission, a name that the file system does not take
        raise DataError(f"The upload cannot be kept in {_shelf()} ({error.strerror}); nothing was kept.") from error


def _keep(made: Path, name: str, suffix: str) -> Path:
    """Moves what was made to its own name, with -2, -3, … where that is taken."""
    stem = re.sub(r"[^\w-]+", "-", re.sub(r"\.(zip|csv)$", "", name, flags=re.IGNORECASE)).strip("-_")[:60] or "upload"
    with _naming:
        for number in count(1):
            place = _shelf() / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
            if not place.exists():
                return made.rename(place)
    raise AssertionError  # the numbers do not end


@contextmanager
def _opened(archive: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise DataError(f"{name} is larger than {MAX_ARCHIVE_BYTES // 1_000_000} MB; make the pictures smaller.")
    if archive.count(DIRECTORY_ENTRY) > MAX_IMAGES:  # counted before the directory is read, which may itself be huge
        raise DataError(f"{name} holds more than {MAX_IMAGES:,} files; nothing was unpacked. Take fewer.")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            yield opened
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{name} is not a ZIP archive, or a damaged one ({error}); make a ZIP of a folder that holds a folder of "
            "pictures for each class."
        ) from error


def _unpack(opened: zipfile.ZipFile, folder: Path, name: str) -> None:
    """Every file of the archive that a person would see; all of them are judged before the first is unpacked."""
    files = []
    for entry in opened.infolist():
        inside = _judge(entry, name)
        if not entry.is_dir() and all(map(is_visible, inside.parts)):
            files.append((entry, folder / inside))
    if not files:
        raise DataError(
            f"{name} holds no files; make a ZIP of a folder that holds a folder of pictures for each class."
        )
    unpacked, packed = sum(entry.file_size for entry, _ in files), sum(entry.compress_size for entry, _ in files)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > max(SMALL_BYTES, MAX_RATIO * packed):
        raise DataError(
            f"{name} would grow from {packed / 1e6:,.1f} to {unpacked / 1e6:,.0f} MB and was not unpacked; pictures do "
            f"not shrink so far, and at most {MAX_UNPACKED_BYTES // 1_000_000:,} MB are taken."
        )
    left = unpacked  # what the directory promised; more does not come out
    for entry, path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, path.open("xb") as target:
            while chunk := source.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise DataError(f"{name} holds more than its directory says and was not unpacked.")
                target.write(chunk)


def _judge(entry: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """Where the entry wants to lie, below the folder; raises for what only a hostile archive asks for."""
    shown = repr(entry.filename[:80])
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", entry.filename):
        raise DataError(f"{name} holds {shown}, which would lie outside its folder; nothing was unpacked.")
    if len(path.parts) > MAX_DEPTH:
        raise DataError(f"{name} nests folders more than {MAX_DEPTH} deep; nothing was unpacked.")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{name} holds {shown}, a link or a device; nothing was unpacked. Put the files themselves in.")
    if entry.flag_bits & 0x1:
        raise DataError(f"{name} is encrypted; make the ZIP without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} is compressed in a rare way; make it with the ordinary ZIP compression.")
    return path


def _unwrapped(folder: Path) -> Path:
    """The folder that holds the class folders: archives often have one folder round it all."""
    while (
        len(inside := list(folder.iterdir())) == 1 and inside[0].is_dir() and any(map(Path.is_dir, inside[0].iterdir()))
    ):
        folder = inside[0]
    return folder

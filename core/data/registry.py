"""The one table of data sets: name → loader."""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

# name → "module:function"; a loader takes the part ("train" or "test") and returns its Samples
LOADERS = {
    "mnist": "core.data.mnist:MNIST",
    "fashion-mnist": "core.data.mnist:FASHION_MNIST",
    "kmnist": "core.data.mnist:KMNIST",
    "emnist-balanced": "core.data.mnist:EMNIST_BALANCED",
    "usps": "core.data.usps:load_usps",
    "greek24": "core.data.greek24:load_greek24",
    "digits-8x8": "core.data.digits8x8:load_digits8x8",
    "strokes-digits": "core.data.strokes:load_strokes_digits",
    "strokes-greek": "core.data.strokes:load_strokes_greek",
}
# the user's own data: "kind:PATH" → "module:function"; a reader takes the path and returns (train, test)
READERS = {
    "folder:DIR": "core.data.folder:read_folder",
    "heart:FILE.csv": "core.data.heart:read_parts",
}
PARTS = ("train", "test")
ENOUGH_FILES = 200_000  # to look at for changes: more than any reader accepts


def names() -> tuple[str, ...]:
    """The data sets that need nothing from the user."""
    return tuple(LOADERS)


def load(name: str, part: str = "train") -> Samples:
    """The samples of a data set's part; raises `DataError` for unknown names and missing or damaged files.

    The tensors are shared by all who ask: copy before changing them.
    """
    if part not in PARTS:
        raise DataError(f"A data set has the parts 'train' and 'test', not {part!r}.")
    if name in LOADERS:
        return _load(name, part, data_dir().absolute())
    kind, colon, path = name.partition(":")
    reader = next((READERS[form] for form in READERS if form.startswith(f"{kind}:")), None)
    if not (colon and reader):
        raise DataError(f"Unknown data set {name!r}; choose one of: {', '.join([*LOADERS, *READERS])}.")
    if not path or "\0" in path:
        raise DataError(f"The data set {name!r} needs a path after the colon, as in {', '.join(READERS)}.")
    place = _place(path)
    return _read(name, reader, place, _fingerprint(place))[PARTS.index(part)]


def files_sign(name: str) -> tuple[str, int, int, int]:
    """Where the files of a known data set are, and what changes with them."""
    place = data_dir().absolute() if name in LOADERS else _place(name.partition(":")[2])
    return str(place), *_fingerprint(place)


def _place(path: str) -> Path:
    """Where a path of the user's is: from here, or else among the data sets in `INKLING_DATA`.

    Raises `DataError` for a relative one that is in neither.
    """
    place = Path(path).expanduser()
    if place.is_absolute() or place.exists():
        return place.absolute()
    shared = (data_dir() / place).absolute()
    if not shared.exists():
        raise DataError(
            f"{path} does not exist, neither in {Path.cwd()} nor in {data_dir().absolute()}; put it there, or set "
            "INKLING_DATA to the folder that holds it."
        )
    return shared


@lru_cache(maxsize=8)  # a training, its validation and its test look at the same few sets
def _load(name: str, part: str, root: Path) -> Samples:
    """`root` is only the key: another `INKLING_DATA` holds other files."""
    return _function(LOADERS[name])(part)


@lru_cache(maxsize=4)
def _read(name: str, reader: str, place: Path, fingerprint: tuple[int, ...]) -> tuple[Samples, Samples]:
    """`fingerprint` is only the key: the files may have changed."""
    return _function(reader)(place, name)


def _function(address: str) -> Callable[..., Any]:
    module, function = address.split(":")
    return getattr(import_module(module), function)


def _fingerprint(place: Path) -> tuple[int, int, int]:
    """What changes with the files there: their number, their bytes, the time of the newest change."""
    count = size = newest = 0
    for path in islice(_all_below(place), ENOUGH_FILES):
        try:
            status = os.stat(path)
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        count, size, newest = count + 1, size + status.st_size, max(newest, status.st_mtime_ns)
    return count, size, newest


def _all_below(place: Path) -> Iterator[str]:
    """The place itself, and all files and folders in it; class folders may be links."""
    yield str(place)
    for folder, folders, files in os.walk(place, followlinks=True):
        yield from (os.path.join(folder, name) for name in folders + files)

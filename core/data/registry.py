"""The one table of data sets: name → loader."""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

# name → "module:function"; a loader takes the part ("train" or "test") and returns its Samples
LOADERS = {
    "mnist": "core.data.mnist:load_mnist",
    "kmnist": "core.data.mnist:load_kmnist",
    "usps": "core.data.usps:load_usps",
    "digits-8x8": "core.data.digits8x8:load_digits8x8",
    "strokes-digits": "core.data.strokes:load_strokes_digits",
    "strokes-greek": "core.data.strokes:load_strokes_greek",
}


def names() -> tuple[str, ...]:
    return tuple(LOADERS)


def load(name: str, part: str = "train") -> Samples:
    """The samples of a data set's part; raises `DataError` for unknown names and missing or damaged files.

    The tensors are shared by all who ask: copy before changing them.
    """
    if name not in LOADERS:
        raise DataError(f"Unknown data set {name!r}; choose one of: {', '.join(LOADERS)}.")
    if part not in ("train", "test"):
        raise DataError(f"A data set has the parts 'train' and 'test', not {part!r}.")
    return _load(name, part, data_dir().absolute())


@lru_cache(maxsize=8)  # a training, its validation and its test look at the same few sets
def _load(name: str, part: str, root: Path) -> Samples:
    """`root` is only the key: another `INKLING_DATA` holds other files."""
    module, function = LOADERS[name].split(":")
    loader: Callable[[str], Samples] = getattr(import_module(module), function)
    return loader(part)

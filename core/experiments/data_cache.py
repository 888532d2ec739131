"""Data sets by hash: each machine holds its own copy, which all its workers map into memory; none travels with a task.

INKLING_HOME/cache/data/SHA256.safetensors is the training part of the set with that hash, INKLING_HOME/cache/data/
names.json the hash that a set's files had when they were last read.
"""

import hashlib
import json
import os
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from core.data.registry import files_sign
from core.errors import DataError, ExperimentError
from core.paths import PROJECT, home_dir

if TYPE_CHECKING:
    from core.data import Samples

LIBRARIES = ("torch", "numpy", "scikit-learn", "pillow", "opencv-python-headless")  # that a set is read with
MOST_NAMES = 200  # in names.json


class DataMissing(ExperimentError):
    """A worker's machine lacks the data; once it has them the trial can run."""

    again = True


def folder() -> Path:
    return home_dir() / "cache" / "data"


def sha256_of(dataset: str) -> str:
    """The hash of the set's training samples, which are in the cache then; raises `DataError` where it is missing.

    Files that have not changed since are not read again.
    """
    sign = _sign(dataset)
    known = _names().get(dataset)
    if known and known[0] == sign and _file(known[1]).is_file():
        return known[1]
    samples = _load(dataset)
    _keep(samples)
    with _lock("names"):
        names = {name: found for name, found in _names().items() if name != dataset}
        kept = dict(list(names.items())[-MOST_NAMES + 1 :]) | {dataset: [sign, samples.sha256]}
        _write(folder() / "names.json", json.dumps(kept).encode())
    return samples.sha256


def samples_of(dataset: str, sha256: str) -> "Samples":
    """The training samples with that hash; they are mapped, so that all processes of a machine share one copy.

    Raises `ExperimentError` where this machine has neither a copy nor the data set, or another one.
    """
    return _opened(dataset, sha256, _file(sha256))


@lru_cache(maxsize=2)
def _opened(dataset: str, sha256: str, file: Path) -> "Samples":
    if not file.is_file():
        with _lock(sha256):
            if not file.is_file():
                _fill(dataset, sha256)
    return _read(file, dataset)


def _fill(dataset: str, sha256: str) -> None:
    here = socket.gethostname()
    remedy = (
        "Fill its cache, with INKLING_DATA set: python -m core experiment STUDY --fill; or copy there, from a machine "
        f"that has it, INKLING_HOME/cache/data/{sha256}.safetensors."
    )
    try:
        samples = _load(dataset)
    except DataError as error:
        raise DataMissing(f"The machine {here} lacks the data set {dataset!r} ({error}). {remedy}") from error
    if samples.sha256 != sha256:
        raise DataMissing(
            f"The data set {dataset!r} on {here} is another one than the study was begun with (hash "
            f"{samples.sha256[:12]}, not {sha256[:12]}). {remedy}"
        )
    _keep(samples)


def _load(dataset: str) -> "Samples":
    from core.data import load

    return load(dataset, "train")


def _keep(samples: "Samples") -> None:
    from safetensors.torch import save

    file = _file(samples.sha256)
    if file.is_file():
        return
    about = {"classes": samples.classes, "columns": samples.columns, "preparation": samples.preparation}
    tensors = {"inputs": samples.inputs.contiguous(), "labels": samples.labels.contiguous()}
    _write(file, save(tensors, {"about": json.dumps(about)}))


def _read(file: Path, dataset: str) -> "Samples":
    from safetensors import SafetensorError, safe_open

    from core.data import Samples

    try:
        with safe_open(file, "pt") as found:
            about: dict[str, Any] = json.loads((found.metadata() or {})["about"])
            inputs, labels = found.get_tensor("inputs"), found.get_tensor("labels")
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise ExperimentError(f"{file} is damaged ({error}); delete it, and it is made anew.") from error
    classes, columns = tuple(about["classes"]), tuple(about["columns"])
    return Samples(dataset, "train", inputs, labels, classes, columns, (), about["preparation"])


def _file(sha256: str) -> Path:
    return folder() / f"{sha256}.safetensors"


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    _or_say(lambda: file.parent.mkdir(parents=True, exist_ok=True))
    _or_say(lambda: part.write_bytes(content))
    _or_say(lambda: part.replace(file))


def _or_say(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except OSError as error:
        raise ExperimentError(f"{folder()} cannot be written to ({error.strerror}); set INKLING_HOME.") from error


def _lock(name: str) -> FileLock:
    _or_say(lambda: folder().mkdir(parents=True, exist_ok=True))
    return FileLock(folder() / f"{name[:16]}.lock")


def _names() -> dict[str, list[str]]:
    """What is damaged is made anew."""
    try:
        found = json.loads((folder() / "names.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sign(dataset: str) -> str:
    """Changes with all that decides a set's samples: its files, our code that reads them, and the libraries."""
    from importlib.metadata import version

    code = hashlib.sha256()
    for file in sorted((PROJECT / "core" / "data").glob("*.py")):
        code.update(file.read_bytes())
    parts = [files_sign(dataset), code.hexdigest(), [version(name) for name in LIBRARIES]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

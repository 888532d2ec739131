"""The MNIST family through torchvision: its mirrors and its checksums, held whole.

`mnist`: 60,000 + 10,000 digits (LeCun, Cortes, Burges). `kmnist`: the same format with ten cursive Japanese characters
(Clanuwat et al. 2018), whose test part measures how well what is no digit is refused.
"""

import os
import socket
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import torch
from torchvision import datasets
from torchvision.datasets.mnist import read_image_file, read_label_file

from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

DIGITS = tuple("0123456789")
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
PREFIXES = {"train": "train", "test": "t10k"}
SILENCE_S = 20  # a mirror that says nothing for so long is given up


def load_mnist(part: str) -> Samples:
    return _load("mnist", datasets.MNIST, DIGITS, part)


def load_kmnist(part: str) -> Samples:
    return _load("kmnist", datasets.KMNIST, KUZUSHIJI, part)


def _load(name: str, family: type[datasets.MNIST], classes: tuple[str, ...], part: str) -> Samples:
    folder = data_dir() / family.__name__ / "raw"
    images_file, labels_file = (folder / f"{PREFIXES[part]}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    if not (images_file.is_file() and labels_file.is_file()):
        _download(family, folder)
    images, labels = _read(images_file, read_image_file), _read(labels_file, read_label_file)
    if images.shape[1:] != (28, 28) or len(images) != len(labels) or not len(labels) or labels.max() >= len(classes):
        raise DataError(
            f"{images_file} and {labels_file.name} do not belong together ({tuple(images.shape)} images, {len(labels)} "
            f"labels from {len(classes)} classes expected); delete both to download them anew."
        )
    return Samples(name, part, images, labels, classes)


def _read(file: Path, read: Callable[[str], torch.Tensor]) -> torch.Tensor:
    try:
        return read(str(file))
    except (OSError, ValueError, RuntimeError, AssertionError, KeyError, TypeError) as error:  # all that it may raise
        raise DataError(
            f"{file} is damaged or half downloaded ({file.stat().st_size:,} bytes); delete it to download it anew."
        ) from error


def _download(family: type[datasets.MNIST], folder: Path) -> None:
    """Fetches and unpacks all files of the family that are not there yet."""
    name = family.__name__
    missing = f"{name} is not complete in {folder}"
    remedy = f"set INKLING_DATA to a folder that holds {name}/raw"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{missing}, which cannot be made ({error.strerror}); {remedy} or can be written.") from error
    if not os.access(folder, os.W_OK):
        raise DataError(f"{missing}, which cannot be written to; {remedy} or can be written.")
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_S)  # torchvision sets none and would wait for ever
    try:
        family(folder.parent.parent, download=True)
    except (RuntimeError, OSError, EOFError, HTTPException) as error:
        mirrors = " and ".join(family.mirrors)
        reason = str(error).strip().splitlines()[-1]
        raise DataError(f"{missing}, and downloading it from {mirrors} failed ({reason}); {remedy}.") from error
    finally:
        socket.setdefaulttimeout(patience)

"""The MNIST family through torchvision: its addresses and its checksums, held whole.

`mnist`: 60,000 + 10,000 digits (LeCun, Cortes, Burges). `fashion-mnist`: ten kinds of clothes in the same format (Xiao
et al. 2017). `kmnist`: ten cursive Japanese characters (Clanuwat et al. 2018), whose test part measures how well what
is no digit is refused. `emnist-balanced`: 112,800 + 18,800 digits and letters, 47 classes, of which 15 hold a letter's
capital and its small form together (Cohen et al. 2017).
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torchvision import datasets
from torchvision.datasets.mnist import read_image_file, read_label_file

from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

DIGITS = tuple("0123456789")
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
SILENCE_S = 20  # a mirror that says nothing for so long is given up


@dataclass(frozen=True)
class IdxSet:
    """A data set in LeCun's idx format; called with a part, it gives that part's samples."""

    name: str
    source: type[datasets.MNIST]  # knows the addresses and checksums
    classes: tuple[str, ...]
    train_prefix: str = "train"
    test_prefix: str = "t10k"
    transposed: bool = False  # rows and columns changed places in the files
    options: dict[str, Any] = field(default_factory=dict)  # what `source` asks for beyond the folder

    @property
    def addresses(self) -> list[str]:
        return [self.source.url] if hasattr(self.source, "url") else self.source.mirrors

    def __call__(self, part: str) -> Samples:
        folder = data_dir() / self.source.__name__ / "raw"
        prefix = self.train_prefix if part == "train" else self.test_prefix
        images_file, labels_file = (folder / f"{prefix}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
        if not (images_file.is_file() and labels_file.is_file()):
            _download(self, folder)
        images, labels = _read(images_file, read_image_file), _read(labels_file, read_label_file)
        count = len(self.classes)
        if images.shape[1:] != (28, 28) or len(images) != len(labels) or not len(labels) or labels.max() >= count:
            raise DataError(
                f"{images_file} and {labels_file.name} do not belong together ({tuple(images.shape)} images, "
                f"{len(labels)} labels from {count} classes expected); delete both to download them anew."
            )
        if self.transposed:
            images = images.transpose(1, 2).contiguous()
        return Samples(self.name, part, images, labels, self.classes)


MNIST = IdxSet("mnist", datasets.MNIST, DIGITS)
FASHION_MNIST = IdxSet("fashion-mnist", datasets.FashionMNIST, tuple(datasets.FashionMNIST.classes))
KMNIST = IdxSet("kmnist", datasets.KMNIST, KUZUSHIJI)
EMNIST_BALANCED = IdxSet(
    "emnist-balanced",
    datasets.EMNIST,
    tuple(datasets.EMNIST.classes_split_dict["balanced"]),
    train_prefix="emnist-balanced-train",
    test_prefix="emnist-balanced-test",
    transposed=True,
    options={"split": "balanced"},
)


def _read(file: Path, read: Callable[[str], torch.Tensor]) -> torch.Tensor:
    try:
        return read(str(file))
    except (OSError, ValueError, RuntimeError, AssertionError, KeyError, TypeError) as error:  # all that it may raise
        raise DataError(
            f"{file} is damaged or half downloaded ({file.stat().st_size:,} bytes); delete it to download it anew."
        ) from error


def _download(wanted: IdxSet, folder: Path) -> None:
    """Fetches and unpacks all files of the data set that are not there yet."""
    name = wanted.source.__name__
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
        wanted.source(folder.parent.parent, download=True, **wanted.options)
    except (RuntimeError, OSError, EOFError, HTTPException) as error:
        addresses = " and ".join(wanted.addresses)
        reason = str(error).strip().splitlines()[-1]
        raise DataError(f"{missing}, and downloading it from {addresses} failed ({reason}); {remedy}.") from error
    finally:
        socket.setdefaulttimeout(patience)

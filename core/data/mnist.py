"""MNIST (LeCun, Cortes, Burges): 60,000 + 10,000 digits, through torchvision's loader, mirrors and checksums."""

import torch
from torchvision import datasets

from core.data.samples import Samples
from core.errors import DataError
from core.paths import data_dir

DIGITS = tuple("0123456789")


def load_mnist(part: str) -> Samples:
    root = data_dir()
    dataset = _open(root, part == "train")
    return Samples("mnist", part, dataset.data.contiguous(), dataset.targets.to(torch.int64), DIGITS)


def _open(root, train: bool) -> datasets.MNIST:  # placeholder typing; hardened below by the loader's checks
    try:
        return datasets.MNIST(root, train=train, download=False)
    except RuntimeError as error:
        raise DataError(f"MNIST is not in {root} ({error}).") from error

"""`Samples`: a labelled part of a data set, held whole as tensors."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Samples:
    """One part of a data set in memory.

    `images`: `(N, 28, 28) uint8`, ink bright on 0; `labels`: `(N,) int64`, indices into `classes`.
    """

    name: str
    part: str  # "train" or "test"
    images: "torch.Tensor"
    labels: "torch.Tensor"
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Hash of images and labels: what a passport records as the data that taught the network."""
        digest = hashlib.sha256()
        digest.update(self.images.contiguous().numpy().tobytes())
        digest.update(self.labels.contiguous().numpy().tobytes())
        return digest.hexdigest()

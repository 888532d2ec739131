"""`Samples`: a labelled part of a data set, held whole as tensors."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Samples:
    """One part of a data set in memory.

    `inputs`: glyphs, `(N, 28, 28) uint8`, ink bright on 0; or the scaled features of a table, `(N, F) float32`.
    `labels`: `(N,) int64`, indices into `classes`.
    """

    name: str
    part: str  # "train", "validation" or "test"
    inputs: "torch.Tensor"
    labels: "torch.Tensor"
    classes: tuple[str, ...]
    columns: tuple[str, ...] = ()  # a table's features, in the order of `inputs`; glyphs have none
    notes: tuple[str, ...] = ()  # what was done to the data on the way in: a sentence each, to be shown
    preparation: dict[str, Any] = field(default_factory=dict)  # JSON: how a table's rows become its features

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_table(self) -> bool:
        return bool(self.columns)

    @property
    def images(self) -> "torch.Tensor":
        """The glyphs, `(N, 28, 28) uint8`; a table has none (`TypeError`)."""
        if self.is_table:
            raise TypeError(f"The samples of {self.name!r} are rows of a table, not images.")
        return self.inputs

    def take(self, index: "torch.Tensor", part: str | None = None) -> "Samples":
        """The samples of these positions, in this order."""
        return replace(self, inputs=self.inputs[index], labels=self.labels[index], part=part or self.part)

    @cached_property
    def sha256(self) -> str:
        """Hash of inputs and labels: what a passport records as the data that taught the network."""
        digest = hashlib.sha256()
        digest.update(self.inputs.contiguous().numpy().tobytes())
        digest.update(self.labels.contiguous().numpy().tobytes())
        return digest.hexdigest()

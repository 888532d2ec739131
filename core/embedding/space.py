"""A space: what a layer makes of samples, one row of numbers each, with what the samples are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.data import Samples
from core.errors import DataError
from core.inspection.subject import Subject
from core.networks.base import Network, as_input

MAX_SAMPLES = 70_000  # all of MNIST
BATCH = 500


@dataclass(frozen=True, eq=False)
class Space:
    """Samples as a layer sees them."""

    embeddings: np.ndarray  # (N, D) float32
    glyphs: np.ndarray  # (N, 28, 28) uint8
    labels: np.ndarray  # (N,) int64, indices into `classes`
    sets: np.ndarray  # (N,) int64, indices into `set_names`
    classes: tuple[str, ...]  # of all sets together
    set_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def embed_samples(
    subject: Subject,
    layer: str | None,
    sets: Sequence[Samples],
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Space:
    """The outputs of a layer (its `Layer.name`; None: the dense layer before the output) for all glyphs of the sets.

    Raises `DataError` where there are more than `MAX_SAMPLES`.
    """
    total = sum(map(len, sets))
    if total > MAX_SAMPLES:
        raise DataError(f"The sets hold {total:,} samples together; at most {MAX_SAMPLES:,} can be shown. Take fewer.")
    classes = tuple(dict.fromkeys(label for samples in sets for label in samples.classes))
    rows: list[np.ndarray] = []
    done = 0
    for samples in sets:
        for part in samples.images.split(BATCH):
            rows.append(_outputs(subject, layer, as_input(part)))
            done += len(part)
            tell(done, total)
    numbers = [np.array([classes.index(label) for label in samples.classes]) for samples in sets]
    return Space(
        np.concatenate(rows),
        np.concatenate([samples.images.numpy() for samples in sets]),
        np.concatenate([own[samples.labels.numpy()] for own, samples in zip(numbers, sets, strict=True)]),
        np.repeat(np.arange(len(sets)), [len(samples) for samples in sets]),
        classes,
        tuple(f"{samples.name} {samples.part}" for samples in sets),
    )


def _outputs(subject: Subject, layer: str | None, inputs: torch.Tensor) -> np.ndarray:
    """`(N, D) float32`."""
    assert isinstance(subject.module, Network)  # of the store, which has no other
    with torch.inference_mode():
        outputs = subject.module.embed(inputs) if layer is None else subject.activations(inputs, [layer])[layer]
    return outputs.flatten(1).numpy().astype(np.float32)

"""A space: what a layer makes of samples, one row of numbers each, with what the samples are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from core.data import Samples
from core.embedding.progress import Tell, quiet
from core.errors import DataError, NetworkError
from core.inspection.subject import Subject
from core.networks.base import Network, as_input

MAX_SAMPLES = 70_000  # all of MNIST
BATCH = 500
# A space of this size fits beside everything else on a small server. What is larger is reduced to its main axes, as
# van der Maaten does before t-SNE ("Accelerating t-SNE using tree-based algorithms", JMLR 15, 2014, section 5).
MAX_BYTES = 200_000_000
REDUCED = 50  # numbers left of each sample then
FIT_ON = 2_000  # samples that the axes are found on, drawn once


@dataclass(frozen=True, eq=False)
class Reduction:
    """The main axes that a large layer's numbers were reduced to; new samples go the same way."""

    mean: np.ndarray  # (D,) float32
    axes: np.ndarray  # (REDUCED, D) float32, orthonormal rows
    kept: float  # share of the variance of the samples that the axes were found on, in [0, 1]

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """`(N, D)` → `(N, REDUCED) float32`."""
        return ((rows - self.mean) @ self.axes.T).astype(np.float32)

    @property
    def of(self) -> int:
        """How many numbers the layer makes."""
        return len(self.mean)


@dataclass(frozen=True, eq=False)
class Space:
    """Samples as a layer sees them."""

    embeddings: np.ndarray  # (N, D) float32
    glyphs: np.ndarray  # (N, 28, 28) uint8
    labels: np.ndarray  # (N,) int64, indices into `classes`
    sets: np.ndarray  # (N,) int64, indices into `set_names`
    classes: tuple[str, ...]  # of all sets together
    set_names: tuple[str, ...]
    reduction: Reduction | None = None  # what made the embeddings of the layer's numbers; None: they are these numbers

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Hash of the embeddings: what a kept map belongs to."""
        return hashlib.sha256(repr(self.embeddings.shape).encode() + self.embeddings.tobytes()).hexdigest()


def embed_samples(subject: Subject, layer: str | None, sets: Sequence[Samples], tell: Tell = quiet) -> Space:
    """The outputs of a layer (its `Layer.name`; None: the dense layer before the output) for all glyphs of the sets.

    Where they would take more than `MAX_BYTES`, they are reduced to `REDUCED` main axes on the way. Raises `DataError`
    where there are more than `MAX_SAMPLES`, none, or rows of a table among them; `NetworkError` for an unknown layer.
    """
    total = sum(map(len, sets))
    if total > MAX_SAMPLES:
        raise DataError(f"The sets hold {total:,} samples together; at most {MAX_SAMPLES:,} can be shown. Take fewer.")
    if not total:
        raise DataError("The sets hold no samples; choose a set that has some.")
    if table := next((samples.name for samples in sets if samples.is_table), None):
        raise DataError(f"The samples of {table!r} are rows of a table, not glyphs; choose a set of glyphs.")
    images = torch.cat([samples.images for samples in sets])
    reduction = _reduction(subject, layer, images)
    classes = tuple(dict.fromkeys(label for samples in sets for label in samples.classes))
    numbers = [np.array([classes.index(label) for label in samples.classes]) for samples in sets]
    return Space(
        embed_glyphs(subject, layer, images, reduction, tell),
        images.numpy(),
        np.concatenate([own[samples.labels.numpy()] for own, samples in zip(numbers, sets, strict=True)]),
        np.repeat(np.arange(len(sets)), [len(samples) for samples in sets]),
        classes,
        _told_apart([f"{samples.name} {samples.part}".strip() for samples in sets]),
        reduction,
    )


def embed_glyphs(
    subject: Subject, layer: str | None, glyphs: torch.Tensor, reduction: Reduction | None = None, tell: Tell = quiet
) -> np.ndarray:
    """`(N, D) float32` for glyphs `(N, 28, 28)`, uint8 or float in [0, 1]; in batches, `tell(done, total)` after each.

    With the space's own `reduction` the rows stand in that space.
    """
    rows: list[np.ndarray] = []
    done = 0
    for part in glyphs.split(BATCH):
        outputs = _outputs(subject, layer, part)
        rows.append(outputs if reduction is None else reduction(outputs))
        done += len(part)
        tell(done, len(glyphs))
    return np.concatenate(rows)


def _outputs(subject: Subject, layer: str | None, glyphs: torch.Tensor) -> np.ndarray:
    """`(N, D) float32`."""
    if subject.takes != "glyphs" or not isinstance(subject.module, Network):
        raise NetworkError(f"The network {subject.name!r} takes {subject.takes}; choose one that reads glyphs.")
    inputs = as_input(glyphs).reshape(-1, 1, 28, 28)
    with torch.inference_mode():
        outputs = subject.module.embed(inputs) if layer is None else subject.activations(inputs, [layer])[layer]
    return outputs.flatten(1).numpy().astype(np.float32)


def _reduction(subject: Subject, layer: str | None, images: torch.Tensor) -> Reduction | None:
    """What makes the space fit into `MAX_BYTES`; None where it fits as it is."""
    width = _outputs(subject, layer, images[:1]).shape[1]
    if len(images) * width * 4 <= MAX_BYTES:
        return None
    from sklearn.decomposition import PCA

    fit_on = max(REDUCED, min(FIT_ON, MAX_BYTES // (width * 4)))
    drawn = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:fit_on]
    found = PCA(REDUCED, svd_solver="randomized", random_state=0).fit(embed_glyphs(subject, layer, images[drawn]))
    kept = float(found.explained_variance_ratio_.sum())
    return Reduction(found.mean_.astype(np.float32), found.components_.astype(np.float32), kept)


def _told_apart(names: list[str]) -> tuple[str, ...]:
    """The names, with (2), (3), … behind those that stood there before."""
    return tuple(f"{name} ({names[:i].count(name) + 1})" if name in names[:i] else name for i, name in enumerate(names))

"""The time machine: what a run's network saw and answered at each of its snapshots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from core.data import Samples
from core.errors import TrainingError
from core.networks.base import Network, as_input, build
from core.training.config import TrainingConfig

TESTED = 2000  # test samples a snapshot answers; the same for all
SHOWN = 500  # of them, those whose embedding is shown
BATCH = 100  # glyphs at once: what stays in the processor's cache is up to twice as fast
CHOICE_SEED = 1  # which ones, the same for every run, so that replays compare
FILTER_NUMBERS = 12_000  # weights of the first layer that a frame may carry; later filters are left out


class Snapshot(Protocol):
    """Weights on disk, as a run keeps them."""

    @property
    def step(self) -> int: ...
    @property
    def examples(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def file(self) -> Path: ...


class Replayable(Protocol):
    """What a replay asks of a run."""

    @property
    def name(self) -> str: ...
    @property
    def config(self) -> TrainingConfig: ...
    def snapshots(self) -> Sequence[Snapshot]: ...


@dataclass(frozen=True, eq=False)
class Frame:
    """One snapshot."""

    step: int  # optimizer steps before it; 0 is untrained
    examples: int
    epoch: int  # whole epochs before it
    filters: np.ndarray | None  # (K, h, w) kernels of the first convolution
    confusion: np.ndarray  # (C, C) counts: true × answered
    accuracy: float  # of the tested samples, in [0, 1]
    points: np.ndarray  # (M, 2) the shown samples' embedding on its two main axes, of unit spread
    explained: float  # share of the embedding's variance that the two axes hold
    probabilities: np.ndarray | None  # (C,) for the user's own glyph


@dataclass(frozen=True, eq=False)
class Replay:
    name: str
    classes: tuple[str, ...]
    frames: tuple[Frame, ...]
    tested: int  # samples behind each confusion
    labels: np.ndarray  # (M,) of the samples that are shown as points
    glyph: np.ndarray | None = None  # (28, 28) the user's own


def replay(
    run: Replayable,
    test: Samples,
    glyph: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Every snapshot of a run asked the same `TESTED` test samples, and the user's own `(28, 28)` glyph in [0, 1].

    Each snapshot's embedding is reduced to its two main axes (PCA), scaled to unit spread, and turned or mirrored
    onto the next later one's (orthogonal Procrustes), so that what moves from frame to frame is the network's doing.
    """
    snapshots = run.snapshots()
    if not snapshots:
        raise TrainingError(
            f"The run {run.name!r} has kept no snapshots, so there is nothing to replay; train it anew."
        )
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(CHOICE_SEED))
    chosen = test.take(order[:TESTED])
    own = (
        None if glyph is None or test.is_table else torch.from_numpy(np.array(glyph, np.float32)).reshape(1, 1, 28, 28)
    )
    network = build(run.config.spec(len(test.classes))).eval().to(memory_format=torch.channels_last)  # half the time
    frames: list[Frame] = []
    for done, snapshot in enumerate(snapshots, start=1):
        load_snapshot(network, snapshot.file)
        frames.append(_frame(network, snapshot, chosen, own))
        if progress is not None:
            progress(done, len(snapshots))
    return Replay(run.name, test.classes, _aligned(frames), len(chosen), chosen.labels[:SHOWN].numpy(), glyph)


def load_snapshot(network: Network, file: Path) -> None:
    """Gives the network the weights of a run's snapshot; raises `TrainingError` where they cannot be had."""
    try:
        network.load_state_dict(load_file(file))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"The snapshot {file} is missing, damaged or another network's ({reason}); remove it, or train anew."
        ) from error


def _frame(network: Network, snapshot: Snapshot, chosen: Samples, own: Tensor | None) -> Frame:
    inputs = as_input(chosen.inputs)
    if not chosen.is_table:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        answered = torch.cat([network.logits(part) for part in inputs.split(BATCH)]).argmax(1)
        embedding = torch.cat([network.embed(part) for part in inputs[:SHOWN].split(BATCH)]).flatten(1).double().numpy()
        probabilities = None if own is None else network.logits(own).softmax(1)[0].numpy()
    points, explained = _main_axes(embedding)
    labels = chosen.labels.numpy()
    return Frame(
        snapshot.step,
        snapshot.examples,
        snapshot.epoch,
        _first_filters(network),
        confusion_matrix(labels, answered.numpy(), labels=np.arange(len(chosen.classes))),
        float((answered == chosen.labels).float().mean()),
        points,
        explained,
        probabilities,
    )


def _first_filters(network: Network) -> np.ndarray | None:
    """`(K, h, w)`: the kernels of the first convolution, over the one input channel that glyphs have."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            kernels = module.weight.detach().numpy()[:, 0]
            return kernels[: max(1, FILTER_NUMBERS // kernels[0].size)].copy()
    return None


def _main_axes(embedding: np.ndarray) -> tuple[np.ndarray, float]:
    """`(M, D)` → `(M, 2)` of unit spread, and the share of variance it holds; nothing where all are the same."""
    points = np.zeros((len(embedding), 2))
    if not np.isfinite(embedding).all() or not (spread := embedding.std(axis=0)).any():
        return points, 0.0
    axes = min(2, *embedding.shape)
    pca = PCA(axes).fit(embedding / spread.max())  # by its largest, so that nothing over- or underflows
    points[:, :axes] = pca.transform(embedding / spread.max())
    return points / np.sqrt((points**2).sum(axis=1).mean()), float(pca.explained_variance_ratio_.sum())


def _aligned(frames: list[Frame]) -> tuple[Frame, ...]:
    """Each frame's points turned onto the next later one's; the last stay as they are."""
    aligned = frames[-1:]
    for frame in reversed(frames[:-1]):
        turn, _ = orthogonal_procrustes(frame.points, aligned[0].points)
        aligned.insert(0, Frame(**frame.__dict__ | {"points": frame.points @ turn}))
    return tuple(aligned)

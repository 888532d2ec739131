"""A head on the features of photographs: a hidden layer with dropout, taught in seconds, measured on what it never saw.

The course report that this follows put 256 units and dropout behind a frozen ResNet-152 and sent all pictures through
it in every epoch. Here an epoch reads features that are there already.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from core.errors import TrainingError
from core.work import Stop, Stopped

FOLDS = 5  # or as many as the rarest class has pictures
BATCH = 128  # pictures at most: as many as leave an epoch
STEPS = 8  # steps, but not fewer than
SMALLEST = 4
RATE = 1e-3  # Adam's usual
DECAY = 1e-4
MAX_UNITS, MAX_EPOCHS = 4096, 1000


@dataclass(frozen=True)
class HeadConfig:
    """How a head is built and taught; raises `TrainingError` for what cannot be."""

    units: int = 256  # as in the course report
    dropout: float = 0.4
    epochs: int = 30  # of milliseconds each
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.units <= MAX_UNITS:
            raise TrainingError(f"A head has 1 to {MAX_UNITS:,} units, not {self.units!r}.")
        if not 0 <= self.dropout < 1:
            raise TrainingError(f"The dropout is a share of at least 0 and below 1, not {self.dropout!r}.")
        if not 1 <= self.epochs <= MAX_EPOCHS:
            raise TrainingError(f"A head is taught 1 to {MAX_EPOCHS:,} epochs, not {self.epochs!r}.")
        if not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number of at least 0, not {self.seed!r}.")


class PhotoHead(nn.Module):
    """Features `(N, D)` → logits `(N, C)`; it brings the features' mean and spread to 0 and 1 first."""

    mean: Tensor
    spread: Tensor

    def __init__(self, features: int, classes: int, config: HeadConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.hidden = nn.Linear(features, config.units)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.units, classes)

    def forward(self, features: Tensor) -> Tensor:
        scaled = (features - self.mean) / self.spread  # (N, D)
        return self.output(self.dropout(F.relu(self.hidden(scaled))))

    def fit_scaling(self, features: Tensor) -> None:
        self.mean.copy_(features.mean(0))
        spread = features.std(0, correction=0)
        self.spread.copy_(torch.where(spread > 1e-6, spread, 1.0))  # what never changes tells nothing


@dataclass(frozen=True, eq=False)
class TaughtHead:
    """A head in eval mode, and how its training went."""

    head: PhotoHead
    losses: tuple[float, ...]  # of each epoch, nats per picture
    accuracies: tuple[float, ...]  # after each epoch, on what teaches: never to be shown alone
    seconds: float

    @property
    def first_perfect_epoch(self) -> int | None:
        return next((i for i, accuracy in enumerate(self.accuracies, 1) if accuracy == 1), None)


def teach_head(
    features: Tensor,
    labels: Tensor,
    classes: int,
    config: HeadConfig,
    stop: Stop = lambda: False,
    tell: Callable[[], None] = lambda: None,
) -> TaughtHead:
    """Teaches a head `(N, D) float32` features with `(N,) int64` labels; `tell()` after each epoch.

    The same on the same machine for the same seed. Raises `Stopped` when `stop()` says so.
    """
    started = time.perf_counter()
    losses, accuracies = [], []
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(config.seed)
        head = PhotoHead(features.shape[1], classes, config)
        head.fit_scaling(features)
        adam = torch.optim.Adam(head.parameters(), RATE, weight_decay=DECAY)
        for _ in range(config.epochs):
            if stop():
                raise Stopped
            losses.append(_epoch(head, adam, features, labels))
            accuracies.append((answers(head, features).argmax(1) == labels).float().mean().item())
            tell()
    return TaughtHead(head.eval(), tuple(losses), tuple(accuracies), time.perf_counter() - started)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The steps of so small a head are too short to be shared: threads would mostly wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _epoch(head: PhotoHead, adam: torch.optim.Adam, features: Tensor, labels: Tensor) -> float:
    head.train()
    total = 0.0
    for chosen in torch.randperm(len(labels)).split(max(SMALLEST, min(BATCH, len(labels) // STEPS))):
        loss = F.cross_entropy(head(features[chosen]), labels[chosen])
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.item() * len(chosen)
    return total / len(labels)


def answers(head: PhotoHead, features: Tensor) -> Tensor:
    """`(N, C)` logits, without dropout."""
    head.eval()
    with torch.no_grad():
        return head(features)


def folds_of(labels: Tensor, classes: int) -> int:
    """How many parts cross-validation takes; below 2 there can be none."""
    return min(FOLDS, int(torch.bincount(labels, minlength=classes).min()))


def cross_validate_head(
    features: Tensor,
    labels: Tensor,
    classes: int,
    config: HeadConfig,
    stop: Stop = lambda: False,
    tell: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """`(N, C)` logits, each picture's by a head that was taught without it (stratified folds).

    Scaling is fitted on what teaches alone. Raises `TrainingError` where a class has one picture only.
    """
    folds = folds_of(labels, classes)
    if folds < 2:
        raise TrainingError("Cross-validation needs at least two pictures of each class; add pictures.")
    logits = torch.zeros(len(labels), classes)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=config.seed % 2**32)
    for taught, held_out in splitter.split(labels, labels):
        own, others = torch.from_numpy(held_out), torch.from_numpy(taught)
        head = teach_head(features[others], labels[others], classes, config, stop, tell).head
        logits[own] = answers(head, features[own])
    return logits.numpy()

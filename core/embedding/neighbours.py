"""Neighbours: what stands next to a sample, how they vote, and how often they are right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.embedding.distances import SSD, distances
from core.errors import DataError

MOST_SAMPLES = 10_000  # whose neighbours are all looked for: 100 million distances, some seconds
CHUNK = 500  # samples at once: 40 MB of distances to 10,000 others


@dataclass(frozen=True, eq=False)
class Vote:
    """What the neighbours say together."""

    counts: np.ndarray  # (C,) votes
    winner: int  # of those with most votes the class of the nearest
    tied: bool


@dataclass(frozen=True, eq=False)
class ByK:
    """Every sample's answer by its neighbours among all others, for each number of neighbours."""

    ks: tuple[int, ...]
    answers: np.ndarray  # (K, N) int64
    labels: np.ndarray  # (N,)

    @property
    def right(self) -> np.ndarray:
        """`(K, N) bool`."""
        return self.answers == self.labels

    @property
    def accuracies(self) -> np.ndarray:
        """`(K,)` in [0, 1]."""
        return self.right.mean(1)


def nearest(
    row: np.ndarray, embeddings: np.ndarray, k: int, metric: str = SSD, itself: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest samples `(k,)`, the nearest first, and how far they are; without the sample itself."""
    away = distances(row[None], embeddings, metric)[0]
    if itself is not None:
        away[itself] = np.inf
    order = np.argsort(away, kind="stable")[: min(k, len(embeddings) - (itself is not None))]
    return order, away[order]


def vote(labels: np.ndarray, classes: int) -> Vote:
    """The majority of the neighbours' labels, the nearest first; of equally many the class of the nearest wins."""
    counts = np.bincount(labels, minlength=classes)
    tied = np.flatnonzero(counts == counts.max())
    winner = next(int(label) for label in labels if label in tied)
    return Vote(counts, winner, len(tied) > 1)


def accuracy_by_k(
    embeddings: np.ndarray,
    labels: np.ndarray,
    ks: Sequence[int],
    metric: str = SSD,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> ByK:
    """Cross-validated by leaving one out: each sample is answered by the k nearest of all others.

    That costs no more than a few folds would, for neighbours need no training. A `k` above the number of others counts
    them all. `tell(done, total)` comes after each chunk and may raise to stop. Raises `DataError` for a lone sample.
    """
    if len(labels) < 2:
        raise DataError(f"Neighbours need at least two samples; there is {len(labels)}. Choose more.")
    known = np.unique(labels)
    member = np.eye(len(known), dtype=np.int32)[np.searchsorted(known, labels)]  # (N, C)
    most = min(max(ks), len(labels) - 1)
    answers = np.empty((len(ks), len(labels)), np.int64)
    for start in range(0, len(labels), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(labels)))
        found = _nearest_of(rows, embeddings, most, metric)  # (R, most)
        for number, k in enumerate(ks):
            answers[number, rows] = known[_winners(member[found[:, :k]])]
        tell(int(rows[-1]) + 1, len(labels))
    return ByK(tuple(ks), answers, labels)


def _nearest_of(rows: np.ndarray, embeddings: np.ndarray, most: int, metric: str) -> np.ndarray:
    away = distances(embeddings[rows], embeddings, metric)
    away[np.arange(len(rows)), rows] = np.inf
    candidates = np.argpartition(away, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(away, candidates, 1), axis=1, kind="stable")
    return np.take_along_axis(candidates, order, 1)


def _winners(votes: np.ndarray) -> np.ndarray:
    """`(R, k, C)` one-hot votes, the nearest first → the class that `vote` would name, `(R,)`."""
    counts = votes.sum(1)  # (R, C)
    of_each = (votes * counts[:, None, :]).sum(2)  # (R, k): how many voted as this neighbour did
    best = of_each.argmax(1)  # the first, so the nearest, of those with most votes
    return votes[np.arange(len(votes)), best].argmax(1)

"""Distances in a space: of chosen samples to all others, within and between classes."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances
from sklearn.preprocessing import normalize

from core.errors import DataError


@dataclass(frozen=True)
class Metric:
    """How far apart two embeddings are said to be."""

    title: str
    short: str  # for columns and axes
    about: str


SSD, EUCLIDEAN, COSINE = "ssd", "euclidean", "cosine"
METRICS = {
    SSD: Metric(
        "Sum of squared differences",
        "SSD",
        "The differences of all numbers, squared and added up: the square of the Euclidean distance.",
    ),
    EUCLIDEAN: Metric("Euclidean", "distance", "As with a ruler: the root of the sum of squared differences."),
    COSINE: Metric(
        "Cosine",
        "cosine distance",
        "1 − the cosine of the angle between two embeddings: 0 in the same direction, 1 at a right angle. How large "
        "the numbers are does not count.",
    ),
}
EXACT = 64  # rows up to which differences are taken number by number; of more by products of matrices: rounded, quick
PAIRED = 1500  # samples of which all pairs are compared: 1,124,250 pairs, about a second


@dataclass(frozen=True, eq=False)
class Order:
    """Where the others stand as seen from one sample."""

    sample: int
    nearest_own: int | None  # the nearest other sample of its class; None where it is alone
    nearest_other: int | None  # the nearest of another class
    own: np.ndarray  # distances to the others of its class
    other: np.ndarray  # and to all of other classes

    @property
    def in_order(self) -> float | None:
        """How often one of its own class is nearer than one of another, ties counting half; in [0, 1]."""
        return _in_order(self.own, self.other)


@dataclass(frozen=True, eq=False)
class Separation:
    """All pairs of samples: those within a class, and those between two."""

    within: np.ndarray  # (W,) distances
    between: np.ndarray  # (B,)
    mean: np.ndarray  # (C, C) mean distance of a pair; NaN where there is none
    overlap: (
        float | None
    )  # how often a pair between classes is nearer than a pair within one, in [0, 0.5] if classes part
    samples: int


def distances(rows: np.ndarray, others: np.ndarray, metric: str = SSD) -> np.ndarray:
    """`(N, D)` and `(M, D)` → `(N, M) float64`. Raises `DataError` where numbers are not finite."""
    rows, others = (np.asarray(r, np.float64) for r in (rows, others))
    if not (np.isfinite(rows).all() and np.isfinite(others).all()):
        raise DataError("Some embeddings are not finite, so there are no distances; choose another layer or network.")
    if metric == COSINE:
        return cosine_distances(rows, others)
    if len(rows) <= EXACT:
        return cdist(rows, others, "sqeuclidean" if metric == SSD else "euclidean")
    return euclidean_distances(rows, others, squared=metric == SSD)


def most_central(embeddings: np.ndarray, labels: np.ndarray, metric: str = SSD) -> np.ndarray:
    """One sample of each class that is there, `(C',)`, ordered by class: its medoid.

    Of all its class it has the least sum of squared distances to the others. As Σⱼ|x − eⱼ|² = n|x − m|² + Σⱼ|eⱼ − m|²
    with the mean m, that is the one nearest to the mean; for the cosine, after all are brought to length 1.
    """
    rows = np.asarray(embeddings, np.float64)
    rows = normalize(rows) if metric == COSINE else rows
    found = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        found.append(own[((rows[own] - rows[own].mean(0)) ** 2).sum(1).argmin()])
    return np.array(found, np.int64)


def draw(labels: np.ndarray, most: int, seed: int = 0) -> np.ndarray:
    """At most so many samples, ascending: of each class the same share, and one at least while there is room."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    share = np.empty(len(labels))
    for label in np.unique(labels):
        own = labels[order] == label
        share[own] = np.arange(own.sum()) / own.sum()
    return np.sort(order[np.argsort(share, kind="stable")[:most]])


def orders(found: np.ndarray, chosen: np.ndarray, labels: np.ndarray) -> list[Order]:
    """What distances `(K, N)` of the chosen samples `(K,)` to all say; a sample is no neighbour of its own."""
    result = []
    for row, sample in zip(found, chosen.tolist(), strict=True):
        others = np.arange(len(labels)) != sample
        own = np.flatnonzero(others & (labels == labels[sample]))
        other = np.flatnonzero(labels != labels[sample])
        nearest = [int(part[row[part].argmin()]) if len(part) else None for part in (own, other)]
        result.append(Order(sample, nearest[0], nearest[1], row[own], row[other]))
    return result


def separate(embeddings: np.ndarray, labels: np.ndarray, classes: int, metric: str = SSD) -> Separation:
    """All pairs of these samples; take `draw`'s where there are more than `PAIRED`."""
    found = distances(embeddings, embeddings, metric)
    first, second = np.triu_indices(len(labels), 1)
    pairs, same = found[first, second], labels[first] == labels[second]
    within, between = pairs[same], pairs[~same]
    in_order = _in_order(within, between)
    return Separation(
        within, between, _class_means(found, labels, classes), None if in_order is None else 1 - in_order, len(labels)
    )


def _in_order(near: np.ndarray, far: np.ndarray) -> float | None:
    """The share of pairs in which the first is the smaller: the area under the ROC curve."""
    if not len(near) or not len(far):
        return None
    return float(roc_auc_score(np.repeat([0, 1], [len(near), len(far)]), np.concatenate([near, far])))


def _class_means(found: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The mean over all pairs of two different samples, `(C, C)`."""
    member = np.eye(classes)[labels]  # (N, C)
    counts = member.sum(0)
    pairs = np.outer(counts, counts) - np.diag(counts)
    sums = member.T @ found @ member - np.diag(member.T @ np.diag(found))  # without the distances to themselves
    return np.divide(sums, pairs, out=np.full_like(sums, np.nan), where=pairs > 0)

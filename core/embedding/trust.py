"""How far a map can be trusted: which samples lost their true neighbours on it, and a number for the whole of it."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from core.embedding.progress import Tell, quiet

NEIGHBOURS = 10  # true neighbours that are looked for on the map
# "Near" on the map is wider than that: a cloud that keeps together but changes its order within does not mislead.
# One sample in a hundred, within bounds (a heuristic).
NEAR_SHARE, NEAR_LEAST, NEAR_MOST = 0.01, 3 * NEIGHBOURS, 200
FLAGGED = 0.5  # a sample is flagged where less than half of its true neighbours are near on the map
ALL_ROWS = 3000  # up to here the whole map's numbers are exact; else they are estimated from
SAMPLED_ROWS = 1000  # so many samples, drawn once, each against all others
CHUNK = 100  # rows of distances at a time: 100 × 70,000 float64 are 56 MB
SEARCH_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Trust:
    """Where a map lies, and how much."""

    shares: np.ndarray  # (N,) float32 in [0, 1]: of a sample's true neighbours, the share that is near on the map
    neighbours: int  # how many true neighbours
    near: int  # so many nearest samples on the map count as near
    trustworthiness: float  # in [0, 1]: 1 where all that is near on the map is near in the space
    continuity: float  # in [0, 1]: 1 where all that is near in the space is near on the map
    rows: int  # samples that these two were found on

    @property
    def flagged(self) -> np.ndarray:
        """`(N,) bool`: most of the true neighbours are not near on the map."""
        return self.shares < FLAGGED


def nearest(embeddings: np.ndarray, k: int = NEIGHBOURS, tell: Tell = quiet) -> np.ndarray:
    """`(N, k) int32`: the k nearest other samples in the space by Euclidean distance, the nearest first.

    Exact. `k` is at most N - 1 and becomes so where there are fewer samples.
    """
    count = len(embeddings)
    k = min(k, count - 1)
    if k < 1:
        return np.zeros((count, 0), np.int32)
    search = NearestNeighbors(algorithm="brute", metric="euclidean").fit(embeddings)
    found = np.empty((count, k), np.int32)
    for start in range(0, count, SEARCH_CHUNK):
        rows = np.arange(start, min(start + SEARCH_CHUNK, count))
        _, others = search.kneighbors(embeddings[rows], k + 1)
        found[rows] = _without_self(others, rows)
        tell(len(rows) + start, count)
    return found


def _without_self(others: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`(R, k + 1)` → `(R, k)`: the sample itself taken out; the last one where equal samples pushed it away."""
    own = others == rows[:, None]
    own[~own.any(1), -1] = True
    return others[~own].reshape(len(rows), -1)


def trust(embeddings: np.ndarray, neighbours: np.ndarray, layout: np.ndarray, tell: Tell = quiet) -> Trust:
    """How far the map `layout`, `(N, 2 or 3)`, of the space can be trusted; `neighbours` are `nearest(embeddings)`."""
    near = min(len(layout) - 1, int(np.clip(NEAR_SHARE * len(layout), NEAR_LEAST, NEAR_MOST)))
    shares = _shares(neighbours, layout, near)
    steady, whole, rows = _whole_map(embeddings, layout, tell)
    return Trust(shares, neighbours.shape[1], near, steady, whole, rows)


def _shares(neighbours: np.ndarray, layout: np.ndarray, near: int) -> np.ndarray:
    """A true neighbour is near if it is no farther on the map than the near-th nearest sample there."""
    if not neighbours.shape[1]:
        return np.ones(len(layout), np.float32)
    places = layout.astype(np.float64)
    reach = np.empty(len(places))
    tree = cKDTree(places)
    for start in range(0, len(places), SEARCH_CHUNK):
        part = slice(start, start + SEARCH_CHUNK)
        reach[part] = tree.query(places[part], [near + 1])[0][:, 0]  # the sample itself is the first
    far = np.linalg.norm(places[neighbours] - places[:, None], axis=2)  # (N, k)
    return (far <= reach[:, None] * (1 + 1e-9)).mean(1).astype(np.float32)


def _whole_map(embeddings: np.ndarray, layout: np.ndarray, tell: Tell) -> tuple[float, float, int]:
    """Trustworthiness and continuity (Venna and Kaski, "Neighborhood preservation in nonlinear projection methods",
    ICANN 2001) for `NEIGHBOURS`, and on how many samples they were found.
    """
    count = len(layout)
    k = min(NEIGHBOURS, (count - 1) // 2)
    if k < 1:
        return 1.0, 1.0, count
    rows = np.arange(count)
    if count > ALL_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(count, SAMPLED_ROWS, replace=False))
    intruders = missing = 0
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        true = _distances(embeddings, part)
        shown = _distances(layout, part)
        intruders += _excess(shown, true, k)
        missing += _excess(true, shown, k)
        tell(start + len(part), len(rows))
    worst = len(rows) * k * (2 * count - 3 * k - 1) / 2
    return 1 - intruders / worst, 1 - missing / worst, len(rows)


def _distances(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`(R, N) float64`; a sample's distance to itself is -1, so that it always comes first."""
    found = cdist(points[rows].astype(np.float64), points.astype(np.float64))
    found[np.arange(len(rows)), rows] = -1
    return found


def _excess(chosen_by: np.ndarray, ranked_by: np.ndarray, k: int) -> int:
    """The sum, over the k nearest by the one, of how far their rank by the other exceeds k."""
    near = np.argpartition(chosen_by, k, axis=1)[:, : k + 1]  # with the sample itself, whose rank is 0
    total = 0
    for far in np.take_along_axis(ranked_by, near, axis=1).T:
        ranks = np.count_nonzero(ranked_by < far[:, None], axis=1)
        total += int(np.maximum(ranks - k, 0).sum())
    return total

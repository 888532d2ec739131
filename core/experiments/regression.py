"""Least squares with standard errors that hold for unequal spread and for observations that belong together."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Fit:
    values: np.ndarray  # (P,) coefficients
    errors: np.ndarray  # (P,) standard errors
    told: np.ndarray  # (P,) bool: whether the data can tell this coefficient from the others
    df: int  # degrees of freedom


def coefficients(design: np.ndarray, outcome: np.ndarray, groups: np.ndarray) -> Fit:
    """`(N, P)` design, `(N,)` outcome, `(N,)` labels of what belongs together; errors by the jackknife over groups.

    For groups of one that is HC3 (MacKinnon and White 1985), for larger ones CR3 (Bell and McCaffrey 2002).
    """
    inverse = np.linalg.pinv(design.T @ design)
    values = inverse @ design.T @ outcome
    left = outcome - design @ values
    _, number = np.unique(groups, return_inverse=True)
    order = np.argsort(number, kind="stable")
    sizes = np.bincount(number)
    leverage = np.einsum("np,pq,nq->n", design, inverse, design)
    free = 1 - leverage > 1e-10  # one that alone decides a coefficient leaves nothing to judge it by
    alone = design * np.divide(left, 1 - leverage, out=np.zeros_like(left), where=free)[:, None]  # (N, P)
    scores = np.empty((len(sizes), design.shape[1]))  # (G, P)
    starts = np.cumsum(sizes) - sizes
    scores[sizes == 1] = alone[order[starts[sizes == 1]]]
    for group in np.flatnonzero(sizes > 1):
        rows = order[starts[group] : starts[group] + sizes[group]]
        part = design[rows]
        without = np.eye(len(rows)) - part @ inverse @ part.T
        scores[group] = part.T @ np.linalg.pinv(without, rcond=1e-10) @ left[rows]
    spread = inverse @ scores.T @ scores @ inverse
    told = np.isclose(inverse @ design.T @ design, np.eye(design.shape[1]), atol=1e-8).all(axis=1)
    rank = int(np.linalg.matrix_rank(design))
    return Fit(values, np.sqrt(np.diag(spread).clip(0)), told, len(sizes) - rank)

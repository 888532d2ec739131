"""A layer's filters: which are dead, and which say the same."""

import numpy as np
from torch import nn

DEAD = 1e-3  # a filter is dead whose largest absolute weight is below this share of the layer's median norm
SAME = 0.98  # cosine from which two filters count as near-duplicates: 11.5° between them


def dead_filters(conv: nn.Conv2d) -> tuple[int, ...]:
    """Numbers from 0 of the filters that answer nothing, by their weights alone.

    The largest absolute weight is below `DEAD` of the median norm of the layer's filters that are not all zero. What a
    dead filter makes is its bias, the same everywhere. A heuristic: a filter with large weights can still be silenced
    by its bias and the activation, which only samples show.
    """
    weights = flat_weights(conv)
    norms = np.linalg.norm(weights, axis=1)
    typical = float(np.median(norms[norms > 0])) if (norms > 0).any() else 0.0
    largest = np.abs(weights).max(1)
    return tuple(np.flatnonzero((largest == 0) | (largest < DEAD * typical)).tolist())


def duplicate_filters(conv: nn.Conv2d, cosine: float = SAME) -> tuple[tuple[int, int], ...]:
    """Pairs (kept, duplicate) of filters, numbered from 0, that look for the same.

    Their weights point the same way, and so do their weights with the bias as one weight more (a fixed input of 1): the
    cosine of both is at least `cosine`. So one output is the other times a positive number, about, and stays it
    through ReLU and max-pooling; the length does not count. Each duplicate stands beside the first filter that it is
    like and that is itself no duplicate; dead filters are left out.
    """
    weights = flat_weights(conv)
    dead = set(dead_filters(conv))
    alike = cosines(weights)
    if conv.bias is not None:
        bias = conv.bias.detach().double().numpy()[:, None]
        alike = np.minimum(alike, cosines(np.hstack([weights, bias])))
    pairs: list[tuple[int, int]] = []
    kept: list[int] = []
    for i in range(len(weights)):
        if i in dead:
            continue
        like = next((k for k in kept if alike[k, i] >= cosine), None)
        if like is None:
            kept.append(i)
        else:
            pairs.append((like, i))
    return tuple(pairs)


def flat_weights(layer: nn.Conv2d | nn.Linear) -> np.ndarray:
    """Each filter's weights as one row, `(K, weights) float64`."""
    return layer.weight.detach().double().numpy().reshape(len(layer.weight), -1)


def cosines(rows: np.ndarray) -> np.ndarray:
    """`(K, n)` → `(K, K)` cosines of the angles between rows, in [-1, 1]; 0 where a row is all zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.zeros_like(rows, dtype=float), where=lengths > 0)
    return np.clip(unit @ unit.T, -1, 1)

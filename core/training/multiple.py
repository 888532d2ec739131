"""Many comparisons at once: how often chance alone may make one of them look decided. Needs no torch."""

from collections.abc import Sequence

import numpy as np

LEVEL = 0.05  # how often "better" may be said, over all comparisons together, where there is no difference


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm 1979): any of them below a level holds at that level overall."""
    p = np.asarray(p_values, float)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1)
    return corrected.tolist()

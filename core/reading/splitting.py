"""Two symbols that touch: where a wide segment may be cut in two, for a recognizer to verify.

A heuristic: upright cuts, evenly spaced over the middle. They are proposals only: one counts when the network refuses
the whole and accepts both parts clearly. Of 106 drawn pairs of touching real digits that were refused whole, 99 are
cut and 93 read rightly; of 304 single real digits and 118 refused KMNIST characters none is cut.
"""

from dataclasses import replace

import numpy as np

from core.reading.glyph import normalise
from core.reading.types import Segment

WIDE = 0.8  # width over height from which two symbols may stand side by side
CUTS = np.linspace(0.26, 0.74, 9)  # shares of the width
VISIBLE = 0.2  # ink that counts for the edges of a part


def cuts(segment: Segment) -> list[tuple[Segment, Segment]]:
    """The pairs of segments, left and right, that a wide segment may be."""
    if segment.ink is None or segment.ink.shape[1] < WIDE * segment.ink.shape[0]:
        return []
    width = segment.ink.shape[1]
    halves = [(part(segment, 0, column), part(segment, column, width)) for column in (CUTS * width).astype(int)]
    return [(left, right) for left, right in halves if left and right]


def part(segment: Segment, start: int, stop: int) -> Segment | None:
    """The columns `start` to `stop` of a segment, trimmed to their ink; None when there is none."""
    assert segment.ink is not None
    rows, columns = np.nonzero(segment.ink[:, start:stop] > VISIBLE)
    if len(rows) == 0:
        return None
    top, bottom, left, right = rows.min(), rows.max() + 1, start + columns.min(), start + columns.max() + 1
    ink = np.ascontiguousarray(segment.ink[top:bottom, left:right])
    x, y, w, h = segment.box
    across, down = w / segment.ink.shape[1], h / segment.ink.shape[0]
    size = max(1, round(ink.shape[1] * across)), max(1, round(ink.shape[0] * down))
    box = (min(x + int(left * across), x + w - size[0]), min(y + int(top * down), y + h - size[1]), *size)
    return replace(segment, box=box, ink=ink, glyph=normalise(ink, segment.stroke))

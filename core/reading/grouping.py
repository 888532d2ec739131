"""Pieces → symbols: strokes of one symbol that do not touch are joined, neighbours stay apart.

All of it is heuristic, in units of what the picture shows: the height of its symbols and the width of its strokes.
"""

from collections.abc import Sequence

import numpy as np

from core.reading.pieces import Piece
from core.reading.types import Box

FRAGMENT = 0.6  # a piece smaller than this share of its neighbour may be a part of it (a flag, a dot, a bar)
SIDE_FRAGMENT = 0.45  # the same where it stands beside its neighbour, as other symbols do
REACH = 0.16  # a fragment belongs to the symbol within this share of the symbol's longest side ...
STROKES = 2.0  # ... or within so many stroke widths
STACKED_REACH = 0.25  # the same for a fragment above or below the symbol
BAR_REACH = 0.4  # the same for a bar above or below it: the flag of a 5, the roof of a pi
ALIKE = 0.4  # pieces of one symbol are at least this much alike in contrast
INSIDE_REACH = 0.45  # a fragment wholly inside a symbol's box (the bar of a theta) may stand further from its strokes
ENTWINED = 0.35  # pieces of any size whose boxes share this much of the smaller one, a stroke width apart
TOUCH = 0.35  # pieces of any size this share of a stroke apart touch but for a hair, if their boxes overlap at all
MOST_POINTS = 160  # outline points compared


def group(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of each symbol; every piece is in exactly one group."""
    order = sorted(range(len(pieces)), key=lambda i: pieces[i].longest)
    leader = list(range(len(pieces)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for at, i in enumerate(order):
        near = [(distance_if_joined(pieces[i], pieces[j]), j) for j in order[at + 1 :]]
        reached = [(d, j) for d, j in near if d is not None]
        if reached:
            leader[find(i)] = find(min(reached)[1])  # to its nearest only: a fragment has one symbol
    groups: dict[int, list[Piece]] = {}
    for i, piece in enumerate(pieces):
        groups.setdefault(find(i), []).append(piece)
    return list(groups.values())


def distance_if_joined(small: Piece, large: Piece) -> float | None:
    """The distance in px between two pieces of one symbol; None when they are two symbols."""
    if min(small.peak, large.peak) < ALIKE * max(small.peak, large.peak):
        return None
    gap = box_gap(small.box, large.box)
    stroke = max(small.stroke, large.stroke)
    shared = shared_part(small.box, large.box)
    stacked = beside(small.box, large.box)
    fragment = small.longest <= (FRAGMENT if stacked > 0.15 else SIDE_FRAGMENT) * large.longest
    reach = 0.0
    if fragment:
        share = REACH if stacked < 0.6 else BAR_REACH if small.is_straight else STACKED_REACH
        reach = max(share * large.longest, STROKES * stroke)
        if shared > 0.9:
            reach = INSIDE_REACH * large.longest
    elif stacked > 0.1:
        reach = TOUCH * stroke
    if shared > ENTWINED or stacked > 0.5:
        reach = max(reach, (3.0 if small.parent == large.parent else 1.2) * stroke)
    if gap >= reach:
        return None
    apart = outline_distance(small.outline, large.outline)
    return apart if apart < reach else None


def box_gap(a: Box, b: Box) -> float:
    """The distance in px between two boxes, 0 where they overlap."""
    across = max(a[0] - b[0] - b[2], b[0] - a[0] - a[2], 0)
    down = max(a[1] - b[1] - b[3], b[1] - a[1] - a[3], 0)
    return float(np.hypot(across, down))


def shared_part(a: Box, b: Box) -> float:
    """The share of the smaller box that lies in the other one."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(across, 0) * max(down, 0) / min(a[2] * a[3], b[2] * b[3])


def beside(a: Box, b: Box) -> float:
    """The share of box a's width that box b covers, at whatever height."""
    return (min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])) / a[2]


def outline_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The distance in px between two outlines `(n, 2)`, thinned out to `MOST_POINTS` each."""
    a, b = (points[:: max(1, len(points) // MOST_POINTS)].astype(np.float32) for points in (a, b))
    return float(np.sqrt(((a[:, None] - b[None]) ** 2).sum(2).min()))

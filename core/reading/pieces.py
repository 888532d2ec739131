"""Ink contrast → pieces: connected ink, each cut at half of its own strength."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.reading.ink import histogram
from core.reading.types import Box

MOST = 250  # outlines looked at in one picture, the longest first: noise stays cheap
OWN_LEVEL = 0.45  # a piece ends where its contrast falls below this share of its own peak
PEAK_QUANTILE = 0.95
SPANNING = 0.6  # a piece this large (share of the picture's side) may be a grid with ink in it: cut it at its maximum


@dataclass(frozen=True, eq=False)
class Piece:
    """Connected ink: part of a symbol, a symbol, several that touch, or no symbol at all."""

    box: Box
    mask: np.ndarray  # (h, w) uint8, 255 where ink
    outline: np.ndarray  # (n, 2) int32, x and y in the picture
    area: int
    stroke: float  # mean stroke width in px: twice the area over the length of all edges
    peak: int  # contrast, 0..255
    parent: int  # pieces with the same number are connected by fainter ink

    @property
    def longest(self) -> int:
        return max(self.box[2], self.box[3])

    @property
    def is_blob(self) -> bool:
        """As thick as it is long: no stroke."""
        return self.stroke > 0.4 * self.longest

    @property
    def is_straight(self) -> bool:
        """A bar: its narrowest box, upright or slanting, is little broader than its stroke."""
        if self.area > 2 * self.stroke * self.longest:
            return False
        return min(cv2.minAreaRect(self.outline)[1]) < max(2.5 * self.stroke, 0.08 * self.longest)


def find_pieces(contrast: np.ndarray, floor: int, shortest: float, cut_again: bool = True) -> list[Piece]:
    """Connected ink above `floor` whose longest side is `shortest` px or more."""
    pieces: list[Piece] = []
    mask = cv2.threshold(contrast, floor - 1, 255, cv2.THRESH_BINARY)[1]
    for number, (box, inside, outline, edges) in enumerate(connected(mask, shortest)):
        x, y, w, h = box
        crop = contrast[y : y + h, x : x + w]
        peak = peak_of(crop, inside, spans(box, contrast.shape))
        level = int(OWN_LEVEL * peak)
        if len(pieces) > MOST:
            break
        if not cut_again or level <= floor:
            pieces.append(make_piece(box, inside, outline, edges, peak, number))
            continue
        strong = cv2.bitwise_and(cv2.threshold(crop, level, 255, cv2.THRESH_BINARY)[1], inside)
        for (px, py, pw, ph), part, line, length in connected(strong, shortest):
            own = peak_of(crop[py : py + ph, px : px + pw], part, False)
            pieces.append(make_piece((x + px, y + py, pw, ph), part, line + (x, y), length, own, number))
    return pieces


def spans(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box reaches far across the picture, so that it may be a grid's."""
    return box[2] > SPANNING * shape[1] or box[3] > SPANNING * shape[0]


def make_piece(box: Box, mask: np.ndarray, outline: np.ndarray, edges: float, peak: int, parent: int) -> Piece:
    area = cv2.countNonZero(mask)
    return Piece(box, mask, outline, area, 2 * area / max(edges, 1.0), peak, parent)


def peak_of(contrast: np.ndarray, mask: np.ndarray, highest: bool) -> int:
    """The contrast that the strongest part of the ink reaches (of all its ink, or anywhere at all)."""
    counts = np.cumsum(histogram(contrast, mask))
    quantile = max(PEAK_QUANTILE, 1 - 20 / counts[-1]) if highest else PEAK_QUANTILE
    return int(np.searchsorted(counts, quantile * counts[-1]))


def connected(mask: np.ndarray, shortest: float) -> list[tuple[Box, np.ndarray, np.ndarray, float]]:
    """Each connected part of a mask as (box, its own mask, outline, length of its edges)."""
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    long = [i for i, outline in enumerate(outlines) if len(outline) >= shortest]
    if len(long) > MOST:
        long = sorted(long, key=lambda i: -len(outlines[i]))[:MOST]
    edges_of: dict[int, list[np.ndarray]] = {i: [outlines[i]] for i in long if tree[0, i, 3] < 0}
    for i in long:
        if (around := int(tree[0, i, 3])) in edges_of:
            edges_of[around].append(outlines[i])  # a hole's edge
    found = []
    for edges in edges_of.values():
        x, y, w, h = cv2.boundingRect(edges[0])
        if max(w, h) < shortest:
            continue
        own = np.zeros((h, w), np.uint8)
        cv2.drawContours(own, edges, -1, 255, cv2.FILLED, offset=(-x, -y))
        cv2.bitwise_and(own, mask[y : y + h, x : x + w], own)  # the outlines of holes run on ink
        found.append(((x, y, w, h), own, edges[0][:, 0], sum(cv2.arcLength(edge, True) for edge in edges)))
    return found

"""A drawing's pen strokes: drawn again without one of them, or with one alone, and what a network then answers.

The strokes are Fabric.js' path objects, as the canvas gives them: `{"type": "Path", "path": [["M", x, y],
["Q", x1, y1, x, y], ["L", x, y]], "strokeWidth": 18, …}` in pixels of the canvas, with round caps and joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import torch

from core.errors import PictureError
from core.inspection.subject import Subject
from core.reading import segment

CURVE_POINTS = 8  # of each quadratic curve; the canvas makes one for every move of the pen, a few pixels long
SHIFT = 4  # cv2 draws with fractions of 1/16 pixel
MARGIN = 40  # pixels of paper around the drawing
LARGEST = 4000  # pixels: a coordinate beyond it is none of a canvas
PIECES = 5  # that a single stroke is cut into: few enough that each is worth a look (a heuristic)
INK, PAPER = 24, 255
ENDS = {"M": 2, "L": 2, "Q": 4, "C": 6}  # command of a path → how many numbers follow it


@dataclass(frozen=True, eq=False)
class Stroke:
    """The line that the pen went, and how wide it is."""

    points: np.ndarray  # (P, 2) float64, x and y in pixels of the canvas; one point is a dot
    width: float  # pixels

    @cached_property
    def length(self) -> float:
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says to a part of a drawing; None everywhere where nothing is left to read."""

    picture: np.ndarray  # (H, W) uint8: dark ink on white paper
    glyph: np.ndarray | None  # (28, 28) float32 in [0, 1], as the network gets it
    probabilities: np.ndarray | None  # (C,)

    @property
    def best(self) -> int | None:
        return None if self.probabilities is None else int(self.probabilities.argmax())


@dataclass(frozen=True, eq=False)
class Part:
    """One stroke, or one piece of the only one: the drawing without it, and it alone."""

    strokes: tuple[Stroke, ...]
    others: tuple[Stroke, ...]
    without: Answer
    alone: Answer


@dataclass(frozen=True, eq=False)
class Dissection:
    """A drawing, stroke by stroke."""

    whole: Answer
    parts: tuple[Part, ...]
    pieces: bool  # whether the parts are pieces of a single stroke

    def loss(self, part: Part) -> float:
        """By how much the whole drawing's answer becomes less probable without the part; all, if no ink is left."""
        assert self.whole.probabilities is not None
        assert self.whole.best is not None
        before = float(self.whole.probabilities[self.whole.best])
        after = part.without.probabilities
        return before - (float(after[self.whole.best]) if after is not None else 0.0)

    @property
    def most_important(self) -> int:
        """Position of the part that costs most."""
        return int(np.argmax([self.loss(part) for part in self.parts]))


def read_strokes(objects: Sequence[Any]) -> tuple[Stroke, ...]:
    """The strokes of a canvas; what is no path with numbers in it is left out."""
    return tuple(stroke for stroke in map(_read, objects) if stroke is not None)


def strokes_within(objects: Sequence[Any], boxes: Sequence[tuple[int, int, int, int]], chosen: int) -> tuple[Any, ...]:
    """Of a drawing of several symbols the objects that belong to the chosen one: most of their line is in its box.

    `boxes` are `(x, y, w, h)` in pixels of the canvas. Most of a line, since boxes of neighbours overlap.
    """
    return tuple(record for record in objects if (stroke := _read(record)) and _home(stroke, boxes) == chosen)


def _home(stroke: Stroke, boxes: Sequence[tuple[int, int, int, int]]) -> int:
    x, y = stroke.points.T
    inside = [np.count_nonzero((x >= bx) & (x <= bx + w) & (y >= by) & (y <= by + h)) for bx, by, w, h in boxes]
    return int(np.argmax(inside)) if any(inside) else -1


def _read(record: Any) -> Stroke | None:
    if not isinstance(record, dict) or str(record.get("type", "")).lower() != "path":
        return None
    points = _points(record.get("path"))
    width = _number(record.get("strokeWidth"))
    if points is None or width is None or not 0 < width <= LARGEST:
        return None
    return Stroke(points, width)


def _points(path: Any) -> np.ndarray | None:
    """`(P, 2)`: the path's lines and curves as points close to each other."""
    if not isinstance(path, list | tuple):
        return None
    points: list[np.ndarray] = []
    for step in path:
        if not isinstance(step, list | tuple) or not step or step[0] not in ENDS or len(step) != ENDS[step[0]] + 1:
            return None
        numbers = [_number(value) for value in step[1:]]
        if any(number is None or abs(number) > LARGEST for number in numbers):
            return None
        corners = np.array(numbers, float).reshape(-1, 2)
        if step[0] in ("M", "L"):
            points.append(corners[0])
        elif points:
            points.extend(_curve(np.vstack([points[-1], corners])))
        else:
            return None
    return np.array(points) if points else None


def _number(value: Any) -> float | None:
    """The number that it is; None for what is none, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return None
    return float(value)


def _curve(corners: np.ndarray) -> list[np.ndarray]:
    """Points on the Bézier curve of `(K, 2)` corners after its first (de Casteljau)."""
    found = []
    for t in np.linspace(0, 1, CURVE_POINTS + 1)[1:]:
        between = corners
        while len(between) > 1:
            between = between[:-1] * (1 - t) + between[1:] * t
        found.append(between[0])
    return found


def draw_strokes(strokes: Sequence[Stroke], size_wh: tuple[int, int]) -> np.ndarray:
    """`(H, W) uint8`: dark strokes on white paper, round at joints and ends, with soft edges, as on the canvas."""
    picture = np.full(size_wh[::-1], PAPER, np.uint8)
    for stroke in strokes:
        _pen(picture, stroke)
    return picture


def _pen(picture: np.ndarray, stroke: Stroke, fine: int = 4) -> None:
    """Averages a four times finer drawing of the stroke into the picture: cv2's lines have whole widths only."""
    reach = stroke.width / 2 + 1
    low = np.maximum(np.floor(stroke.points.min(0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(stroke.points.max(0) + reach), picture.shape[::-1]).astype(int)
    if (high <= low).any():
        return
    width, height = high - low
    mask = np.zeros((height * fine, width * fine), np.uint8)
    points = np.rint(((stroke.points - low) * fine - 0.5) * 2**SHIFT).astype(np.int32)
    thick = max(1, round(stroke.width * fine))
    cv2.polylines(mask, [points.reshape(-1, 1, 2)], False, 255, thick, cv2.LINE_8, SHIFT)
    for point in points[[0, -1]]:
        cv2.circle(mask, point.tolist(), round(thick / 2 * 2**SHIFT), 255, cv2.FILLED, cv2.LINE_8, SHIFT)
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    part = picture[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(part * (1 - share) + INK * share).astype(np.uint8)


def dissect(subject: Subject, strokes: Sequence[Stroke]) -> Dissection:
    """What the network answers to the drawing without each stroke, and to each alone; a single one is cut in pieces.

    Raises `PictureError` where there is no stroke, or nothing that can be read.
    """
    if not strokes:
        raise PictureError("The drawing has no strokes that could be taken away; draw a symbol on the canvas.")
    pieces = len(strokes) == 1
    parts = cut(strokes[0]) if pieces else tuple(strokes)
    parts, size = _on_a_sheet(parts)
    left_out = [tuple(other for other in parts if other is not part) for part in parts]
    drawings = [parts, *left_out, *((part,) for part in parts)]
    whole, *answers = read_drawings(subject, [draw_strokes(drawing, size) for drawing in drawings])
    if whole.best is None:
        raise PictureError("Nothing can be read in the drawing; draw a symbol large on the canvas.")
    count = len(parts)
    return Dissection(
        whole,
        tuple(
            Part((part,), rest, without, alone)
            for part, rest, without, alone in zip(parts, left_out, answers[:count], answers[count:], strict=True)
        ),
        pieces,
    )


def cut(stroke: Stroke, count: int = PIECES) -> tuple[Stroke, ...]:
    """The stroke in `count` pieces of equal length, in the pen's order; a dot stays whole."""
    steps = np.hypot(*np.diff(stroke.points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < stroke.width:
        return (stroke,)
    bounds = np.linspace(0, along[-1], count + 1)

    def at(distances: np.ndarray) -> np.ndarray:
        return np.column_stack([np.interp(distances, along, stroke.points[:, axis]) for axis in (0, 1)])

    return tuple(
        Stroke(at(np.concatenate([[a], along[(along > a) & (along < b)], [b]])), stroke.width)
        for a, b in pairwise(bounds)
    )


def _on_a_sheet(strokes: Sequence[Stroke]) -> tuple[tuple[Stroke, ...], tuple[int, int]]:
    """The strokes moved so that `MARGIN` pixels of paper lie around them all, and that sheet's size."""
    reach = max(stroke.width for stroke in strokes) / 2 + MARGIN
    points = np.vstack([stroke.points for stroke in strokes])
    corner = np.floor(points.min(0) - reach)
    size = np.ceil(points.max(0) + reach) - corner
    moved = tuple(Stroke(stroke.points - corner, stroke.width) for stroke in strokes)
    return moved, (int(size[0]), int(size[1]))


def read_drawings(subject: Subject, pictures: Sequence[np.ndarray]) -> list[Answer]:
    """What the network answers to each `(H, W) uint8` picture, segmented and normalised as any picture is.

    A drawing of several symbols, as a part of one may become, counts as its largest.
    """
    glyphs = [_largest_glyph(picture) for picture in pictures]
    there = [glyph for glyph in glyphs if glyph is not None]
    if not there:
        return [Answer(picture, None, None) for picture in pictures]
    answers = iter(subject.probabilities(torch.from_numpy(np.stack(there))[:, None]))
    return [
        Answer(picture, glyph, None if glyph is None else next(answers))
        for picture, glyph in zip(pictures, glyphs, strict=True)
    ]


def _largest_glyph(picture: np.ndarray) -> np.ndarray | None:
    found = [s.glyph for s in segment(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)).segments if s.reason is None]
    return max(found, key=lambda glyph: float(glyph.sum()), default=None)

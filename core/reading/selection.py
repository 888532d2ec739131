"""Which pieces can be writing at all, and which symbols are kept, refused with a reason, or dropped as dirt.

All of it is heuristic. What nobody would call a symbol is dropped silently; what somebody may have meant as one is
refused with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.reading.pieces import Piece
from core.reading.types import Box

TOO_SMALL, TOO_FAINT, CUT_OFF = "too small", "too faint", "cut off at the edge"

MARGIN = 0.002  # share of the shortest side: what comes this close to the frame touches it
CONTACT = 0.5  # a piece that runs along the frame for this share of its length is table, shadow or border
LINE = 0.5  # a straight piece from the frame inwards this long (share of the picture's side) is a ruled line, an edge
SIZABLE = 0.2  # pieces with this share of the largest one's area show how strong and broad the picture's ink is
FAINT = 0.33  # ink weaker than this share of the strongest shines through from the page's back, or is the paper's print
WEAK, FINE = 0.6, 0.4  # shares of the ink's strength and width: what is below both, or straight and below one, is none
WOUND = 1.5  # times the box's longest side: strokes that are longer turn back on themselves
DIRT = 0.3  # symbols smaller than this share of the picture's symbols are dirt
WHOLE, PART = 0.75, 0.42  # a symbol that leaves the frame, below these shares of the others' length or area, is cut off
CLEAR = 1.3  # times the contrast that noise reaches: what is weaker cannot be told from it


@dataclass(frozen=True, eq=False)
class Symbol:
    """The pieces of one symbol, with the box around them, in px of the working picture."""

    pieces: Sequence[Piece]
    box: Box

    @property
    def longest(self) -> int:
        return max(self.box[2], self.box[3])

    @property
    def stroke(self) -> float:
        """Mean stroke width in px."""
        return sum(p.area for p in self.pieces) / sum(p.area / p.stroke for p in self.pieces)

    @property
    def peak(self) -> int:
        return max(piece.peak for piece in self.pieces)


Choice = tuple[Symbol, str | None]


def writing(pieces: Sequence[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """The pieces that can be strokes: no table, no page border, no ruled line, nothing much fainter than the ink."""
    sides = {id(p): contact(p.box, p.outline, shape) for p in pieces}
    pieces = [p for p in pieces if not is_border(p, sides[id(p)]) and not is_line(p, sides[id(p)], shape)]
    free = max((p.longest for p in pieces if not any(sides[id(p)])), default=0)
    if free > SIZABLE * min(shape[:2]):
        pieces = [p for p in pieces if sum(side > 0 for side in sides[id(p)]) < 2]  # a table around the sheet
    if not pieces:
        return []
    most = max(p.area for p in pieces)
    large = [p for p in pieces if p.area > SIZABLE * most]
    peak, stroke = max(p.peak for p in large), max(p.stroke for p in large)
    return [p for p in pieces if p.peak > FAINT * peak and not is_scratch(p, peak, stroke)]


def contact(box: Box, outline: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """How many px of the picture's frame a piece covers on the left, right, top and bottom."""
    margin = 1 + int(MARGIN * min(shape[:2]))
    x, y, w, h = box
    right, bottom = shape[1] - margin, shape[0] - margin
    return (
        len(np.unique(outline[outline[:, 0] < margin, 1])) if x < margin else 0,
        len(np.unique(outline[outline[:, 0] >= right, 1])) if x + w > right else 0,
        len(np.unique(outline[outline[:, 1] < margin, 0])) if y < margin else 0,
        len(np.unique(outline[outline[:, 1] >= bottom, 0])) if y + h > bottom else 0,
    )


def is_border(piece: Piece, sides: tuple[int, ...]) -> bool:
    """It runs along the frame rather than crossing it."""
    return max(sides) > max(CONTACT * piece.longest, 2 * piece.stroke)


def is_line(piece: Piece, sides: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Straight, thin, from the frame far into the picture."""
    length = shape[1] if piece.box[2] > piece.box[3] else shape[0]
    return max(sides) > 0 and piece.longest > LINE * length and piece.is_straight


def is_scratch(piece: Piece, peak: int, stroke: float) -> bool:
    """A crease, a rule, a paper's edge: weaker and much finer than the picture's ink, or one of these and straight.

    What is wound is none, however thin its pen: a crease is hardly longer than its box.
    """
    weak, fine = piece.peak < WEAK * peak, piece.stroke < FINE * stroke
    is_wound = piece.area > WOUND * piece.stroke * piece.longest
    return (weak and fine and not is_wound) or ((weak or fine) and piece.is_straight and not piece.is_blob)


def select(symbols: Sequence[Symbol], shape: tuple[int, ...], smallest: float, floor: int) -> list[Choice]:
    """The symbols that are shown, each with None or the reason why it is refused; `smallest` in px."""
    symbols = [s for s in symbols if not all(p.is_blob for p in s.pieces)]
    touching = {id(s): touched(s, shape) for s in symbols}
    whole = [s for s in symbols if not any(touching[id(s)])] or symbols
    if not whole:
        return []
    largest = max(s.longest for s in whole)
    typical = [s for s in whole if s.longest > DIRT * largest]
    width, height = (float(np.median([s.box[axis] for s in typical])) for axis in (2, 3))
    chosen: list[Choice] = []
    for symbol in symbols:
        across, down = touching[id(symbol)]
        if symbol.longest < DIRT * max(width, height):
            continue
        if (across or down) and is_part(symbol, width, height):
            chosen.append((symbol, CUT_OFF))
        elif symbol.longest < smallest:
            chosen.append((symbol, TOO_SMALL))
        else:
            chosen.append((symbol, TOO_FAINT if symbol.peak < CLEAR * floor else None))
    return chosen


def is_part(symbol: Symbol, width: float, height: float) -> bool:
    """Clearly smaller than the whole symbols, which are `width` × `height` px."""
    return symbol.longest < WHOLE * max(width, height) or symbol.box[2] * symbol.box[3] < PART * width * height


def touched(symbol: Symbol, shape: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether a symbol touches the frame's left or right side, and its top or bottom."""
    sides = [contact(p.box, p.outline, shape) for p in symbol.pieces]
    return any(left or right for left, right, _, _ in sides), any(top or bottom for _, _, top, bottom in sides)

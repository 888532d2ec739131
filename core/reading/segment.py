"""Image → segments in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.reading import ink
from core.reading.glyph import normalise
from core.reading.grouping import group
from core.reading.ink import Ink
from core.reading.pieces import Piece, find_pieces
from core.reading.rows import row_of_each
from core.reading.types import Box, Segment, Segmentation

METHODS = ("adaptive", "otsu", "fixed")
SMALL_PICTURE = 160  # px: smaller pictures are enlarged to this, so that strokes are more than a pixel wide
LARGEST_ENLARGEMENT = 6
DIRT = 0.3  # pieces smaller than this share of the picture's symbols are dirt, if they are no part of one
FAINT = 0.35  # symbols weaker than this share of the picture's ink shine through from the page's back


@dataclass(frozen=True)
class SegmentOptions:
    method: str = "adaptive"  # "adaptive" | "otsu" | "fixed"
    level: int = 128  # grey level for "fixed", 0..255
    smallest: float = 0.02  # smallest symbol: its longest side as a share of the image's shortest side
    keep_stages: bool = False
    longest_side: int = 1600  # larger images are reduced to this before anything else

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; it must be one of {', '.join(METHODS)}")


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
        return max(piece.stroke for piece in self.pieces)

    @property
    def peak(self) -> int:
        return max(piece.peak for piece in self.pieces)


def segment(image: np.ndarray, options: SegmentOptions = SegmentOptions()) -> Segmentation:
    """All symbols of an image, `(H, W, 3)` or `(H, W)` uint8, in reading order; boxes in the image's px."""
    height, width = image.shape[:2]
    if min(height, width) == 0:
        return Segmentation((), (width, height), True)
    work = working_picture(image, options.longest_side)
    found, tone = find_ink(work, options)
    shortest = 0.5 * options.smallest * min(work.shape[:2])
    symbols = choose(
        join(find_pieces(found.contrast, found.floor, max(3, shortest), options.method == "adaptive")), work.shape
    )
    rows = row_of_each([symbol.box for symbol in symbols])
    order = sorted(range(len(symbols)), key=lambda i: (rows[i], symbols[i].box[0]))
    scale = (width / work.shape[1], height / work.shape[0])
    segments = tuple(
        Segment(rescale(s.box, scale, (width, height)), glyph_of(s, found.contrast), row, s.peak / 255, None)
        for s, row in ((symbols[i], rows[i]) for i in order)
    )
    stages = stages_of(tone, found, (width, height)) if options.keep_stages else {}
    return Segmentation(segments, (width, height), found.is_dark, stages)


def working_picture(image: np.ndarray, longest_side: int) -> np.ndarray:
    """The image in the size that is worked on."""
    longest = max(image.shape[:2])
    if longest < SMALL_PICTURE:
        times = min(LARGEST_ENLARGEMENT, -(-SMALL_PICTURE // longest))
        return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return ink.shrink(image, longest_side)


def find_ink(work: np.ndarray, options: SegmentOptions) -> tuple[Ink, np.ndarray]:
    """The picture's ink by the method asked for, and the grey tone that it was found in."""
    coarse = ink.shrink(work, ink.COARSE_SIDE)
    chosen = ink.choose_tone(coarse)
    tone = chosen.of(work)
    if options.method == "adaptive":
        contrast = ink.contrast_to_paper(tone, fitted_window(chosen.of(coarse), max(work.shape) / max(coarse.shape)))
        return Ink(contrast, ink.noise_floor(contrast), chosen.is_dark), tone
    if options.method == "otsu":
        level, ramp = cv2.threshold(tone, 0, 255, cv2.THRESH_OTSU)[0], 40
    else:
        level, ramp = (options.level if chosen.is_dark else 255 - options.level), 40
    return Ink(ink.by_level(tone, int(level), ramp), 128, chosen.is_dark), tone


def fitted_window(coarse_tone: np.ndarray, scale: float) -> int:
    """The closing window in px of the working picture, from the stroke width that the coarse pass measures."""
    wide = ink.wide_window(coarse_tone)
    contrast = ink.contrast_to_paper(coarse_tone, wide)
    pieces = [p for p in find_pieces(contrast, ink.noise_floor(contrast), 4) if not p.is_blob]
    if not pieces:
        return round(wide * scale / 4)
    large = max(p.longest for p in pieces)
    stroke = max(p.stroke for p in pieces if p.longest > 0.4 * large)
    return min(round(wide * scale), round((2.5 * stroke + 4) * scale))


def join(pieces: Sequence[Piece]) -> list[Symbol]:
    return [Symbol(members, box_around([p.box for p in members])) for members in group(pieces)]


def box_around(boxes: Sequence[Box]) -> Box:
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    return left, top, max(b[0] + b[2] for b in boxes) - left, max(b[1] + b[3] for b in boxes) - top


def choose(symbols: Sequence[Symbol], shape: tuple[int, ...]) -> list[Symbol]:
    """The symbols without dirt, shadows, table edges and what shines through."""
    strokes = [s for s in symbols if not s.pieces[0].is_blob]
    if not strokes:
        return []
    peak = max(s.peak for s in strokes)
    strong = [s for s in strokes if s.peak > FAINT * peak]
    longest = float(np.median([s.longest for s in strong if s.longest > 0.3 * max(t.longest for t in strong)]))
    return [s for s in strong if s.longest > DIRT * longest]


def glyph_of(symbol: Symbol, contrast: np.ndarray) -> np.ndarray:
    """The symbol's own ink, soft at its edges, normalised."""
    x, y, w, h = symbol.box
    inside = np.zeros((h, w), np.uint8)
    for piece in symbol.pieces:
        px, py, pw, ph = piece.box
        part = inside[py - y : py - y + ph, px - x : px - x + pw]
        cv2.bitwise_or(part, piece.mask, part)
    near = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    crop = contrast[y : y + h, x : x + w].astype(np.float32)
    low, high = 0.25 * symbol.peak, 0.75 * symbol.peak
    soft = np.clip((crop - low) / max(high - low, 1), 0, 1)
    return normalise(np.where(near > 0, soft, 0).astype(np.float32))


def rescale(box: Box, scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> Box:
    """A box of the working picture in px of the image that was given."""
    left, top = int(box[0] * scale_xy[0]), int(box[1] * scale_xy[1])
    right = min(size_wh[0], max(left + 1, round((box[0] + box[2]) * scale_xy[0])))
    bottom = min(size_wh[1], max(top + 1, round((box[1] + box[3]) * scale_xy[1])))
    return left, top, right - left, bottom - top


def stages_of(tone: np.ndarray, found: Ink, size_wh: tuple[int, int]) -> dict[str, np.ndarray]:
    """The pictures of the steps, `(H, W) uint8` in the image's size."""
    threshold = cv2.threshold(found.contrast, found.floor - 1, 255, cv2.THRESH_BINARY)[1]
    steps = {"grey": tone, "contrast": found.contrast, "threshold": threshold}
    return {name: cv2.resize(step, size_wh, interpolation=cv2.INTER_AREA) for name, step in steps.items()}

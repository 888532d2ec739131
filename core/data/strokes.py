"""The stroke generator: endless handwriting drawn from the embedded alphabet, seeded and fast.

Each glyph takes one style of its symbol and bends it as hands do: slant, rotation, proportions, low-frequency elastic
bends, tremor along the stroke, and a pen between hair-thin and marker; then it is normalised as MNIST is.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from core.data.alphabet import DIGITS, GREEK
from core.data.samples import Samples
from core.errors import DataError

SIZE = 28
SUPERSAMPLING = 4  # drawn at 112×112 and averaged: the grey edges of a real scan
STEPS = 8  # points drawn between two control points
PEN_PX = (1.2, 4.2)  # pen width in glyph pixels: from hair-thin to marker
PER_CLASS = {"train": 1000, "test": 200}
PART_SEEDS = {"train": 20_000, "test": 30_000}

Stroke = np.ndarray  # (P, 2) float32, x and y on the unit square


def load_strokes_digits(part: str) -> Samples:
    """`strokes-digits`: 1,000 (test: 200) generated glyphs of each digit."""
    return _load("strokes-digits", tuple(DIGITS), part)


def load_strokes_greek(part: str) -> Samples:
    """`strokes-greek`: 1,000 (test: 200) generated glyphs of each of the 24 small Greek letters."""
    return _load("strokes-greek", tuple(GREEK), part)


def _load(name: str, symbols: tuple[str, ...], part: str) -> Samples:
    import torch

    labels = np.repeat(np.arange(len(symbols)), PER_CLASS[part])
    images = draw_glyphs([symbols[i] for i in labels], seed=PART_SEEDS[part])
    return Samples(name, part, torch.from_numpy(images), torch.from_numpy(labels), symbols)


def draw_glyphs(symbols: Sequence[str], seed: int) -> np.ndarray:
    """One glyph for each symbol, `(N, 28, 28) uint8`, ink bright; the same seed draws the same glyphs.

    Symbols are class names of the embedded alphabet ("7", "alpha"); unknown ones raise `DataError`.
    """
    rng = np.random.default_rng(seed)
    return np.stack([render(write(symbol, rng), rng.uniform(*PEN_PX)) for symbol in symbols])


def write(symbol: str, rng: np.random.Generator) -> list[Stroke]:
    """The symbol as one person's pen strokes, roughly on the unit square."""
    styles = _styles(symbol)
    return bend(styles[rng.integers(len(styles))], rng)


def scribble(rng: np.random.Generator) -> list[Stroke]:
    """Pen strokes that mean nothing: what a recognizer must refuse.

    One long wandering stroke or several short ones; fewer would look like a 1 or a 7.
    """
    count = rng.integers(1, 7)
    lengths = rng.integers(7, 12, 1) if count == 1 else rng.integers(2, 6, count)
    strokes = []
    for length in lengths:
        steps = rng.normal(0, rng.uniform(0.15, 0.45), (length, 2))
        points = rng.uniform(0, 1, 2) + np.cumsum(steps, axis=0)
        strokes.append(_curve(points.astype(np.float32)))
    return strokes


def bend(strokes: Sequence[Stroke], rng: np.random.Generator, strength: float = 1.0) -> list[Stroke]:
    """The same strokes from another hand: slant, rotation, proportions, elastic bends and tremor."""
    slant, turn = rng.normal(0, 0.18 * strength), rng.normal(0, 0.10 * strength)
    wide, tall = rng.uniform(0.62, 1.12), 1.0
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array(
        [[wide, -slant], [0, tall]]
    )
    amplitude = rng.normal(0, 0.035 * strength, (2, 2, 2))  # two waves, each bending x and y
    frequency = rng.uniform(2, 6, (2, 2))
    phase = rng.uniform(0, 2 * np.pi, (2, 2))
    tremor = abs(rng.normal(0, 0.006 * strength))
    bent = []
    for stroke in strokes:
        stroke = stroke + rng.normal(0, 0.02 * strength, 2)  # each stroke is set down a little off its place
        waves = np.sin(stroke[:, None, :] * frequency + phase)  # (P, 2 waves, 2 axes)
        stroke = stroke + np.einsum("pwa,wab->pb", waves, amplitude)
        if tremor > 0:
            noise = rng.normal(0, tremor, stroke.shape)
            stroke = stroke + (noise + np.roll(noise, 1, axis=0) + np.roll(noise, -1, axis=0))
        bent.append((stroke @ matrix.T).astype(np.float32))
    return bent


def render(strokes: Sequence[Stroke], pen_px: float) -> np.ndarray:
    """Strokes → glyph `(28, 28) uint8`: longest side 20 px, centre of mass in the middle, ink bright."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    room = max(20 - pen_px, 1)  # the pen's width is part of the symbol's 20 px
    scale = room / max(float((high - low).max()), 1e-6) * SUPERSAMPLING
    middle = SIZE * SUPERSAMPLING / 2
    canvas = np.zeros((SIZE * SUPERSAMPLING, SIZE * SUPERSAMPLING), np.uint8)
    # cv2 draws with 4 fractional bits, so that thin pens do not jump from pixel to pixel
    lines = [np.rint(((s - (low + high) / 2) * scale + middle) * 16).astype(np.int32) for s in strokes]
    cv2.polylines(canvas, lines, False, 255, max(1, round(pen_px * SUPERSAMPLING)), cv2.LINE_8, 4)
    glyph = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return centre_mass(glyph)


def centre_mass(glyph: np.ndarray) -> np.ndarray:
    """Moves a `(28, 28)` glyph by whole pixels so that its centre of mass is in the middle."""
    moments = cv2.moments(glyph)
    if moments["m00"] == 0:
        return glyph
    middle = (SIZE - 1) / 2
    x, y = middle - moments["m10"] / moments["m00"], middle - moments["m01"] / moments["m00"]
    return cv2.warpAffine(glyph, np.array([[1, 0, round(x)], [0, 1, round(y)]], np.float32), (SIZE, SIZE))


@cache
def _styles(symbol: str) -> tuple[tuple[Stroke, ...], ...]:
    alphabet = DIGITS | GREEK
    if symbol not in alphabet:
        raise DataError(f"The embedded alphabet has no symbol {symbol!r}; it has: {', '.join(alphabet)}.")
    return tuple(tuple(_parse(stroke) for stroke in style.split("|")) for style in alphabet[symbol])


def _parse(stroke: str) -> Stroke:
    """`"10,20 30,40 30,40 50,60"` → a smooth curve, broken at points that stand twice."""
    points = [tuple(float(v) / 100 for v in point.split(",")) for point in stroke.split()]
    parts: list[list[tuple[float, ...]]] = [[points[0]]]
    for before, point in pairwise(points):
        if point == before:
            parts.append([point])
        else:
            parts[-1].append(point)
    return np.concatenate([_curve(np.array(part, np.float32)) for part in parts])


def _curve(points: np.ndarray) -> Stroke:
    """A Catmull-Rom spline through `(P, 2)` points, `STEPS` points a segment."""
    if len(points) < 2:
        return points
    padded = np.concatenate([points[:1], points, points[-1:]])
    p0, p1, p2, p3 = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, STEPS, dtype=np.float32)[None, :, None]
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3)
    return curve.reshape(-1, 2).astype(np.float32)

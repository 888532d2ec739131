"""Ink → glyph: normalised as MNIST is."""

import cv2
import numpy as np

from core.data.normalise import LONGEST_SIDE
from core.data.strokes import SIZE

# px in the glyph: thinner strokes are thickened before they are reduced, or they would fade away. A heuristic: of 304
# real digits the shipped network read 4 wrongly and refused 5 more without it, with it 2 and 1; from 2.0 to 2.6 no
# value is better than another, and thinning the broad strokes of markers changed nothing.
THINNEST = 2.2


def normalise(ink: np.ndarray, stroke: float | None = None) -> np.ndarray:
    """`(h, w) float32` ink in [0, 1], cut out → glyph `(28, 28) float32` in [0, 1].

    With the mean `stroke` width in px, hair-thin ink is thickened to `THINNEST` px in the glyph.
    """
    scale = LONGEST_SIDE / max(ink.shape)
    if stroke is not None and stroke * scale < THINNEST:
        ink = thicken(ink, round(THINNEST / scale - stroke))
        scale = LONGEST_SIDE / max(ink.shape)
    h, w = ink.shape
    small = cv2.resize(
        ink,
        (max(1, round(w * scale)), max(1, round(h * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    mass = float(small.sum())
    if mass <= 0:
        return np.zeros((SIZE, SIZE), np.float32)
    ys, xs = np.indices(small.shape, dtype=np.float32)
    shift_x = SIZE / 2 - float((xs * small).sum()) / mass
    shift_y = SIZE / 2 - float((ys * small).sum()) / mass
    shift = round(shift_x), round(shift_y)  # whole pixels, as MNIST: no second blur
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    return np.clip(cv2.warpAffine(small, move, (SIZE, SIZE)), 0, 1).astype(np.float32)


def thicken(ink: np.ndarray, more: int) -> np.ndarray:
    """Strokes `more` px wider, with room for them at the edges."""
    if more < 1:
        return ink
    before, after = more // 2, more - more // 2
    roomy = cv2.copyMakeBorder(ink, before, after, before, after, cv2.BORDER_CONSTANT, value=0)
    return cv2.dilate(roomy, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (more + 1, more + 1)))

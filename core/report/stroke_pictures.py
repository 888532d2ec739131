"""Pictures of a drawing: with its strokes numbered, and with one of them taken away."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.inspection.strokes import INK, PAPER, Stroke, cut, draw_strokes
from core.report.figures import DIGIT_COLOURS

DASH = 1.1  # widths of the stroke: the length of a dash, and of the gap after it
THINNER = 0.45  # of the stroke's width: a dash's, so that its round ends leave gaps
NUMBER = 0.09  # height of a stroke's number, as a share of the drawing's shorter side
FADED = 168  # grey level of a stroke that was taken away


def numbered_strokes(parts: Sequence[Sequence[Stroke]], size_wh: tuple[int, int]) -> np.ndarray:
    """`(H, W, 3) float32` in [0, 1]: each part in a colour of its own, with its number, from 1, in its middle."""
    picture: np.ndarray = np.ones((size_wh[1], size_wh[0], 3), np.float32)
    for i, strokes in enumerate(parts):
        ink = draw_strokes(strokes, size_wh).astype(np.float32)[..., None]
        share = (PAPER - ink) / (PAPER - INK)
        picture = picture * (1 - share) + _rgb(DIGIT_COLOURS[i % len(DIGIT_COLOURS)]) * share
    pixels = np.rint(picture * 255).clip(0, 255).astype(np.uint8)  # as cv2 writes on
    for i, strokes in enumerate(parts):
        _write_number(pixels, i + 1, max(strokes, key=lambda stroke: stroke.length))
    return pixels.astype(np.float32) / 255


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / 255


def _write_number(picture: np.ndarray, number: int, stroke: Stroke) -> None:
    """Black on a white disc, so that it can be read on any colour; its size is a share of the picture's."""
    height = max(14.0, NUMBER * min(picture.shape[:2]))
    middle = np.rint(stroke.points[len(stroke.points) // 2]).astype(int)
    scale, thick = height / 22, max(1, round(height / 11))  # cv2's letters are 22 pixels high at scale 1
    (wide, high), _ = cv2.getTextSize(str(number), cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    radius = round(0.5 * float(np.hypot(wide, high)) + thick)
    middle = middle.clip(radius, np.array(picture.shape[1::-1]) - radius - 1)
    cv2.circle(picture, middle.tolist(), radius, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, middle.tolist(), radius, (80, 80, 80), max(1, thick // 2), cv2.LINE_AA)
    corner = middle[0] - wide // 2, middle[1] + high // 2
    cv2.putText(picture, str(number), corner, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), thick, cv2.LINE_AA)


def without_stroke(removed: Sequence[Stroke], others: Sequence[Stroke], size_wh: tuple[int, int]) -> np.ndarray:
    """`(H, W) float32` in [0, 1]: the other strokes as they are, those taken away as pale dashes beneath them."""
    dashes = [dash for stroke in removed for dash in _dashed(stroke)]
    traces = draw_strokes(dashes, size_wh).astype(np.float32)
    pale = 255 - (255 - traces) * (255 - FADED) / 255
    return np.minimum(pale, draw_strokes(others, size_wh)) / 255


def _dashed(stroke: Stroke) -> list[Stroke]:
    """Every other piece of the stroke, thinner; it begins and ends with one."""
    count = max(1, round(stroke.length / (DASH * stroke.width) / 2)) * 2 - 1
    return [Stroke(piece.points, piece.width * THINNER) for piece in cut(stroke, count)[::2]]

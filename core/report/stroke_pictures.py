"""Pictures of a drawing with one of its strokes taken away."""

from collections.abc import Sequence

import numpy as np

from core.inspection.strokes import Stroke, cut, draw_strokes

DASH = 1.1  # widths of the stroke: the length of a dash, and of the gap after it
THINNER = 0.45  # of the stroke's width: a dash's, so that its round ends leave gaps
FADED = 168  # grey level of a stroke that was taken away


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

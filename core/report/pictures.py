"""Readings drawn onto the picture they come from."""

from collections.abc import Sequence

import cv2
import numpy as np

from core.reading import Reading
from core.reading.overlay import READ, REFUSED


def boxes_picture(image: np.ndarray, readings: Sequence[Reading], scale: float = 1.0) -> np.ndarray:
    """A copy of `(H, W, 3) uint8` RGB with a box around each reading, dashed where it was refused.

    `scale` leads from the pixels of the readings' boxes to those of `image`.
    """
    picture = np.ascontiguousarray(image).copy()
    thickness = max(1, round(max(picture.shape[:2]) / 400))
    for reading in readings:
        x, y, w, h = (round(v * scale) for v in reading.box)
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        if reading.reason is None:
            cv2.polylines(picture, [np.array(corners, np.int32)], True, READ, thickness)
        else:
            for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
                _dashed_line(picture, start, end, thickness)
    return picture


def _dashed_line(picture: np.ndarray, start: tuple[int, int], end: tuple[int, int], thickness: int) -> None:
    ends = np.array([start, end], float)
    dashes = max(1, round(np.hypot(*(ends[1] - ends[0])) / (8 * thickness)))
    for at in range(dashes):
        one, two = (ends[0] + (ends[1] - ends[0]) * share for share in (at / dashes, (at + 0.5) / dashes))
        cv2.line(picture, one.round().astype(int), two.round().astype(int), REFUSED, thickness)

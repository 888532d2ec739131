"""Ink → glyph: normalised as MNIST is."""

import cv2
import numpy as np

SIZE = 28
LONGEST_SIDE = 20  # MNIST: the digit fits a 20×20 box, its centre of mass in the middle of 28×28 (LeCun et al. 1998)


def normalise(ink: np.ndarray) -> np.ndarray:
    """`(h, w) float32` ink in [0, 1], cut out → glyph `(28, 28) float32` in [0, 1]."""
    h, w = ink.shape
    scale = LONGEST_SIDE / max(h, w)
    small = cv2.resize(
        ink, (max(1, round(w * scale)), max(1, round(h * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
    )
    mass = float(small.sum())
    if mass <= 0:
        return np.zeros((SIZE, SIZE), np.float32)
    ys, xs = np.indices(small.shape, dtype=np.float32)
    shift_x = (SIZE - 1) / 2 - float((xs * small).sum()) / mass
    shift_y = (SIZE - 1) / 2 - float((ys * small).sum()) / mass
    move = np.float32([[1, 0, round(shift_x)], [0, 1, round(shift_y)]])  # whole pixels, as MNIST: no second blur
    return np.clip(cv2.warpAffine(small, move, (SIZE, SIZE)), 0, 1).astype(np.float32)

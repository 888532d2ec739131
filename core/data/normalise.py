"""Cut-out ink → MNIST's way of showing a symbol: the longest side 20 px, the centre of mass in the middle of 28×28."""

import cv2
import numpy as np

from core.data.strokes import SIZE, centre_mass

LONGEST_SIDE = 20  # LeCun et al. 1998
FAINTEST = 40  # of 255: greys below are a scanner's haze round the ink, not ink


def normalise(picture: np.ndarray) -> np.ndarray:
    """One small picture of one symbol, `(h, w) uint8`, ink bright → `(28, 28) uint8`."""
    x, y, w, h = cv2.boundingRect((picture > FAINTEST).astype(np.uint8))
    if w == 0:
        return np.zeros((SIZE, SIZE), np.uint8)
    ink = picture[y : y + h, x : x + w]
    scale = LONGEST_SIDE / max(w, h)
    size_wh = max(1, round(w * scale)), max(1, round(h * scale))
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    left, top = (SIZE - size_wh[0]) // 2, (SIZE - size_wh[1]) // 2
    canvas[top : top + size_wh[1], left : left + size_wh[0]] = cv2.resize(
        ink, size_wh, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    )
    return centre_mass(canvas)

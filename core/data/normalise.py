"""Cut-out ink → MNIST's way of showing a symbol: the longest side 20 px, the centre of mass in the middle of 28×28."""

import cv2
import numpy as np

from core.data.strokes import SIZE, centre_mass

LONGEST_SIDE = 20  # LeCun et al. 1998
FAINTEST = 40  # of 255: greys below are a scanner's haze round the ink, not ink


def normalise(picture: np.ndarray) -> np.ndarray:
    """One small picture of one symbol, `(h, w) uint8`, ink bright → `(28, 28) uint8`."""
    x, y, w, h = cv2.boundingRect((picture > FAINTEST).astype(np.uint8))
    return fit(picture[y : y + h, x : x + w]) if w else np.zeros((SIZE, SIZE), np.uint8)


def fit(ink: np.ndarray) -> np.ndarray:
    """Ink that is cut out already, `(h, w) uint8` → `(28, 28) uint8`."""
    scale = LONGEST_SIDE / max(ink.shape)
    w, h = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    x, y = (SIZE - w) // 2, (SIZE - h) // 2
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    canvas[y : y + h, x : x + w] = cv2.resize(ink, (w, h), interpolation=interpolation)
    return centre_mass(canvas)

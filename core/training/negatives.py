"""Glyphs that are no symbol: what the refusal is taught with (outlier exposure, Hendrycks et al. 2019).

All are made here from generated strokes and from the training symbols themselves; no other alphabet's data is touched,
so that KMNIST stays unseen and can measure the refusal.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from core.data import Samples
from core.data.alphabet import DIGITS
from core.data.normalise import fit
from core.data.strokes import PEN_PX, SIZE, bend, draw_glyphs, render, scribble

# Greek letters that nobody would read as a digit; omicron (0), sigma (6), tau (7), beta (8), gamma (4 or 8) and
# others that a digit's writer could mean are left out.
UNLIKE_DIGITS = ("epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "pi", "rho", "phi", "chi", "psi", "omega")


def make_negatives(count: int, symbols: Samples, seed: int) -> Tensor:
    """`count` glyphs that are none of the symbols, `(N, 1, 28, 28) uint8`, in random order.

    Scribbles, neighbours, overlays and blobs in equal shares; for digits as many generated Greek letters.
    """
    rng = np.random.default_rng(seed)
    images = symbols.images.numpy()
    labels = symbols.labels.numpy()
    letters: list[Callable[[], np.ndarray]] = [
        lambda: draw_glyphs([UNLIKE_DIGITS[rng.integers(len(UNLIKE_DIGITS))]], int(rng.integers(2**31)))[0]
    ]
    kinds: list[Callable[[], np.ndarray]] = [
        *(letters if symbols.classes == tuple(DIGITS) else []),
        lambda: render(bend(scribble(rng), rng), rng.uniform(*PEN_PX)),
        lambda: _side_by_side(*_two(images, labels, rng), rng),
        lambda: _overlaid(*_two(images, labels, rng), rng),
        lambda: _blob(rng),
    ]
    shares = rng.permutation(np.arange(count) % len(kinds))
    glyphs = [kinds[kind]() for kind in shares]
    return torch.from_numpy(np.stack(glyphs) if glyphs else np.zeros((0, SIZE, SIZE), np.uint8))[:, None]


def _two(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two symbols of different classes."""
    while True:
        a, b = rng.integers(len(images), size=2)
        if labels[a] != labels[b]:
            return images[a], images[b]


def _side_by_side(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two neighbours taken for one symbol, touching or nearly so."""
    left, right = _cut(a), _cut(b)
    height = max(left.shape[0], right.shape[0])
    gap = int(rng.integers(-2, 4))
    canvas = np.zeros((height, left.shape[1] + right.shape[1] + gap), np.uint8)
    for glyph, x in ((left, 0), (right, left.shape[1] + gap)):
        y = (height - glyph.shape[0]) // 2
        place = canvas[y : y + glyph.shape[0], x : x + glyph.shape[1]]
        np.maximum(place, glyph[:, : place.shape[1]], out=place)
    return fit(canvas)


def _overlaid(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two symbols written over one another, the second turned and moved."""
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), float(rng.uniform(40, 320)), float(rng.uniform(0.7, 1.1)))
    matrix[:, 2] = matrix[:, 2] + rng.uniform(-5, 5, 2)
    return fit(_cut(np.maximum(a, cv2.warpAffine(b, matrix, (SIZE, SIZE)))))


def _blob(rng: np.random.Generator) -> np.ndarray:
    """Dirt, shadows' edges and paper texture: smoothed noise cut at a level."""
    smooth = cv2.GaussianBlur(rng.normal(size=(64, 64)).astype(np.float32), (0, 0), float(rng.uniform(1.5, 12)))
    level = np.quantile(smooth, rng.uniform(0.5, 0.95))
    blob = np.clip((smooth - level) / (smooth.std() * rng.uniform(0.05, 0.6)), 0, 1)
    h, w = rng.integers(12, 64, 2)
    return fit((blob[:h, :w] * 255).astype(np.uint8))


def _cut(glyph: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect(glyph)
    return glyph[y : y + h, x : x + w]

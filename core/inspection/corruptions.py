"""What happens to handwriting: 15 corruptions at 5 strengths, the same every time.

After MNIST-C (Mu and Gilmer, 2019), with what pens, hands and cameras really do in place of its artificial kinds.
The strengths were set by eye, on digits: 1 is mild; 5 is strong, and a person does not read every glyph.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from core.errors import DataError

VERSION = 1  # of what the corruptions make: results of another one are not compared with these
STRENGTHS = (1, 2, 3, 4, 5)
SIDE = 28
CENTRE = (SIDE - 1) / 2

Glyphs = np.ndarray  # (N, 28, 28) float32 in [0, 1], ink bright


@dataclass(frozen=True)
class Corruption:
    """One kind; `levels` are what its five strengths mean, in `unit`."""

    title: str
    levels: tuple[float, float, float, float, float]
    unit: str
    about: str
    apply: Callable[[Glyphs, float, np.random.Generator], Glyphs]


def corrupt(glyphs: np.ndarray, name: str, strength: int, seed: int = 0) -> np.ndarray:
    """`(N, 28, 28) uint8` glyphs corrupted, the same shape and type; strength 0 leaves them as they are.

    Each glyph has its own chance, which depends on the kind, the seed, and its place among how many: at a higher
    strength the same happens to it, only more. Raises `DataError` for an unknown kind or strength, and other arrays.
    """
    if name not in CORRUPTIONS:
        raise DataError(f"Unknown corruption {name!r}; choose one of: {', '.join(CORRUPTIONS)}.")
    if strength not in (0, *STRENGTHS):
        raise DataError(f"A corruption's strength is a whole number from 0 (none) to 5, not {strength!r}.")
    if glyphs.dtype != np.uint8 or glyphs.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"Glyphs to be corrupted are an array (N, 28, 28) of uint8, not {glyphs.shape} of {glyphs.dtype}."
        )
    if strength == 0 or not len(glyphs):
        return glyphs.copy()
    kind = CORRUPTIONS[name]
    chance = np.random.default_rng([seed, list(CORRUPTIONS).index(name)])
    made = kind.apply(glyphs.astype(np.float32) / 255, kind.levels[strength - 1], chance)
    return np.rint(made.clip(0, 1) * 255).astype(np.uint8)


def warp(glyphs: Glyphs, matrices: np.ndarray) -> Glyphs:
    """Each glyph by its own `(N, 2, 2)` matrix about the centre, and shifted `(N, 2, 3)` by its last column in pixels.

    The matrix takes a point of the source to its place in the result; y points down.
    """
    centre = np.array([CENTRE, CENTRE])
    offset = centre - matrices[:, :, :2] @ centre + matrices[:, :, 2]
    whole = np.concatenate([matrices[:, :, :2], offset[:, :, None]], axis=2)
    return np.stack(
        [cv2.warpAffine(g, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR) for g, m in zip(glyphs, whole, strict=True)]
    )


def turn(glyphs: Glyphs, degrees: np.ndarray) -> Glyphs:
    """Clockwise by `(N,)` degrees, as seen on the screen."""
    angle = np.deg2rad(degrees)
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(len(glyphs))
    return warp(glyphs, np.stack([np.stack([cos, -sin, zero], 1), np.stack([sin, cos, zero], 1)], 1))


def move(glyphs: Glyphs, right: np.ndarray, down: np.ndarray) -> Glyphs:
    """By `(N,)` pixels each way."""
    one, zero = np.ones(len(glyphs)), np.zeros(len(glyphs))
    return warp(glyphs, np.stack([np.stack([one, zero, right], 1), np.stack([zero, one, down], 1)], 1))


def resize(glyphs: Glyphs, factor: float) -> Glyphs:
    """Larger or smaller about the centre."""
    one, zero = np.full(len(glyphs), factor), np.zeros(len(glyphs))
    # a smaller glyph's pixels are means of several of the source's, or thin strokes would break
    smooth = gaussian_filter(glyphs, (0, *[0.5 * (1 / factor - 1)] * 2)) if factor < 1 else glyphs
    return warp(smooth, np.stack([np.stack([one, zero, zero], 1), np.stack([zero, one, zero], 1)], 1))


def pen(glyphs: Glyphs, pixels: float) -> Glyphs:
    """Strokes about so many pixels wider (above 0) or thinner (below 0), by greyscale dilation or erosion.

    Between two whole numbers the two results are mixed. A kernel of 2×2 adds one pixel, each further one another.
    """
    if pixels == 0:
        return glyphs.copy()
    change = cv2.dilate if pixels > 0 else cv2.erode
    low = int(abs(pixels))

    def by(count: int, glyph: np.ndarray) -> np.ndarray:
        return change(glyph, np.ones((count + 1, count + 1), np.uint8)) if count else glyph

    part = abs(pixels) - low
    return np.stack([(1 - part) * by(low, g) + part * by(low + 1, g) if part else by(low, g) for g in glyphs])


def blur(glyphs: Glyphs, sigma: float) -> Glyphs:
    """A Gaussian of so many pixels."""
    return gaussian_filter(glyphs, (0, sigma, sigma))


def noise(glyphs: Glyphs, spread: float, chance: np.random.Generator) -> Glyphs:
    """Gaussian, on every pixel; `spread` is its standard deviation, where ink is 1 and paper 0."""
    return (glyphs + chance.normal(0, spread, glyphs.shape).astype(np.float32)).clip(0, 1)


def fade(glyphs: Glyphs, contrast: float) -> Glyphs:
    """Ink and paper come closer to a grey of 0.5; 1 leaves them, 0 makes them equal."""
    return (glyphs - 0.5) * contrast + 0.5


def _either(glyphs: Glyphs, chance: np.random.Generator) -> np.ndarray:
    """`(N,)` of 1 and −1."""
    return chance.choice([-1.0, 1.0], len(glyphs))


def _rotate(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    return turn(glyphs, _either(glyphs, chance) * level)


def _shift(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    angle = chance.uniform(0, 2 * np.pi, len(glyphs))
    return move(glyphs, level * np.cos(angle), level * np.sin(angle))


def _shear(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    one, zero = np.ones(len(glyphs)), np.zeros(len(glyphs))
    lean = -level * _either(glyphs, chance)
    return warp(glyphs, np.stack([np.stack([one, lean, zero], 1), np.stack([zero, one, zero], 1)], 1))


def _motion(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    """Smeared along a line of `level` pixels in any of four directions."""
    length, direction = int(level), chance.integers(4, size=len(glyphs))
    line = np.zeros((4, length, length), np.float32)
    line[0, length // 2], line[1, :, length // 2] = 1, 1
    line[2], line[3] = np.eye(length), np.eye(length)[::-1]
    line /= line.sum((1, 2), keepdims=True)
    return np.stack(
        [cv2.filter2D(g, -1, line[d], borderType=cv2.BORDER_CONSTANT) for g, d in zip(glyphs, direction, strict=True)]
    )


def _salt_and_pepper(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    hit, salt = chance.random(glyphs.shape) < level, chance.random(glyphs.shape) < 0.5
    return np.where(hit, salt.astype(np.float32), glyphs)


def _occlude(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    """A bar of paper, upright or level, through a place near the middle."""
    return _bars(glyphs, level, 0.0, chance.integers(2, size=len(glyphs)), chance.uniform(8, 20, len(glyphs)))


def _line(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    """A line of ink right across, at any angle, near the middle."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32) - CENTRE
    angle, aside = chance.uniform(0, np.pi, (len(glyphs), 1, 1)), chance.uniform(-5, 5, (len(glyphs), 1, 1))
    distance = np.abs(rows * np.cos(angle) - columns * np.sin(angle) - aside)
    ink = (level / 2 + 0.5 - distance).clip(0, 1)  # a pixel at the edge is partly covered
    return np.maximum(glyphs, ink.astype(np.float32))


def _bars(glyphs: Glyphs, width: float, ink: float, upright: np.ndarray, at: np.ndarray) -> Glyphs:
    along = np.abs(np.arange(SIDE)[None] - at[:, None])
    cover = (width / 2 + 0.5 - along).clip(0, 1).astype(np.float32)  # (N, 28)
    cover = np.where(upright[:, None, None].astype(bool), cover[:, None, :], cover[:, :, None])
    return glyphs * (1 - cover) + ink * cover


def occlude(glyphs: Glyphs, width: float, at: float = CENTRE) -> Glyphs:
    """An upright bar of paper of so many pixels, its middle at column `at`."""
    count = len(glyphs)
    return _bars(glyphs, width, 0.0, np.ones(count), np.full(count, at)) if width > 0 else glyphs.copy()


def _elastic(glyphs: Glyphs, level: float, chance: np.random.Generator) -> Glyphs:
    """Bent by a smooth random field; `level` is its standard deviation in pixels (Simard et al. 2003, σ = 4)."""
    field = gaussian_filter(chance.uniform(-1, 1, (2, *glyphs.shape)), (0, 0, 4, 4)).astype(np.float32)
    field *= level / field.std(axis=(2, 3), keepdims=True)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return np.stack([cv2.remap(g, x + dx, y + dy, cv2.INTER_LINEAR) for g, dx, dy in zip(glyphs, *field, strict=True)])


CORRUPTIONS: dict[str, Corruption] = {
    "rotate": Corruption("rotated", (10, 18, 26, 34, 42), "degrees", "turned one way or the other", _rotate),
    "shift": Corruption("shifted", (1, 2, 3, 4, 5), "pixels", "moved in any direction", _shift),
    "shrink": Corruption(
        "shrunk", (0.85, 0.74, 0.65, 0.57, 0.5), "times its size", "written small", lambda g, v, _: resize(g, v)
    ),
    "enlarge": Corruption(
        "enlarged", (1.1, 1.2, 1.3, 1.4, 1.5), "times its size", "written large", lambda g, v, _: resize(g, v)
    ),
    "shear": Corruption("slanted", (0.2, 0.35, 0.5, 0.65, 0.8), "pixels a row", "leaning over", _shear),
    "thicken": Corruption("thicker", (1, 1.5, 2, 2.5, 3), "pixels", "a broad pen", lambda g, v, _: pen(g, v)),
    "thin": Corruption("thinner", (0.4, 0.7, 1, 1.25, 1.5), "pixels", "a fine pen", lambda g, v, _: pen(g, -v)),
    "blur": Corruption("blurred", (0.7, 1, 1.3, 1.6, 1.9), "pixels", "out of focus", lambda g, v, _: blur(g, v)),
    "motion": Corruption("motion blur", (3, 4, 5, 6, 7), "pixels", "a shaking camera", _motion),
    "noise": Corruption("noise", (0.1, 0.2, 0.3, 0.4, 0.5), "of ink", "Gaussian, as in the dark", noise),
    "salt": Corruption(
        "salt and pepper", (0.03, 0.07, 0.12, 0.18, 0.25), "of all pixels", "black or white by chance", _salt_and_pepper
    ),
    "contrast": Corruption(
        "low contrast",
        (0.7, 0.5, 0.35, 0.23, 0.15),
        "of the contrast",
        "ink and paper alike",
        lambda g, v, _: fade(g, v),
    ),
    "occlude": Corruption("covered", (1.5, 2.5, 3.5, 4.5, 5.5), "pixels wide", "a bar of paper across", _occlude),
    "line": Corruption("struck through", (0.6, 1, 1.5, 2, 2.5), "pixels wide", "a line of ink across", _line),
    "elastic": Corruption("bent", (0.7, 1.1, 1.5, 1.8, 2.1), "pixels", "a smooth random distortion", _elastic),
}

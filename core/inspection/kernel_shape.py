"""What kind of pattern a kernel is: an edge or line at so many degrees, a blob, flat; and the frequencies it passes.

A heuristic, by the kernel's spectrum and its symmetry. How often it errs was measured, and the tests hold it to that:
on the ten Gabor filters of `core.networks.gabor`, and on 400 synthetic kernels of each kind and size, their place
shifted by up to half a pixel each way, with noise of 15 % of the kernel's own spread.

| kernels        | angle wrong by, mean (95 % within) | kind right                                   |
|----------------|------------------------------------|----------------------------------------------|
| Gabor bank 5×5 | 0.7° (all within 1.6°)             | 10 of 10                                     |
| edges          | 3×3 3.8° (8.6°), 5×5 3.3° (6.2°), 7×7 2.6° (4.8°) | 99.5 %, 100 %, 100 %          |
| lines          | 3×3 2.7° (6.6°), 5×5 1.1° (2.5°), 7×7 0.7° (1.7°) | 39.5 %, 98.5 %, 100 %         |
| blobs          |                                    | 18.8 %, 99.8 %, 100 %                        |
| noise only     |                                    | 54.0 %, 85.5 %, 99.0 % are called mixed      |

So the kind of a 3×3 kernel is a hint at most: half of a line that stands off its middle is an edge.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import convolve2d

SAMPLES = 64  # frequencies to each side of a response: the kernel is padded with zeros to 64×64 before the transform
FLAT = 0.1  # a kernel is flat whose weights' spread about their mean holds less than this share of their energy
ORIENTED = 0.42  # coherence from which a kernel has a direction: noise at 5×5 stays below 0.43 in 9 of 10
ODD = 0.95  # oddness from which it has one in any case: a diagonal edge of 3×3 pixels is hardly coherent
SYMMETRIC = 0.6  # evenness about a point from which an unoriented kernel is a blob: noise stays below 0.54 in 9 of 10
SMALLEST = 3  # pixels a side that a pattern needs
COMPASS = "on the right, upper right, on top, upper left, on the left, lower left, below, lower right".split(", ")
EDGE, LINE, BLOB, EVEN, MIXED, POINT = "edge", "line", "blob", "flat", "mixed", "point"
KINDS = (EDGE, LINE, BLOB, EVEN, MIXED, POINT)


@dataclass(frozen=True)
class KernelShape:
    """What a kernel looks like."""

    kind: str  # one of `KINDS`
    angle: float | None = None  # degrees in [0, 180) along the edge or line: 0 lies, 90 stands, 45 rises to the right
    positive: str = ""  # of an edge: the side of its positive weights; of a line or blob: "positive" or "negative"

    @property
    def words(self) -> str:
        match self.kind:
            case "edge":
                return f"edge at {self.degrees}°, positive {self.positive}"
            case "line":
                return f"{self.positive} line at {self.degrees}°"
            case "blob":
                return f"{self.positive} blob"
        return {EVEN: "flat", MIXED: "mixed", POINT: "one point: no shape"}[self.kind]

    @property
    def degrees(self) -> int:
        return round(self.angle or 0) % 180

    @property
    def order(self) -> tuple[int, float]:
        """Edges first, by their angle, then lines, blobs and the rest."""
        return KINDS.index(self.kind), self.angle or 0.0


def frequency_response(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(K, h, w)` → `(K, 64, 64)` magnitudes of the 2-D Fourier transform, and `(64,)` cycles per pixel from −0.5.

    Rows are vertical frequencies, columns horizontal ones; 0 is in the middle. What a response is at a frequency, the
    filter multiplies a wave of that frequency by.
    """
    size = max(SAMPLES, *kernels.shape[1:])
    spectrum = np.abs(np.fft.fft2(kernels, (size, size)))
    return np.fft.fftshift(spectrum, axes=(1, 2)), np.fft.fftshift(np.fft.fftfreq(size))


def describe_kernel(kernel: np.ndarray) -> KernelShape:
    """`(h, w)` weights → what they look like.

    Flat: see `FLAT`. The direction is the mean of the doubled angles of the spectrum, weighted by power (Bigün and
    Granlund 1987), of the kernel freed of its mean under a Gaussian, since a kernel's square border has directions of
    its own; the length of that mean is the coherence. With a direction, a kernel is an edge where it is more odd than
    even about some point near its middle, else a line; without, a blob where it is even, else mixed.
    """
    if min(kernel.shape) < SMALLEST:
        return KernelShape(POINT if kernel.size == 1 else MIXED)
    kernel = kernel.astype(float)
    free = kernel - kernel.mean()
    if (free**2).sum() <= FLAT * (kernel**2).sum():
        return KernelShape(EVEN)
    angle, coherence = _direction(kernel)
    even, odd, middle = _symmetry(free)
    sign = "positive" if middle > 0 else "negative"
    if coherence >= ORIENTED or odd >= ODD:
        return KernelShape(EDGE, angle, _positive_side(free)) if odd > even else KernelShape(LINE, angle, sign)
    return KernelShape(BLOB, None, sign) if even >= SYMMETRIC else KernelShape(MIXED)


def _direction(kernel: np.ndarray) -> tuple[float, float]:
    """Degrees along the kernel's stripes in [0, 180), counted from the horizontal upwards, and coherence in [0, 1]."""
    h, w = kernel.shape
    y, x = np.mgrid[:h, :w]
    taper = np.exp(-0.5 * (((y - (h - 1) / 2) / (h / 2)) ** 2 + ((x - (w - 1) / 2) / (w / 2)) ** 2))
    (response,), frequencies = frequency_response(((kernel - (kernel * taper).sum() / taper.sum()) * taper)[None])
    across, down = np.meshgrid(frequencies, frequencies)
    power = response**2 * (np.hypot(across, down) <= 0.5)  # within a circle, so that no direction has more room
    mean = (power * np.exp(2j * np.arctan2(-down, across))).sum() / power.sum()
    return float((np.rad2deg(np.angle(mean) / 2) + 90) % 180), float(abs(mean))


def _symmetry(free: np.ndarray) -> tuple[float, float, float]:
    """How even and how odd a kernel without mean is about the best point near its middle, at most 1 each; its value
    at the point of evenness.

    The kernel convolved with itself, at twice the point, over its energy: 1 where it is its own mirror image there, −1
    where it is its own negative.
    """
    h, w = free.shape
    own = convolve2d(free, free) / (free**2).sum()
    near = own[h // 2 : own.shape[0] - h // 2, w // 2 : own.shape[1] - w // 2]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    y, x = (row + h // 2) / 2, (column + w // 2) / 2
    middle = free[int(y) : int(np.ceil(y)) + 1, int(x) : int(np.ceil(x)) + 1].mean()
    return float(near.max()), float(-near.min()), float(middle)


def _positive_side(free: np.ndarray) -> str:
    h, w = free.shape
    y, x = np.mgrid[:h, :w]
    up, right = (free * ((h - 1) / 2 - y)).sum(), (free * (x - (w - 1) / 2)).sum()
    return COMPASS[round(np.arctan2(up, right) / (np.pi / 4)) % 8]

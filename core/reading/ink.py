"""Picture → ink contrast: how far each pixel departs from its paper, whatever the light, the tone and the colour.

Paper is estimated by a grey closing (dilation, then erosion of brightness) with a window a little wider than the
strokes: it fills the strokes in with the paper around them and keeps wider things, shadows and tables and hands, as
they are. Contrast is 1 − ink / paper, a reflectance, in which light divides out. The stroke width is not known
beforehand, so a coarse pass with a window wide for the picture measures it, then the fine pass fits its window.
"""

from dataclasses import dataclass
from math import ceil, log2, log10

import cv2
import numpy as np

COARSE_SIDE = 240  # px, longest side of the coarse pass
MEDIAN_WINDOW = 0.35  # the running median's window as a share of the shortest side
MEDIAN_SIDE = 40  # px, longest side of the picture whose running median stands for paper of unknown polarity
WIDE_WINDOW = 0.4  # the coarse pass's closing window as a share of the shortest side: wider than any legible stroke
FINE_WINDOW = 10  # px: wider windows work on a halved picture
LIFT = 16  # grey levels added before dividing: in deep shadow noise is not contrast
FAINTEST = 14  # /255: below this contrast nothing is taken for ink, however clean the picture
NOISE_SIGMAS = 5.0


@dataclass(frozen=True, eq=False)
class Ink:
    """Where ink is, and how strong: `contrast` `(H, W) uint8` is 0 on paper; from `floor` up it is more than noise."""

    contrast: np.ndarray
    floor: int
    is_dark: bool


@dataclass(frozen=True)
class Tone:
    """How a picture is turned into the grey tone in which its ink is the darker: polarity and colour channel."""

    is_dark: bool  # ink is darker than its paper
    extreme: bool  # the strongest departure of the three channels, not their luminance: blue ink, yellow highlighter

    def of(self, image: np.ndarray) -> np.ndarray:
        """`(H, W) uint8`, ink dark on light."""
        if image.ndim == 2:
            grey = image
        elif self.extreme:
            red, green, blue = cv2.split(image)
            pick = cv2.min if self.is_dark else cv2.max
            grey = pick(pick(red, green), blue)
        else:
            grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return grey if self.is_dark else cv2.bitwise_not(grey)


@dataclass(frozen=True)
class Survey:
    """What a coarse pass tells of a picture's ink and paper."""

    tone: Tone  # in which the ink shows best
    window: float  # closing window that fits the strokes, as a share of the picture's longest side


def halve(image: np.ndarray, times: int) -> np.ndarray:
    """The image at half its size, `times` over, by averaging: many times faster than any other ratio."""
    for _ in range(times):
        h, w = image.shape[0] // 2, image.shape[1] // 2
        if min(h, w) == 0:
            break
        image = cv2.resize(image[: 2 * h, : 2 * w], (w, h), interpolation=cv2.INTER_AREA)
    return image


def halve_to(image: np.ndarray, longest_side: int) -> np.ndarray:
    """The image halved until its longest side is at most `longest_side` px."""
    return halve(image, max(0, ceil(log2(max(image.shape[:2]) / longest_side))))


def darkness(coarse: np.ndarray) -> float:
    """Evidence that a coarse picture's ink is darker than its paper: positive if so, in powers of ten.

    A heuristic: ink is the minority, so the running median is paper, and ink is on the side with the heavier tail of
    departures from it (third powers: strong and sparse beats weak and wide).
    """
    dark, light = tail(Tone(True, True).of(coarse), -1), tail(cv2.bitwise_not(Tone(False, True).of(coarse)), +1)
    return log10((dark + 1) / (light + 1))


def tail(grey: np.ndarray, sign: int) -> float:
    """The sum of the third powers of the departures from the running median on one side of it."""
    small = halve_to(grey, MEDIAN_SIDE)
    window = max(3, int(MEDIAN_WINDOW * min(small.shape))) | 1
    paper = cv2.resize(cv2.medianBlur(small, window), grey.shape[::-1])
    departure = cv2.subtract(grey, paper) if sign > 0 else cv2.subtract(paper, grey)
    return float(histogram(departure) @ np.arange(256.0) ** 3)


def wide_window(image: np.ndarray) -> int:
    """The coarse pass's closing window in px."""
    return max(3, int(WIDE_WINDOW * min(image.shape[:2])))


def contrast_to_paper(tone: np.ndarray, window: int) -> np.ndarray:
    """Contrast `(H, W) uint8` of dark ink to the paper that a closing with a `window` px square sees."""
    tone = cv2.convertScaleAbs(tone, alpha=(255 - LIFT) / 255, beta=LIFT)
    times = max(0, int(log2(window / FINE_WINDOW)))  # a wide window needs no fine grid
    small = halve(tone, times) if times else cv2.blur(tone, (3, 3))
    side = max(3, round(window / 2**times)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    if times:
        paper = cv2.resize(paper, tone.shape[::-1])
    return cv2.bitwise_not(cv2.divide(tone, paper, scale=255))


def noise_floor(contrast: np.ndarray) -> int:
    """The contrast that paper's grain does not reach: median + `NOISE_SIGMAS` robust standard deviations."""
    step = max(1, min(contrast.shape) // 120)
    levels = histogram(np.ascontiguousarray(contrast[::step, ::step]))
    median = median_level(levels)
    distance = np.abs(np.arange(256) - median)
    deviation = median_level(np.bincount(distance, weights=levels, minlength=256))
    return max(FAINTEST, min(250, round(median + NOISE_SIGMAS * 1.4826 * deviation)))


def histogram(grey: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """How often each of the 256 grey levels occurs."""
    return cv2.calcHist([grey], [0], mask, [256], [0, 256]).ravel()


def median_level(counts: np.ndarray) -> int:
    """The median of 256 grey levels that occur `counts` times."""
    total = np.cumsum(counts)
    return int(np.searchsorted(total, total[-1] / 2))


def by_level(tone: np.ndarray, level: int, ramp: int) -> np.ndarray:
    """Contrast from one grey level for the whole picture: 128 at the level, full or none `ramp` levels away from it."""
    levels = np.clip(128 + (level - np.arange(256)) * (127 / max(1, ramp)), 0, 255).astype(np.uint8)
    return cv2.LUT(tone, levels)

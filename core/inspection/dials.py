"""The robustness dials: one picture turned, moved, sized, blurred and so on, and what the network answers then."""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from core.errors import NetworkError
from core.inspection.corruptions import SIDE, blur, fade, noise, occlude, pen
from core.inspection.specimen import Specimen
from core.inspection.subject import Subject

POINTS = {"glyphs": 61, "photos": 9, "features": 61}  # of a curve: a photo takes a network tens of milliseconds
SEED = 0


@dataclass(frozen=True)
class Dial:
    title: str
    unit: str
    low: float
    high: float
    step: float
    neutral: float  # where it changes nothing

    def unit_on(self, takes: str) -> str:
        """The unit for what the network takes: a photo's lengths are in 28ths of its longer side."""
        return self.unit.replace("pixels", "28ths of its side") if takes == "photos" else self.unit


DIALS = {
    "rotate": Dial("Rotate", "degrees clockwise", -90, 90, 1, 0),
    "right": Dial("Shift right", "pixels", -10, 10, 0.5, 0),
    "down": Dial("Shift down", "pixels", -10, 10, 0.5, 0),
    "size": Dial("Scale", "times its size", 0.3, 1.7, 0.05, 1),
    "pen": Dial("Pen: thinner or thicker", "pixels", -2, 4, 0.25, 0),
    "blur": Dial("Blur", "σ, pixels", 0, 4, 0.1, 0),
    "noise": Dial("Noise", "σ, of full brightness", 0, 1, 0.05, 0),
    "contrast": Dial("Contrast", "of its own", 0, 1, 0.05, 1),
    "cover": Dial("Cover with a bar", "width, pixels", 0, 14, 0.5, 0),
}
NOT_FOR_PHOTOS = ("pen",)  # a photo has no strokes


@dataclass(frozen=True)
class Dials:
    """Where each dial stands; lengths are in pixels of a glyph, which for a photo are 1/28 of its longer side.

    Raises `NetworkError` for a value beyond its dial.
    """

    rotate: float = 0.0
    right: float = 0.0
    down: float = 0.0
    size: float = 1.0
    pen: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    contrast: float = 1.0
    cover: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, dial = getattr(self, field.name), DIALS[field.name]
            if not isinstance(value, int | float) or isinstance(value, bool) or not dial.low <= value <= dial.high:
                raise NetworkError(
                    f"The dial {dial.title!r} goes from {dial.low:g} to {dial.high:g} {dial.unit}; {value!r} came."
                )

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """A `(28, 28) float32` glyph in [0, 1] or a `(H, W, 3) uint8` photo → the same, changed."""
        if self == Dials():
            return picture.copy()
        if picture.ndim == 2:
            return self._glyph(picture.astype(np.float32))
        return self._photo(picture)

    def _glyph(self, glyph: np.ndarray) -> np.ndarray:
        drawn = self._bend(pen(glyph[None], self.pen)[0], 1.0, cv2.BORDER_CONSTANT)[None]
        seen = fade(occlude(drawn, self.cover), self.contrast)
        seen = noise(blur(seen, self.blur), self.noise, np.random.default_rng(SEED))
        return seen[0].clip(0, 1).astype(np.float32)

    def _photo(self, photo: np.ndarray) -> np.ndarray:
        """Beyond its edge a turned or smaller photo goes on mirrored."""
        height, width = photo.shape[:2]
        unit = max(height, width) / SIDE
        seen = self._bend(photo.astype(np.float32) / 255, unit, cv2.BORDER_REFLECT_101)
        half = self.cover * unit / 2
        seen[:, round(width / 2 - half) : round(width / 2 + half)] = 0
        seen = fade(seen, self.contrast)
        if self.blur:
            seen = cv2.GaussianBlur(seen, (0, 0), self.blur * unit)
        seen = noise(seen, self.noise, np.random.default_rng(SEED))
        return np.rint(seen.clip(0, 1) * 255).astype(np.uint8)

    def _bend(self, picture: np.ndarray, unit: float, border: int) -> np.ndarray:
        """Turned and sized about the centre, then moved, in one resampling."""
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -self.rotate, self.size)
        matrix = matrix + np.array([[0, 0, self.right], [0, 0, self.down]]) * unit
        return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)


def as_paper(glyph: np.ndarray, scale: int = 8) -> np.ndarray:
    """A `(28, 28)` glyph in [0, 1] as a picture of ink on paper, `(H, W) uint8`, with a margin: for the reading."""
    large = cv2.resize(1 - glyph.clip(0, 1), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.pad(np.rint(large * 255).astype(np.uint8), 4 * scale, mode="edge")


@dataclass(frozen=True, eq=False)
class Sweep:
    """What the network answers along one dial, all others as they stand."""

    values: np.ndarray  # (K,) where the dial stood
    probabilities: np.ndarray  # (K, C) calibrated
    original: int  # the answer to the untouched picture

    @property
    def of_original(self) -> np.ndarray:
        """`(K,)` the probability of the answer to the untouched picture."""
        return self.probabilities[:, self.original]

    @property
    def others(self) -> tuple[tuple[float, float], ...]:
        """The ranges (from, to) in which another answer comes first, in order.

        An answer changes somewhere between two values that were tried: the middle of the two is taken.
        """
        other = np.concatenate([[False], self.probabilities.argmax(1) != self.original, [False]])
        edges = np.concatenate([self.values[:1], (self.values[1:] + self.values[:-1]) / 2, self.values[-1:]])
        changes = np.flatnonzero(other[1:] != other[:-1])
        return tuple((float(edges[a]), float(edges[b])) for a, b in zip(changes[::2], changes[1::2], strict=True))


def sweep(subject: Subject, specimen: Specimen, dials: Dials, moved: str) -> Sweep:
    """The curve of one dial; raises `NetworkError` for what the network does not take."""
    dial = DIALS[moved]
    values = np.linspace(dial.low, dial.high, POINTS[subject.takes])
    values = np.unique(np.append(values, dial.neutral).round(6))
    changed = [replace(specimen, pixels=replace(dials, **{moved: float(v)}).apply(specimen.pixels)) for v in values]
    return _sweep(subject, specimen, changed, values)


def sweep_feature(subject: Subject, specimen: Specimen, column: int, low: float = -3.0, high: float = 3.0) -> Sweep:
    """The curve of one scaled feature of a table's row, all others as they are."""
    own = float(specimen.pixels[column])
    values = np.unique(np.append(np.linspace(min(low, own), max(high, own), POINTS["features"]), own))
    changed = []
    for value in values:
        row = specimen.pixels.copy()
        row[column] = value
        changed.append(replace(specimen, pixels=row))
    return _sweep(subject, specimen, changed, values)


def _sweep(subject: Subject, specimen: Specimen, changed: list[Specimen], values: np.ndarray) -> Sweep:
    import torch

    inputs = torch.cat([subject.inputs(one) for one in (specimen, *changed)])
    probabilities = subject.probabilities(inputs)
    return Sweep(values, probabilities[1:], int(probabilities[0].argmax()))

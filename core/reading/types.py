"""The words of reading: segment, reading, page."""

from dataclasses import dataclass, field

import numpy as np

from core.reading.ink import Survey

Box = tuple[int, int, int, int]  # (x, y, w, h) in pixels of the image that was given


@dataclass(frozen=True, eq=False)
class Segment:
    """One symbol found in an image: where it stands and what it looks like, normalised."""

    box: Box
    glyph: np.ndarray  # (28, 28) float32 in [0, 1], ink bright
    row: int  # 0 is the topmost row of writing
    contrast: float  # ink against paper, in [0, 1]
    reason: str | None = None  # why it is refused before any network sees it ("too faint", "too small", ...)
    ink: np.ndarray | None = None  # (h, w) float32 in [0, 1]: the ink that the glyph was made of
    stroke: float | None = None  # mean width of its strokes, in px of `ink`


@dataclass(frozen=True, eq=False)
class Segmentation:
    """All segments of one image in reading order, and the pictures of the steps that led to them."""

    segments: tuple[Segment, ...]
    size_wh: tuple[int, int]
    ink_is_dark: bool
    stages: dict[str, np.ndarray] = field(default_factory=dict)  # "grey", "contrast", "threshold": (H, W) uint8
    survey: Survey | None = None  # of ink and paper; None for an empty picture


@dataclass(frozen=True, eq=False)
class Reading:
    """What the recognizer says of one segment: a label with its confidence, or a refusal with its reason."""

    label: str | None  # None when refused
    confidence: float  # calibrated probability of the likeliest class, in [0, 1]
    box: Box
    row: int
    glyph: np.ndarray  # (28, 28) float32 in [0, 1]: what the network saw
    probabilities: np.ndarray  # (C,) float32, sums to 1
    reason: str | None = None  # why it was refused; None when it was read


@dataclass(frozen=True, eq=False)
class Page:
    """Everything read in one image."""

    readings: tuple[Reading, ...]  # in reading order, refused ones included
    segmentation: Segmentation
    classes: tuple[str, ...]

    @property
    def symbols(self) -> tuple[Reading, ...]:
        return tuple(r for r in self.readings if r.reason is None)

    @property
    def refused(self) -> tuple[Reading, ...]:
        return tuple(r for r in self.readings if r.reason is not None)

    @property
    def text(self) -> str:
        """The symbols as people write them: a row's stand together, rows are separated by a newline."""
        rows: dict[int, str] = {}
        for reading in self.symbols:
            rows[reading.row] = rows.get(reading.row, "") + written(reading.label or "")
        return "\n".join(rows[row] for row in sorted(rows))


GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
        "nu xi omicron pi rho sigma tau upsilon phi chi psi omega".split(),
        "αβγδεζηθικλμνξοπρστυφχψω",
        strict=True,
    )
)


def written(label: str) -> str:
    """The sign that people see for a class: `alpha` → `α`; a class with no sign of its own stays as it is."""
    return GREEK.get(label, label)

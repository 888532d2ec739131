"""The recognizer: network + classes + calibration + refusal threshold; image → readings."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import NetworkError
from core.networks import TrainedNetwork, open_network
from core.networks.passport import parse_passport
from core.reading.ink import Survey
from core.reading.segment import SegmentOptions, segment
from core.reading.splitting import cuts
from core.reading.types import Page, Reading, Segment

NOT_LIKE_ANY = "not like any class"
CLEARLY = 2.0  # the score above the threshold from which both parts of a cut segment are believed (see splitting.py)


class Recognizer:
    """Reads segments and images with one network; holds no state that changes, so threads may share it.

    Raises `NetworkError` for a network that reads no glyphs.
    """

    def __init__(self, network: TrainedNetwork) -> None:
        if not network.passport.reads_glyphs:
            raise NetworkError(
                f"The network {network.name!r} takes the rows of a table and cannot read pictures; choose one that "
                "reads handwriting, such as 'digits'."
            )
        self.network = network
        self.classes = network.passport.classes
        self.temperature = network.passport.temperature
        self.threshold = network.passport.refusal_threshold

    def classify(self, glyphs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`(N, 28, 28)` glyphs in one batch → calibrated probabilities `(N, C)` and symbol scores `(N,)`.

        The score is the log-sum-exp of the logits (the negative free energy of Liu et al. 2020): high for what looks
        like some class; below `self.threshold` the glyph is no symbol of this network's.
        """
        if len(glyphs) == 0:
            return np.zeros((0, len(self.classes)), np.float32), np.zeros(0, np.float32)
        logits = self.network.logits(np.ascontiguousarray(glyphs, np.float32))
        score = log_sum_exp(logits)
        scaled = logits / self.temperature
        return np.exp(scaled - log_sum_exp(scaled)[:, None]), score

    def read_segments(self, segments: tuple[Segment, ...]) -> tuple[Reading, ...]:
        """The readings of the segments, in the same order; one batched call.

        One reading for each, but two where a segment is refused and both parts of a cut through it are symbols.
        """
        asked = [s for s in segments if s.reason is None]
        probabilities, scores = self.classify(np.stack([s.glyph for s in asked]) if asked else np.zeros((0, 28, 28)))
        answers = iter(zip(probabilities, scores, strict=True))
        nothing = np.full(len(self.classes), 1 / len(self.classes), np.float32)
        readings = [self._reading(s, *(next(answers) if s.reason is None else (nothing, -np.inf))) for s in segments]
        return tuple(part for s, whole in zip(segments, readings, strict=True) for part in self._parted(s, whole))

    def _parted(self, segment: Segment, whole: Reading) -> tuple[Reading, ...]:
        """The two readings that a refused segment is made of, where a cut through it gives two symbols."""
        pairs = cuts(segment) if whole.reason == NOT_LIKE_ANY else []
        if not pairs:
            return (whole,)
        probabilities, scores = self.classify(np.stack([part.glyph for pair in pairs for part in pair]))
        best = 2 * int(scores.reshape(-1, 2).min(axis=1).argmax())  # the cut whose worse part is the best
        if scores[best : best + 2].min() < self.threshold + CLEARLY:
            return (whole,)
        left, right = pairs[best // 2]
        return (
            self._reading(left, probabilities[best], float(scores[best])),
            self._reading(right, probabilities[best + 1], float(scores[best + 1])),
        )

    def _reading(self, segment: Segment, probabilities: np.ndarray, score: float) -> Reading:
        best = int(probabilities.argmax())
        reason = segment.reason or (NOT_LIKE_ANY if score < self.threshold else None)
        label = None if reason else self.classes[best]
        return Reading(
            label, float(probabilities[best]), segment.box, segment.row, segment.glyph, probabilities, reason
        )

    def read(self, image: np.ndarray, options: SegmentOptions = SegmentOptions(), survey: Survey | None = None) -> Page:
        """Everything in an image, `(H, W, 3) uint8` RGB or `(H, W) uint8` grey; `survey` as for `segment`."""
        found = segment(image, options, survey)
        return Page(self.read_segments(found.segments), found, self.classes)


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """`(N, C)` → `(N,)`, safe for large values."""
    top = logits.max(axis=1)
    return top + np.log(np.exp(logits - top[:, None]).sum(axis=1))


def open_recognizer(name: str = "digits") -> Recognizer:
    """The recognizer of a stored network; raises `NetworkError` when it is unknown, damaged or reads no glyphs."""
    network = open_network(name)
    return _recognizer(network.folder, json.dumps(network.passport.to_json()))


@lru_cache(maxsize=8)
def _recognizer(folder: Path, passport: str) -> Recognizer:
    """By its passport, for a network that was trained anew under its name is another one."""
    return Recognizer(TrainedNetwork(parse_passport(passport.encode()), folder))

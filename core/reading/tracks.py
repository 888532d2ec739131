"""Tracks: symbols followed over the frames of a video, what is said of them fused over time.

A frame alone is noisy: a blur hides a stroke, a hand covers a symbol, a 1 looks like a 7 for a moment. A track keeps a
symbol's identity from frame to frame and averages the log-probabilities that the network gives it, the newest
weighing most, so that the text stands still while the writing does and changes at once when the page is turned.
All thresholds below are heuristics, chosen on clips of real ink on drawn paper at 25 to 30 frames a second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.reading.types import Box, Reading

REACH = 0.75  # a symbol moves by less than this share of its longest side between two frames (camera motion taken out)
MAX_GROWTH = 1.7  # ... and grows or shrinks by less than this factor
MIN_LIKENESS = 0.6  # cosine of two glyphs: below it, what stands in a symbol's place is another symbol
CONFIRM_FRAMES = 3  # a newcomer is shown when it was seen in so many frames running: dirt and blur come and go faster
HOLD_S = 0.4  # a symbol that is covered stays in the text for so long
OVERLAP = 0.3  # intersection over union at which a newcomer takes the place of a missing symbol
LABEL_LEAD = 0.4  # a shown label gives way when another's mean log-probability is better by this (odds of 1.5)
REFUSE_ABOVE, ADMIT_BELOW = 0.6, 0.4  # share of recent frames that refuse: two levels, so that it does not toggle
FLOOR = 1e-4  # no single frame may rule a class out for good


@dataclass(frozen=True, eq=False)
class TrackedSymbol:
    """A track as it stands after one frame."""

    track: int  # its number, never used twice in a video
    label: str | None  # None when refused
    confidence: float  # fused probability of the label (refused: of the likeliest class), in [0, 1]
    box: Box
    row: int
    glyph: np.ndarray  # (28, 28) float32 in [0, 1], of the last frame that showed it
    probabilities: np.ndarray  # (C,) float32, sums to 1: normalised geometric mean over the recent frames
    reason: str | None  # why it is refused; None when it is read
    visible: bool  # False while it is only held


@dataclass(frozen=True, eq=False)
class _Sight:
    """One reading of a frame, with what the tracks compare of it."""

    reading: Reading
    centre: np.ndarray  # (2,) x, y in pixels
    longest: float  # side of the box in pixels
    glyph: np.ndarray  # (784,), of length 1
    log_probabilities: np.ndarray  # (C,)


class _Track:
    """What is remembered of one symbol; its size does not depend on how long it has been followed."""

    def __init__(self, number: int, sight: _Sight, time_s: float) -> None:
        self.number = number
        self.frames = 1
        self.weight = 1.0
        self.log_probabilities = sight.log_probabilities.copy()
        self.refused = float(sight.reading.reason is not None)
        self.is_refused = sight.reading.reason is not None
        self.reason = sight.reading.reason
        self.glyph = sight.glyph  # averaged over the recent frames
        self.shown = int(self.log_probabilities.argmax())
        self.last, self.last_s = sight, time_s

    @property
    def confirmed(self) -> bool:
        return self.frames >= CONFIRM_FRAMES

    def see(self, sight: _Sight, time_s: float, smoothing_s: float) -> None:
        """Takes in one more frame; older frames lose half of their weight every `smoothing_s` seconds."""
        kept = self.weight * 0.5 ** ((time_s - self.last_s) / smoothing_s) if smoothing_s > 0 else 0.0
        self.weight = kept + 1.0
        self.log_probabilities += (sight.log_probabilities - self.log_probabilities) / self.weight
        self.refused += (float(sight.reading.reason is not None) - self.refused) / self.weight
        self.is_refused = self.refused > (ADMIT_BELOW if self.is_refused else REFUSE_ABOVE)
        self.reason = sight.reading.reason or self.reason
        self.glyph = 0.7 * self.glyph + 0.3 * sight.glyph
        best = int(self.log_probabilities.argmax())
        if self.log_probabilities[best] > self.log_probabilities[self.shown] + LABEL_LEAD:
            self.shown = best
        self.frames += 1
        self.last, self.last_s = sight, time_s


class Tracker:
    """Follows the symbols of one video; one thread at a time."""

    def __init__(self, classes: Sequence[str], smoothing_s: float = 0.25, first_number: int = 1) -> None:
        self.classes = tuple(classes)
        self.smoothing_s = smoothing_s
        self.next_number = first_number
        self._tracks: list[_Track] = []  # in reading order
        self._last_s = -np.inf
        self._motion = np.zeros(2)  # of the whole picture between the last two frames, in pixels

    def update(self, readings: Sequence[Reading], time_s: float) -> tuple[TrackedSymbol, ...]:
        """The readings of the next frame, in reading order, and its time → the symbols that stand, in reading order."""
        if time_s < self._last_s:  # another video, or the same one played anew
            self._tracks = []
        self._last_s = time_s
        sights = _look(readings)
        pairs = self._match(sights)
        moves = [sights[index].centre - track.last.centre for index, track in pairs.items()]
        self._motion = np.median(moves, axis=0) if moves else np.zeros(2)
        newly_confirmed: list[_Track] = []
        seen: list[_Track] = []
        for index, sight in enumerate(sights):
            track = pairs.get(index)
            if track is None:
                track = _Track(self.next_number, sight, time_s)
                self.next_number += 1
            else:
                track.see(sight, time_s, self.smoothing_s)
            if track.frames == CONFIRM_FRAMES:
                newly_confirmed.append(track)
            seen.append(track)
        missing = self._still_held(seen, newly_confirmed, time_s)
        self._tracks = _in_reading_order(self._tracks, seen, missing)
        return self._symbols([track for track in self._tracks if track.confirmed], time_s)

    def learn(self, classes: Sequence[str]) -> None:
        """Other classes from the next frame on; the tracks stay, but what they said before it counts no more."""
        for track in self._tracks:
            said = dict(zip(self.classes, track.log_probabilities, strict=True))
            shown = self.classes[track.shown]
            track.log_probabilities = np.array([said.get(label, np.log(FLOOR)) for label in classes])
            track.shown = classes.index(shown) if shown in classes else int(track.log_probabilities.argmax())
            track.weight = 0.0
        self.classes = tuple(classes)

    def _match(self, sights: Sequence[_Sight]) -> dict[int, _Track]:
        """Index of a sight → its track: nearest pairs first, among those that could be the same symbol."""
        if not sights or not self._tracks:
            return {}
        last = [track.last for track in self._tracks]
        expected = np.stack([sight.centre for sight in last]) + self._motion
        offsets = np.stack([sight.centre for sight in sights])[:, None] - expected[None]
        sizes = np.array([sight.longest for sight in sights])[:, None]
        last_sizes = np.array([sight.longest for sight in last])[None]
        distances = np.hypot(offsets[..., 0], offsets[..., 1]) / np.maximum(sizes, last_sizes)
        growth = np.maximum(sizes / last_sizes, last_sizes / sizes)
        likeness = np.stack([sight.glyph for sight in sights]) @ np.stack([track.glyph for track in self._tracks]).T
        possible = (distances < REACH) & (growth < MAX_GROWTH) & (likeness > MIN_LIKENESS)
        cost = np.where(possible, distances - likeness, np.inf)
        pairs: dict[int, _Track] = {}
        while cost.min() < np.inf:
            r, t = np.unravel_index(cost.argmin(), cost.shape)
            pairs[int(r)] = self._tracks[t]
            cost[r, :] = cost[:, t] = np.inf
        return pairs

    def _symbols(self, tracks: Sequence[_Track], time_s: float) -> tuple[TrackedSymbol, ...]:
        """The tracks as they stand after a frame at that time."""
        if not tracks:
            return ()
        logs = np.stack([track.log_probabilities for track in tracks])
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        fused = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)  # (N, C)
        best = fused.max(axis=1)
        return tuple(
            TrackedSymbol(
                track=track.number,
                label=None if track.is_refused else self.classes[track.shown],
                confidence=float(best[i] if track.is_refused else fused[i, track.shown]),
                box=track.last.reading.box,
                row=track.last.reading.row,
                glyph=track.last.reading.glyph,
                probabilities=fused[i],
                reason=track.reason if track.is_refused else None,
                visible=track.last_s == time_s,
            )
            for i, track in enumerate(tracks)
        )

    def _still_held(self, seen: list[_Track], newly_confirmed: list[_Track], time_s: float) -> list[_Track]:
        """The tracks that this frame does not show but the text keeps for a moment.

        A newcomer ends the hold of what stood in its place. When half of the symbols are missing and newcomers
        stand, the page was turned and nothing of the old one is held.
        """
        numbers = {track.number for track in seen}
        shown = [track for track in self._tracks if track.confirmed]
        missing = [t for t in shown if t.number not in numbers and time_s - t.last_s <= HOLD_S]
        newcomers = [track for track in newly_confirmed if not track.is_refused]
        if newcomers and 2 * len(missing) >= len([t for t in shown if t not in newcomers]):
            return []
        return [
            t for t in missing if all(_overlap(t.last.reading.box, new.last.reading.box) < OVERLAP for new in newcomers)
        ]


def _in_reading_order(before: list[_Track], seen: list[_Track], missing: list[_Track]) -> list[_Track]:
    """The seen tracks as this frame orders them; each missing one follows the neighbour that it used to follow."""
    order = list(seen)
    held = {track.number for track in missing}
    for position, track in enumerate(before):
        if track.number in held:
            earlier = {t.number for t in before[:position]}
            after = max((i for i, t in enumerate(order) if t.number in earlier), default=-1)
            order.insert(after + 1, track)
    return order


def _look(readings: Sequence[Reading]) -> list[_Sight]:
    """The readings of a frame, prepared all at once."""
    if not readings:
        return []
    boxes = np.array([reading.box for reading in readings], float)
    centres, longest = boxes[:, :2] + boxes[:, 2:] / 2, np.maximum(boxes[:, 2:].max(axis=1), 1)
    glyphs = np.stack([reading.glyph.ravel() for reading in readings])
    glyphs = glyphs / (np.linalg.norm(glyphs, axis=1, keepdims=True) + 1e-9)
    logs = np.log(np.maximum(np.stack([reading.probabilities for reading in readings]), FLOOR))
    return [_Sight(*each) for each in zip(readings, centres, longest, glyphs, logs, strict=True)]


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared) if shared else 0.0


def unsure(symbols: Iterable[TrackedSymbol], confidence: float) -> tuple[TrackedSymbol, ...]:
    """The same symbols; those surer than nothing but below the confidence needed are refused with that reason."""
    return tuple(
        replace(s, label=None, reason="not sure enough") if s.reason is None and s.confidence < confidence else s
        for s in symbols
    )

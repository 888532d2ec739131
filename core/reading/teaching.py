"""Teaching live: captured glyphs of new symbols, and a recognizer that reads them with any network.

What is kept are the glyphs. With another network they are embedded anew, so that they outlast it; nothing here knows
where the glyphs came from.
"""

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np

from core.errors import DataError
from core.networks import TrainedNetwork
from core.reading.prototypes import changed, fit_prototypes, ground_of
from core.reading.recognizer import Recognizer
from core.reading.taught import TaughtRecognizer

ENOUGH = 3  # captures from which a symbol is read well (see `core.bench.teaching`)
MAX_SYMBOLS, MAX_CAPTURES = 24, 40  # of a session; each capture costs about 10 ms once
SAME, NEARLY_SAME = 0.9999, 0.985  # cosine of two blurred glyphs: the very same picture; no new view of the symbol
REMEMBERED = 200  # embedded captures

_worker = ThreadPoolExecutor(1, thread_name_prefix="teaching")
_ready: OrderedDict[TrainedNetwork, Future] = OrderedDict()
_asking = Lock()
NETWORKS = 4  # that are held ready


def prepare(recognizer: Recognizer) -> Future:
    """Gets ready what teaching needs of a network, in the background; done at once where it is ready.

    Its `exception()` says why where it cannot be: the network has no embedding, or is damaged.
    """

    def work() -> None:
        ground_of(recognizer.network)
        changed(np.zeros((28, 28), np.float32), 0)  # torch is there when the first capture needs it

    with _asking:
        if recognizer.network not in _ready:
            _ready[recognizer.network] = _worker.submit(work)
            while len(_ready) > NETWORKS:
                _ready.popitem(last=False)
        return _ready[recognizer.network]


@dataclass(frozen=True, eq=False)
class Capture:
    """One glyph of a symbol, as a frame showed it."""

    number: int  # in the order of capturing, never used twice in a session
    label: str
    glyph: np.ndarray  # (28, 28) float32 in [0, 1], ink bright


@dataclass(frozen=True)
class Taken:
    """What came of a capture."""

    capture: Capture
    like: int | None  # which earlier capture of the symbol (counted from 1) shows nearly the same


class Teaching:
    """The captures of one session, in their order; every change can be undone. Several threads may ask."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._captures: tuple[Capture, ...] = ()
        self._next = 1
        self._rows: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()  # embedded copies by network and capture
        self._made: tuple[tuple, Recognizer] | None = None

    @property
    def captures(self) -> tuple[Capture, ...]:
        return self._captures

    @property
    def labels(self) -> tuple[str, ...]:
        """The taught symbols, in the order in which they first came."""
        return tuple(dict.fromkeys(capture.label for capture in self._captures))

    def of(self, label: str) -> tuple[Capture, ...]:
        return tuple(capture for capture in self._captures if capture.label == label)

    def take(self, label: str, glyph: np.ndarray) -> Taken:
        """Adds a glyph; raises `DataError` where it shows nothing new or there are too many."""
        with self._guard:
            mine = self.of(label)
            if not mine and len(self.labels) >= MAX_SYMBOLS:
                raise DataError(f"{MAX_SYMBOLS} symbols are taught already, the most there can be; forget one first.")
            if len(mine) >= MAX_CAPTURES:
                raise DataError(f"There are {MAX_CAPTURES} captures of it already, the most there can be.")
            if not np.any(glyph > 0):
                raise DataError("There is no ink in this picture of the symbol; hold it before the camera again.")
            likeness = _likeness(glyph, [capture.glyph for capture in mine])
            nearest = int(likeness.argmax()) if mine else None
            if nearest is not None and likeness[nearest] > SAME:
                raise DataError(
                    f"This is the very picture of capture {nearest + 1}: move the paper a little, or write it anew."
                )
            capture = Capture(self._next, label, np.array(glyph, np.float32))
            self._next += 1
            self._captures += (capture,)
        alike = nearest is not None and likeness[nearest] > NEARLY_SAME
        return Taken(capture, nearest + 1 if nearest is not None and alike else None)

    def remove(self, number: int) -> None:
        with self._guard:
            self._captures = tuple(capture for capture in self._captures if capture.number != number)

    def undo(self) -> Capture | None:
        """Takes the last capture back, which is returned."""
        with self._guard:
            last = self._captures[-1] if self._captures else None
            self._captures = self._captures[:-1]
        return last

    def forget(self, label: str) -> tuple[Capture, ...]:
        """Forgets a symbol; its captures, for `bring_back`."""
        with self._guard:
            gone = self.of(label)
            self._captures = tuple(capture for capture in self._captures if capture.label != label)
        return gone

    def bring_back(self, captures: Sequence[Capture]) -> None:
        with self._guard:
            known = {capture.number: capture for capture in (*self._captures, *captures)}
            self._captures = tuple(known[number] for number in sorted(known))

    def recognizer(self, recognizer: Recognizer) -> Recognizer:
        """One that reads the taught symbols too; the given one where none is taught.

        The same one until a capture or the network changes. The first call for a network embeds its own samples, which
        takes up to some seconds; later ones take some hundredths of a second.
        """
        captures = self._captures
        if not captures:
            return recognizer
        wanted = (recognizer, tuple(capture.number for capture in captures))
        made = self._made
        if made is not None and made[0] == wanted:
            return made[1]
        ground = ground_of(recognizer.network)
        embedded = {capture.number: self._embedded(recognizer, capture) for capture in captures}
        labels = tuple(dict.fromkeys(capture.label for capture in captures))
        rows = [
            (label, np.concatenate([embedded[capture.number] for capture in captures if capture.label == label]))
            for label in labels
        ]
        taught = TaughtRecognizer(recognizer, ground, fit_prototypes(ground, rows))
        self._made = (wanted, taught)
        return taught

    def _embedded(self, recognizer: Recognizer, capture: Capture) -> np.ndarray:
        """`(1 + COPIES, D)`: the capture and its changed copies as the network sees them."""
        key = (recognizer.network.passport.weights_sha256, capture.number)
        with self._guard:
            rows = self._rows.get(key)
        if rows is None:
            _, rows = ground_of(recognizer.network).embedder(changed(capture.glyph, seed=capture.number))
            with self._guard:
                self._rows[key] = rows
                while len(self._rows) > REMEMBERED:
                    self._rows.popitem(last=False)
        return rows


def _likeness(glyph: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """`(N,)` cosines of glyphs, blurred so that noise at the strokes' edges counts little."""
    import cv2

    rows = np.stack([cv2.GaussianBlur(np.asarray(one, np.float32), (3, 3), 0).ravel() for one in (glyph, *others)])
    rows = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)
    return rows[1:] @ rows[0]

"""Measuring the league in the background.

Most of its time it is within ONNX Runtime and OpenCV, which let other threads work meanwhile.
"""

import threading
import time
from collections.abc import Sequence

from core.inspection.league import UNITS, measure, standing_of
from core.networks import open_network
from core.work import CountedWork, Stopped, as_sentence

_guard = threading.Lock()
_latest: "LeagueJob | None" = None


class LeagueJob(CountedWork):
    """Measures networks one after the other; its steps are the units: one clean one and 15 corruptions a network."""

    kind = "league"

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(len(names) * len(UNITS))
        self.names = names
        self.current: str | None = None  # the network that is being measured
        self.errors: dict[str, str] = {}  # network → what went wrong, as a sentence
        self.measured = 0  # of `done`; the others were known before
        self._spent = 0.0  # seconds on those that were measured now

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the units measured so far; None before the first one."""
        return self._spent / self.measured * (self.total - self.done) if self.measured else None

    def _work(self) -> None:
        for number, name in enumerate(self.names):
            self.current = name
            try:
                self._measure(name)
            except Stopped:
                raise
            except Exception as error:  # whatever a network may do, the others have their turn
                self.errors[name] = as_sentence(error, f"{name} could not be measured")
            self.done = (number + 1) * len(UNITS)

    def _end(self, state: str) -> None:
        self.current = None
        super()._end(state)

    def _measure(self, name: str) -> None:
        self.stop_event.check()
        trained = open_network(name)
        self.done += len(UNITS) - len(standing_of(trained.passport).missing)
        last = time.perf_counter()

        def progress(unit: str) -> None:
            nonlocal last
            now = time.perf_counter()
            self._spent, last = self._spent + now - last, now
            self.measured += 1
            self.done += 1

        measure(trained, progress, self.stop_event.is_set)


def start(names: Sequence[str]) -> LeagueJob:
    """Begins to measure these networks; where a measurement is going on already, that one."""
    global _latest
    with _guard:
        if _latest is None or not _latest.running:
            _latest = LeagueJob(tuple(names)).begin()
        return _latest


def latest() -> LeagueJob | None:
    """The measurement that is going on, or the last one of this server."""
    return _latest

"""Measuring the league in the background: one thread of the server, which outlives page and tab.

Most of its time it is within ONNX Runtime and OpenCV, which let other threads work meanwhile.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import InklingError
from core.inspection.league import UNITS, Stopped, measure, standing_of
from core.networks import open_network

log = logging.getLogger(__name__)
_guard = threading.Lock()
_latest: "LeagueJob | None" = None


@dataclass(eq=False)
class LeagueJob:
    """Measures networks one after the other; whoever watches only reads."""

    names: tuple[str, ...]
    current: str | None = None  # the network that is being measured
    done: int = 0  # units: each network has one clean one and 15 corruptions
    errors: dict[str, str] = field(default_factory=dict)  # network → what went wrong, as a sentence
    seconds: float = 0.0  # spent on the units that were measured now
    measured: int = 0  # of `done`; the others were known before
    state: str = "running"  # then "finished" or "stopped"

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="league", daemon=True)

    @property
    def total(self) -> int:
        return len(self.names) * len(UNITS)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the units measured so far; None before the first one."""
        return self.seconds / self.measured * (self.total - self.done) if self.measured else None

    def stop(self) -> None:
        """Asks it to stop; it does so before its next batch of samples."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _work(self) -> None:
        for number, name in enumerate(self.names):
            self.current = name
            try:
                self._measure(name)
            except Stopped:
                self.state = "stopped"
                break
            except InklingError as error:
                self.errors[name] = str(error)
            except Exception as error:  # whatever a network may do, the others have their turn
                log.exception("Measuring %s failed.", name)
                self.errors[name] = f"{name} could not be measured ({type(error).__name__}: {error})."
            self.done = (number + 1) * len(UNITS)
        else:
            self.state = "finished"
        self.current = None

    def _measure(self, name: str) -> None:
        if self._stop.is_set():
            raise Stopped
        trained = open_network(name)
        self.done += len(UNITS) - len(standing_of(trained.passport).missing)
        last = time.perf_counter()

        def progress(unit: str) -> None:
            nonlocal last
            now = time.perf_counter()
            self.seconds, last = self.seconds + now - last, now
            self.measured += 1
            self.done += 1

        measure(trained, progress, self._stop.is_set)


def start(names: Sequence[str]) -> LeagueJob:
    """Begins to measure these networks; where a measurement is going on already, that one."""
    global _latest
    with _guard:
        if _latest is None or not _latest.running:
            _latest = LeagueJob(tuple(names))
            _latest._thread.start()
        return _latest


def latest() -> LeagueJob | None:
    """The measurement that is going on, or the last one of this server."""
    return _latest

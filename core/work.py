"""Work in the background: in a thread of the server, which outlives page and tab.

The work alone writes how far it is and what it made; whoever watches only reads, and may ask it to stop.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from core.errors import InklingError

log = logging.getLogger(__name__)
Stop = Callable[[], bool]  # whether somebody asked to stop


class Stopped(Exception):
    """Raised within work that was asked to stop."""


class StopAtOnce:
    """A stop event that raises where it is asked: of what was stopped half way nothing shall be measured or kept."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def check(self) -> None:
        """Raises `Stopped` once it was asked to stop."""
        if self.asked.is_set():
            raise Stopped

    def is_set(self) -> bool:
        self.check()
        return False


class Work:
    """A subclass does `_work`, asks `stop_event` often meanwhile, and says what share is done."""

    kind = "work"  # the thread's name

    def __init__(self) -> None:
        self.state = "running"  # or "waiting" for its turn; then "finished", "stopped" or "failed"
        self.problem = ""  # what made it fail, as a sentence
        self.began = time.monotonic()  # it, or the part of it that `progress` is about
        self.stop_event = StopAtOnce()
        self._thread = threading.Thread(target=self._run, name=self.kind, daemon=True)
        self._ended: float | None = None

    @property
    def progress(self) -> float:
        """The share that is done, in [0, 1]."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def stopping(self) -> bool:
        return self.running and self.stop_event.asked.is_set()

    @property
    def seconds(self) -> float:
        """Since it began, until now or until it ended."""
        return (self._ended or time.monotonic()) - self.began

    @property
    def seconds_left(self) -> float | None:
        """As if the rest went as fast as what is done; None while too little is done to tell."""
        gone, share = self.seconds, self.progress
        return gone / share * (1 - share) if share > 0.02 and gone > 0.5 else None

    def begin(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Asks it to stop; it does so where it next asks, which is before its next batch of samples."""
        self.stop_event.asked.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _work(self) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        state = "failed"
        try:
            self._work()
            state = "finished"
        except Stopped:
            state = "stopped"
        except Exception as error:  # a thread's error would be seen by nobody
            self.problem = as_sentence(error, "This broke off, and nothing was changed")
        self._ended = time.monotonic()
        self._end(state)

    def _end(self, state: str) -> None:
        """The last thing that the thread does."""
        self.state = state


class CountedWork(Work):
    """Work in steps of about the same length."""

    def __init__(self, total: int = 0) -> None:
        super().__init__()
        self.done, self.total = 0, total

    @property
    def progress(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


def as_sentence(error: Exception, what: str) -> str:
    """An `InklingError` in its own words; of any other, which the log has with its trace, `what` happened and why."""
    if isinstance(error, InklingError):
        return str(error)
    log.error("%s: %s.", threading.current_thread().name, what, exc_info=error)
    return f"{what} ({type(error).__name__}: {error})."

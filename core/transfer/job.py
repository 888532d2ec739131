"""Work on letters in the background: one thread of the server, which outlives page and tab; one job at a time.

The job alone writes its status; whoever watches only reads, and may ask it to stop.
"""

import logging
import threading
import time
from collections import OrderedDict

from core.errors import InklingError

log = logging.getLogger(__name__)
REMEMBERED = 6  # ended jobs that are kept, the newest; each holds a network or a few
_guard = threading.Lock()
_running: "Job | None" = None
_ended: "OrderedDict[tuple[str, str], Job]" = OrderedDict()


class Stopped(Exception):
    """Raised within the work where it was asked to stop."""


class StopAtOnce(threading.Event):
    """A stop event that raises where it is asked: of what was stopped half way nothing shall be measured or kept."""

    def __init__(self, asked: threading.Event) -> None:
        super().__init__()
        self._asked = asked

    def is_set(self) -> bool:
        if self._asked.is_set():
            raise Stopped
        return False


class Job:
    """Work in a thread. A subclass has a `kind`, and does `_work`, which raises `Stopped` where it was stopped."""

    kind = "job"

    def __init__(self, name: str) -> None:
        self.name = name  # of the letters set: with the kind it says what this job is about
        self.state = "running"  # then "finished", "stopped" or "failed"
        self.problem = ""  # what made it fail, as a sentence
        self.began = time.monotonic()
        self.seconds = 0.0  # that it took in all, once it has ended
        self.stop_event = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.kind, daemon=True)

    @property
    def progress(self) -> float:
        """The share that is done, in [0, 1]."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def stopping(self) -> bool:
        return self.running and self.stop_event.is_set()

    @property
    def seconds_left(self) -> float | None:
        """As if the rest went as fast as what is done; None while too little is done to tell."""
        gone, share = time.monotonic() - self.began, self.progress
        return gone / share * (1 - share) if share > 0.02 and gone > 0.5 else None

    def stop(self) -> None:
        """Asks it to stop; it does so before its next batch of samples."""
        self.stop_event.set()

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
        except InklingError as error:
            self.problem = str(error)
        except Exception as error:  # a thread's error would be seen by nobody
            log.exception("The work on %s failed.", self.name)
            self.problem = f"This broke off ({type(error).__name__}: {error}); nothing was changed."
        self.seconds = time.monotonic() - self.began
        _put_down(self, state)


def start(job: Job) -> Job:
    """Begins the job; where another one is going on, that one is returned and this one is not begun."""
    global _running
    with _guard:
        if _running is not None:
            return _running
        _running = job
        job._thread.start()
        return job


def running() -> Job | None:
    """The job that is going on, whoever began it."""
    return _running


def ended(kind: str, name: str) -> Job | None:
    """The last job of this kind about this letters set that has ended, while the server remembers it."""
    return _ended.get((kind, name))


def forget(kind: str, name: str) -> None:
    with _guard:
        _ended.pop((kind, name), None)


def _put_down(job: Job, state: str) -> None:
    global _running
    with _guard:
        job.state = state
        _running = None
        _ended[job.kind, job.name] = job
        _ended.move_to_end((job.kind, job.name))
        while len(_ended) > REMEMBERED:
            _ended.popitem(last=False)

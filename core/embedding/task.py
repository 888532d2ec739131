"""Measuring in the background: one thread of the server for each task, which outlives page and tab."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from core.embedding.space import Tell
from core.errors import InklingError

log = logging.getLogger(__name__)
MOST_TASKS = 20  # remembered after their end
_guard = threading.Lock()
_turn = threading.Semaphore(1)  # one at a time: two would share the same few cores
_tasks: dict[str, "Task"] = {}


class Stopped(Exception):
    """Raised within the work where it tells how far it is, once it was asked to stop."""


class Task:
    """Work that tells how far it is; whoever watches only reads. `made` is what it returned, once it has finished."""

    def __init__(self, work: Callable[[Tell], Any]) -> None:
        self.done, self.total = 0, 0
        self.state = "waiting"  # "running", then "finished", "stopped" or "failed"
        self.problem = ""  # what made it fail, as a sentence
        self.made: Any = None
        self._work = work
        self._began = time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedding-task", daemon=True)

    @property
    def running(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def stopping(self) -> bool:
        return self.running and self._stop.is_set()

    @property
    def progress(self) -> float:
        """The share that is done, in [0, 1]."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """As if the rest went as fast as what is done; None while too little is done to tell."""
        share, gone = self.progress, time.perf_counter() - self._began
        return gone / share * (1 - share) if share > 0.02 and gone > 0.5 else None

    def stop(self) -> None:
        """Asks it to stop; it does so where it next tells how far it is."""
        self._stop.set()

    def join(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise Stopped

    def _run(self) -> None:
        state = "failed"
        try:
            while not _turn.acquire(timeout=0.2):
                if self._stop.is_set():
                    raise Stopped
            try:
                self.state, self._began = "running", time.perf_counter()
                self.made = self._work(self._tell)
            finally:
                _turn.release()
            state = "finished"
        except Stopped:
            state = "stopped"
        except InklingError as error:
            self.problem = str(error)
        except Exception as error:  # a thread's error would be seen by nobody
            log.exception("A measurement failed.")
            self.problem = f"This broke off ({type(error).__name__}: {error}); nothing was changed."
        self.state = state


def start(key: str, work: Callable[[Tell], Any]) -> Task:
    """Begins the work; where it goes on already under this key, that task."""
    with _guard:
        task = _tasks.get(key)
        if task is None or not task.running:
            for old in [k for k, other in _tasks.items() if not other.running][: max(0, len(_tasks) + 1 - MOST_TASKS)]:
                del _tasks[old]
            task = _tasks[key] = Task(work)
            task._thread.start()
        return task


def latest(key: str) -> Task | None:
    """The task of this key that goes on, or the last one, while the server remembers it."""
    return _tasks.get(key)

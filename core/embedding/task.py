"""Measuring in the background: a task for whatever tells how far it is; one at a time."""

import threading
import time
from collections.abc import Callable
from typing import Any

from core.embedding.progress import Tell
from core.work import CountedWork

MOST_TASKS = 20  # remembered after their end
_guard = threading.Lock()
_turn = threading.Semaphore(1)  # one at a time: two would share the same few cores
_tasks: dict[str, "Task"] = {}


class Task(CountedWork):
    """Work that tells how far it is, and stops where it does. `made` is what it returned, once it has finished."""

    kind = "embedding-task"

    def __init__(self, measure: Callable[[Tell], Any]) -> None:
        super().__init__()
        self.state = "waiting"
        self.made: Any = None
        self._measure = measure

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.stop_event.check()

    def _work(self) -> None:
        while not _turn.acquire(timeout=0.2):
            self.stop_event.check()
        try:
            self.state, self.began = "running", time.monotonic()
            self.made = self._measure(self._tell)
        finally:
            _turn.release()


def start(key: str, work: Callable[[Tell], Any]) -> Task:
    """Begins the work; where it goes on already under this key, that task."""
    with _guard:
        task = _tasks.get(key)
        if task is None or not task.running:
            for old in [k for k, other in _tasks.items() if not other.running][: max(0, len(_tasks) + 1 - MOST_TASKS)]:
                del _tasks[old]
            task = _tasks[key] = Task(work).begin()
        return task


def latest(key: str) -> Task | None:
    """The task of this key that goes on, or the last one, while the server remembers it."""
    return _tasks.get(key)

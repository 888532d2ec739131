"""Work on letters in the background: one job at a time."""

import threading
from collections import OrderedDict

from core.work import Work

REMEMBERED = 6  # ended jobs that are kept, the newest; each holds a network or a few
_guard = threading.Lock()
_running: "Job | None" = None
_ended: "OrderedDict[tuple[str, str], Job]" = OrderedDict()


class Job(Work):
    """Work that is found again by its `kind` and the name of the letters set that it is about."""

    kind = "job"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def _end(self, state: str) -> None:
        global _running
        with _guard:
            super()._end(state)
            _running = None
            _ended[self.kind, self.name] = self
            _ended.move_to_end((self.kind, self.name))
            while len(_ended) > REMEMBERED:
                _ended.popitem(last=False)


def start(job: Job) -> Job:
    """Begins the job; where another one is going on, that one is returned and this one is not begun."""
    global _running
    with _guard:
        if _running is not None:
            return _running
        _running = job
        return job.begin()


def running() -> Job | None:
    """The job that is going on, whoever began it."""
    return _running


def ended(kind: str, name: str) -> Job | None:
    """The last job of this kind about this letters set that has ended, while the server remembers it."""
    return _ended.get((kind, name))


def forget(kind: str, name: str) -> None:
    with _guard:
        _ended.pop((kind, name), None)

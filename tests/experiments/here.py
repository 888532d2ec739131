"""A pool that works in this process, at once: the driver's own path without a process to start."""

from concurrent.futures import Future
from pathlib import Path

from core.experiments.driver import Driver, TrialDone
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.unit import Record, Task, work


class Here:
    name, place, waits_for, workers = "processes", "this process", "", 1

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> "Future[list[Record]]":
        self.tasks.append(task)
        future: Future[list[Record]] = Future()
        future.set_result(work(task))
        return future

    def is_back(self) -> bool:
        return True

    def close(self, at_once: bool) -> None: ...


def carry_out(study: Study, folder: Path, most: int | None = None) -> tuple[list[TrialDone], Here, Storage]:
    """The trials that ended, the pool with its tasks, the storage; `most`: stopped after so many."""
    storage, pool, done = Storage(f"sqlite:///{folder}/studies.db"), Here(), []
    for trial in Driver(study, storage, pool).run():
        if not trial.earlier:
            done.append(trial)
        if len(done) == most:
            break
    return done, pool, storage

"""Where trials run: processes of this machine; a Dask cluster stands in `core.experiments.cluster`."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import forkserver
from typing import Protocol

from core.errors import ExperimentError
from core.experiments import EXECUTORS
from core.experiments.unit import Record, Task, work
from core.paths import data_dir, home_dir

MOST_WORKERS = 1024
PRELOAD = ["core.experiments.preload"]  # what worker processes have imported before they begin
# What a worker's libraries read when they start. One thread each: two trainings of two threads would fight over two
# cores. And memory that a batch needed is kept for the next one: by default glibc gives it back each time, and the
# system's share of a small training's CPU time was a third (77,000 page faults; 3 with this).
SURROUNDINGS = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30),
}  # fmt: skip


class PoolAway(Exception):
    """The cluster does not answer; its tasks are lost, but no worker died of them."""


class Pool(Protocol):
    """Where tasks run. A future that ends with `BrokenExecutor` lost its worker, one with `PoolAway` its cluster."""

    name: str  # one of `EXECUTORS`
    place: str  # for people

    @property
    def workers(self) -> int: ...
    @property
    def waits_for(self) -> str:
        """A sentence, where nothing can run at the moment."""

    def submit(self, task: Task) -> "Future[list[Record]]": ...
    def is_back(self) -> bool:
        """After `PoolAway`: whether tasks can be handed to it again."""

    def close(self, at_once: bool) -> None: ...


def executor(name: str, workers: int | None = None, scheduler: str | None = None) -> Pool:
    """The pool of that name; raises `ExperimentError` for an unknown one, or where the cluster does not answer."""
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise ExperimentError(f"There can be 1 to {MOST_WORKERS} workers, not {workers}.")
    if scheduler is not None and name != "dask":
        raise ExperimentError("A scheduler belongs to the executor dask; add --executor dask.")
    if name == "processes":
        return Processes(workers)
    if name == "dask":
        from core.experiments.cluster import Dask

        return Dask(scheduler, workers)
    raise ExperimentError(f"Trials run on one of: {', '.join(EXECUTORS)}; not on {name!r}.")


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Processes:
    """One process a core. Each has an executor of its own, so that one that dies takes no other with it."""

    name, place, waits_for = "processes", "this machine's processes", ""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self._guard = threading.Lock()
        self._waiting: deque[tuple[Task, Future[list[Record]]]] = deque()
        self._closed = False
        with _surroundings():
            self._context = _context()
        self._idle = [self._new() for _ in range(self.workers)]
        self._all = list(self._idle)

    def submit(self, task: Task) -> "Future[list[Record]]":
        answer: Future[list[Record]] = Future()
        with self._guard:
            self._waiting.append((task, answer))
        self._hand_out()
        return answer

    def is_back(self) -> bool:
        return True

    def close(self, at_once: bool) -> None:
        with self._guard:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
        for _, answer in waiting:
            answer.cancel()
        for one in self._all:
            for process in list((one._processes or {}).values()) if at_once else []:
                process.kill()
            one.shutdown(wait=not at_once, cancel_futures=True)

    def _new(self) -> ProcessPoolExecutor:
        folders = {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())}
        return ProcessPoolExecutor(1, self._context, _begin, (SURROUNDINGS | folders,))

    def _hand_out(self) -> None:
        """Gives waiting tasks to idle processes."""
        while True:
            with self._guard:
                if self._closed or not self._waiting or not self._idle:
                    return
                (task, answer), one = self._waiting.popleft(), self._idle.pop()
            with _surroundings():
                running = one.submit(work, task)  # starts the process
            running.add_done_callback(partial(self._take_back, one=one, answer=answer))

    def _take_back(
        self, done: "Future[list[Record]]", one: ProcessPoolExecutor, answer: "Future[list[Record]]"
    ) -> None:
        error = CancelledError() if done.cancelled() else done.exception()
        with self._guard:
            if isinstance(error, BrokenExecutor):
                self._all.remove(one)
                one = self._new()
                self._all.append(one)
            self._idle.append(one)
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(done.result())
        self._hand_out()


def _context() -> multiprocessing.context.BaseContext:
    """Linux: workers are forked from a server that has imported torch once, for all; elsewhere each starts anew."""
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    forkserver.ensure_running()  # imports while the driver looks at the data
    return context


@contextmanager
def _surroundings() -> Iterator[None]:
    """The environment that started processes inherit, for as long as they start."""
    before = {name: os.environ.get(name) for name in SURROUNDINGS}
    os.environ.update(SURROUNDINGS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _begin(environment: dict[str, str]) -> None:
    """Once in each worker: where things lie, and no life after the driver's death."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which ends its workers
    threading.Thread(target=_end_with_driver, daemon=True).start()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
    os._exit(1)

"""Where trials run: processes of this machine, or a Dask cluster."""

import multiprocessing
import os
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor

from core.experiments.unit import Record, Task, work


class Processes:
    """One process a core, one thread each: two trainings of two threads would fight over two cores."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._pool = self._new()

    def submit(self, task: Task) -> "Future[list[Record]]":
        return self._pool.submit(work, task)

    def renew(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._new()

    def close(self, at_once: bool) -> None:
        if at_once:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=not at_once, cancel_futures=True)

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        return ProcessPoolExecutor(self.workers, context, _begin, (os.getpid(),))


def _begin(parent: int) -> None:
    """Once in each worker: one thread for all libraries, and no life after the parent's death."""
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

"""Trials on a Dask cluster: many machines, each with workers that were started in Inkling's folder.

Only tasks travel, some kilobytes each; data lie in each machine's own cache (`core.experiments.data_cache`).
"""

import asyncio
import logging
import os
import pickle
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from typing import Any

import dask
from distributed import Client, LocalCluster
from distributed import Future as DaskFuture
from distributed.client import ClosedClientError
from distributed.scheduler import KilledWorker

from core.errors import ExperimentError
from core.experiments.executors import SURROUNDINGS, PoolAway, cores
from core.experiments.unit import Record, Task
from core.paths import data_dir, home_dir

log = logging.getLogger(__name__)
logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said in our own words
PATIENCE_S = 10.0  # for a scheduler to answer at first
RETRY_S = 2.0  # for one that went away to answer again
LOOK_S = 1.0  # between two looks at the scheduler
GONE = (OSError, TimeoutError, CancelledError, asyncio.CancelledError)  # how a scheduler that went away shows
PACKAGES = ("torch", "numpy", "distributed", "optuna")  # of which driver and workers need the same version


class Dask:
    """A scheduler at an address, or, without one, a cluster of processes on this machine's loopback.

    Raises `ExperimentError` where the scheduler does not answer.
    """

    name = "dask"

    def __init__(self, scheduler: str | None = None, workers: int | None = None) -> None:
        self._cluster = None if scheduler else local_cluster(workers or cores())
        self.address: str = self._cluster.scheduler_address if self._cluster else str(scheduler)
        self.place = f"the Dask scheduler {self.address}"
        self._asked_workers = workers
        self._guard = threading.Lock()
        self._under_way: dict[Future[list[Record]], DaskFuture] = {}
        self._over = threading.Event()
        self._client: Client | None = _connect(self.address)
        self._workers = 0
        self._count()
        self._check_versions()
        threading.Thread(target=self._watch, name="dask-watch", daemon=True).start()

    @property
    def workers(self) -> int:
        """How many tasks run at a time now: machines may come and go. At least 1, so that tasks wait for the first."""
        return max(1, min(self._workers, self._asked_workers or self._workers))

    def submit(self, task: Task) -> "Future[list[Record]]":
        client = self._client
        if client is None or client.status != "running":
            raise PoolAway
        answer: Future[list[Record]] = Future()
        key = f"trial-{task.trial}-{task.units[0].key[:8]}-{time.time_ns()}"
        try:
            there = client.submit(_courier(), pickle.dumps(task), pure=False, key=key)
        except ClosedClientError as error:
            raise PoolAway from error
        with self._guard:
            if self._client is not client:
                raise PoolAway  # given up meanwhile, with all that was under way
            self._under_way[answer] = there
        assert client.loop is not None  # while it runs
        client.loop.add_callback(self._hand_back, client, there, answer)
        return answer

    @property
    def waits_for(self) -> str:
        if self._client is None or self._workers:
            return ""
        return (
            f"No worker has come to {self.place} yet; start some with: python -m core.experiments.workers "
            f"{self.address}"
        )

    def is_back(self) -> bool:
        client = self._client
        if client is None:
            try:
                client = self._client = _connect(self.address, RETRY_S)
            except ExperimentError:
                return False
        return client.status == "running"  # else the watch will give it up

    def close(self, at_once: bool) -> None:
        self._over.set()
        with self._guard:
            there, self._under_way = list(self._under_way.values()), {}
        try:
            if self._client is not None:
                if there:
                    self._client.cancel(there, force=True)
                self._client.close(timeout=5)
            if self._cluster is not None:
                self._cluster.close(timeout=5)
        except GONE as error:  # it went away while we said good-bye
            log.info("The cluster did not say good-bye (%s).", error)

    async def _hand_back(self, client: Client, there: DaskFuture, answer: "Future[list[Record]]") -> None:
        """All tasks' at the same time: one whose machine hangs holds up no other."""
        outcome = await _outcome(client, there)
        with self._guard:
            if self._under_way.pop(answer, None) is None:
                return  # given up meanwhile
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _watch(self) -> None:
        """Gives up what a scheduler that went away held; it forgets its tasks."""
        while not self._over.wait(LOOK_S):
            client = self._client
            if client is None:
                continue
            if client.status == "running" and self._count():
                continue
            with self._guard:
                self._client = None
                lost, self._under_way = list(self._under_way), {}
            _let_go(client)
            for answer in lost:
                answer.set_exception(PoolAway())

    def _count(self) -> bool:
        """Asks the scheduler how many tasks its workers take at a time; whether it answered."""
        try:
            self._workers = sum(self._client.nthreads().values()) if self._client else 0
        except GONE:
            return False
        return True

    def _check_versions(self) -> None:
        """Warns, in one sentence, where workers have other packages: they may not understand their tasks."""
        assert self._client is not None
        found: Any = self._client.get_versions(packages=["torch", "optuna"])
        own = found["client"]["packages"]
        for address, worker in found["workers"].items():
            theirs = worker["packages"]
            other = [f"{name} {theirs.get(name)}, not {own[name]}" for name in ("python", *PACKAGES)
                     if theirs.get(name) != own[name]]  # fmt: skip
            if other:
                log.warning("The worker %s has %s; install requirements.txt there.", address, "; ".join(other))


def _courier() -> Callable[[bytes], list[Record]]:
    """What carries a packed task out; being a nested function it travels by value.

    The scheduler reads what it hands on. So a task holds nothing of Inkling's on its way, and any scheduler will do.
    """

    def carry_out(packed: bytes) -> list[Record]:
        import pickle

        from core.experiments.unit import work

        return work(pickle.loads(packed))

    return carry_out


async def _outcome(client: Client, there: DaskFuture) -> list[Record] | BaseException:
    """What a task brought once it has ended, fetched from its worker; or how the driver knows what went wrong."""
    try:
        (records,) = await client.gather([there], asynchronous=True)
        return records
    except KilledWorker:
        return BrokenExecutor("its workers died again and again")
    except GONE:  # with the scheduler, or with the worker before it could be fetched
        return PoolAway()
    except (ImportError, AttributeError) as error:  # the task could not even be read
        return ExperimentError(
            f"A worker does not know Inkling ({error}); start workers in Inkling's folder, with its Python."
        )
    except Exception as error:  # of the task; or the client's, which says anything once it was closed
        return error if client.status == "running" else PoolAway()


def local_cluster(workers: int, threads: int = 1, preload: Sequence[str] = ()) -> LocalCluster:
    """A scheduler in this process, and worker processes beside it.

    Without Dask's profiler: it looks at trainings a hundred times a second, and a worker of many threads can hang in it
    for good under Python 3.11 (CPython's issue 106883).
    """
    settings = {"distributed.nanny.pre-spawn-environ": SURROUNDINGS, "distributed.worker.profile.enabled": False}
    with dask.config.set(settings):
        return LocalCluster(
            n_workers=workers, threads_per_worker=threads, processes=True, host="127.0.0.1", dashboard_address=None,
            worker_dashboard_address=None, memory_limit=0, silence_logs=logging.ERROR, preload=list(preload),
            env={"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())},
        )  # fmt: skip


def _connect(address: str, patience_s: float = PATIENCE_S) -> Client:
    if not re.fullmatch(r"\w+://[^/\s]+:\d+", address):
        raise ExperimentError(f"A scheduler's address is as tcp://HOST:8786, not {address!r}.")
    try:
        return Client(address, timeout=patience_s, set_as_default=False, name=f"inkling-{os.getpid()}")
    except (*GONE, ValueError) as error:
        reason = " ".join(str(error).split())[:150]
        raise ExperimentError(
            f"No Dask scheduler answers at {address} ({reason}); start one there with: dask scheduler"
        ) from error


def _let_go(client: Client) -> None:
    try:
        client.close(timeout=1)
    except (*GONE, RuntimeError) as error:
        log.info("The old client did not close (%s).", error)

"""Execution: two processes against one, Dask against processes, what a trial costs besides its training, and 10,000
sleeping trials on 200 workers.

`python -m core bench execution` keeps to SQLite; with INKLING_BENCH_STORAGE set to the address of an empty PostgreSQL
the sleeping trials are kept there.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.bench import sleeping
from core.bench.jobs import temporary_home
from core.experiments import driver as driver_module
from core.experiments.cluster import Dask, local_cluster
from core.experiments.data_cache import sha256_of
from core.experiments.driver import Driver, TrialDone
from core.experiments.executors import Pool, Processes
from core.experiments.storage import Storage
from core.experiments.study import Study

TRIALS = 24  # real trainings; with 12 the last one, alone on its core, weighs too much
SAMPLES, EPOCHS = 10_000, 2  # of MNIST, each; some 3 s on one core
MANY, WORKERS = 10_000, 200
ASLEEP_S = 4.0  # each of the many: 200 workers could end 50 a second
HURRIED, HURRY_S = 1000, 0.0  # trials that take no time: the rate that storage and driver reach by themselves


def run() -> Iterator[dict[str, Any]]:
    with temporary_home():
        yield from trainings()
        yield from hurried()
        yield from many()


def trainings() -> Iterator[dict[str, Any]]:
    """By turns on one process, two, and two Dask workers on loopback; from the first trial's end to the last's."""
    sha256_of("mnist")
    rates: dict[str, float] = {}
    for name, pool in (("one", lambda: Processes(1)), ("two", lambda: Processes(2)), ("dask", lambda: Dask(None, 2))):
        done, seconds, workers = _timed(_training_study(name), pool())
        rates[name] = 3600 * (len(done) - workers) / seconds
        trained = sum(one.seconds for one in done[workers:])
        yield {
            "what": f"real trainings, {name}",
            "figure": round(rates[name]),
            "unit": "trials an hour",
            "overhead_s": round((seconds * workers - trained) / (len(done) - workers), 2),
            "load": round(os.getloadavg()[0], 1),
        }
    yield {"what": "two processes against one", "figure": round(rates["two"] / rates["one"], 2), "unit": "times"}
    yield {"what": "Dask against processes", "figure": round(rates["dask"] / rates["two"], 2), "unit": "times"}


def _training_study(name: str) -> Study:
    rates = tuple(round(0.01 + 0.001 * number, 3) for number in range(TRIALS))
    fixed = {"samples": SAMPLES, "epochs": EPOCHS, "filters": 8, "conv_layers": 2}
    return Study("How fast?", {"learning_rate": rates}, f"bench-{name}", settings=fixed)  # type: ignore[arg-type]


def _timed(study: Study, pool: Pool, storage: Storage | None = None) -> tuple[list[TrialDone], float, int]:
    """The trials, and the seconds from when as many had ended as there are workers, until the last one's end.

    Each worker's first trial, which pays for its start, is left out.
    """
    workers, done, began = pool.workers, [], 0.0
    if storage is None:
        folder = tempfile.mkdtemp()
        storage = Storage(f"sqlite:///{Path(folder) / 'bench.db'}")
    for one in Driver(study, storage, pool).run():
        done.append(one)
        if len(done) == workers:
            began = time.perf_counter()
        ended = time.perf_counter()
    return done, ended - began, workers


def hurried() -> Iterator[dict[str, Any]]:
    """Trials that take no time, on two workers: what driver and storage take for each."""
    with _asleep(), local_cluster(1, 2, [sleeping.__name__]) as cluster:
        for storage in _storages():
            study = _sleeping_study(HURRIED, HURRY_S, f"hurried-{time.time_ns()}")
            done, seconds, workers = _timed(study, Dask(cluster.scheduler_address), storage)
            yield {
                "what": f"trials that take no time, {storage.engine.dialect.name}",
                "figure": round((len(done) - workers) / seconds, 1),
                "unit": "trials a second",
                "ms_each": round(1000 * seconds / (len(done) - workers), 1),
                "load": round(os.getloadavg()[0], 1),
            }


def many() -> Iterator[dict[str, Any]]:
    """A real scheduler, and workers of one thread each, fifty in a process."""
    with _asleep(), local_cluster(4, WORKERS // 4, [sleeping.__name__]) as cluster:
        for storage in _storages():
            study = _sleeping_study(MANY, ASLEEP_S, f"many-{time.time_ns()}")
            done, seconds, workers = _timed(study, Dask(cluster.scheduler_address), storage)
            trials = storage.open(study.name)[1].get_trials(deepcopy=False)
            right = {
                frozenset(configuration.items()): sleeping.accuracy_of(study.setup(configuration).settings, 0)
                for configuration in study.grid()
            }
            found = {frozenset(trial.params.items()): trial.value for trial in trials}
            yield {
                "what": f"{len(trials):,} sleeping trials on {workers} workers, {storage.engine.dialect.name}",
                "figure": round((len(done) - workers) / seconds, 1),
                "unit": "trials a second",
                "at_most": round(workers / ASLEEP_S, 1),
                "lost": MANY - len(found),
                "doubled": len(trials) - len(found),
                "wrong": sum(found.get(key) != value for key, value in right.items()),
                "load": round(os.getloadavg()[0], 1),
            }


def _sleeping_study(count: int, seconds: float, name: str) -> sleeping.SleepingStudy:
    rates = tuple(round(0.001 * number, 3) for number in range(1, 101))
    dimensions = {"learning_rate": rates, "batch_size": tuple(range(1, count // 100 + 1))}
    return sleeping.SleepingStudy("Who wakes up?", dimensions, name, settings={"momentum": seconds / sleeping.TENS})


def _storages() -> Iterator[Storage]:
    with tempfile.TemporaryDirectory() as folder:
        yield Storage(f"sqlite:///{Path(folder) / 'bench.db'}")
    if url := os.environ.get("INKLING_BENCH_STORAGE"):
        yield Storage(url)


class _asleep:
    """Drivers look at no data meanwhile."""

    def __enter__(self) -> None:
        self._before = driver_module.sha256_of
        sleeping.without_data()

    def __exit__(self, *_: object) -> None:
        driver_module.sha256_of = self._before

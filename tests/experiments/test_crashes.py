"""Whatever dies in mid-study, the final table is that of an undisturbed run."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import psutil
import pytest

from core.bench import sleeping
from core.experiments import driver as driver_module
from core.experiments.cluster import Dask
from core.experiments.driver import Driver
from core.experiments.storage import Storage
from tests.conftest import PROJECT
from tests.experiments.postgres import Postgres, free_port, wait_until
from tests.experiments.sleeping_driver import expected, study

optuna.logging.set_verbosity(optuna.logging.WARNING)


def table(storage: Storage, name: str = "asleep") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=storage.optuna).trials


def found(storage: Storage, name: str = "asleep") -> dict[str, float]:
    """As Optuna reads it, each configuration once, all numbers from 0 up."""
    trials = table(storage, name)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    values = {json.dumps(trial.params): trial.value for trial in trials}
    assert len(values) == len(trials), "a configuration is there twice"
    return values


def ended(storage: Storage, name: str = "asleep") -> int:
    counts = storage.counts(name)
    return counts.complete if counts else 0


def start(*command: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_worker_and_a_killed_driver_cost_only_what_was_in_flight(tmp_path):
    asked, url = study(24, 0.3), f"sqlite:///{tmp_path / 's.db'}"
    command = ("tests.experiments.sleeping_driver", url, "24", "0.3")
    first, storage = start(*command), Storage(url)
    wait_until(lambda: ended(storage) >= 4)
    everybody = psutil.Process(first.pid).children(recursive=True)
    one, other = [process for process in everybody if process.parent().pid != first.pid]
    one.kill()
    wait_until(lambda: ended(storage) >= 10)
    assert first.poll() is None  # the study goes on, with a new worker in place of the dead one
    assert other.is_running()
    everybody = psutil.Process(first.pid).children(recursive=True)
    kill(first)
    psutil.wait_procs(everybody, timeout=20)
    assert not [process for process in everybody if process.is_running() and process.status() != "zombie"]
    before = {trial.number: trial.datetime_complete for trial in table(storage) if trial.state.is_finished()}
    begun = len(table(storage))
    assert begun - len(before) <= 4  # two at work, two that waited

    output = start(*command).communicate(timeout=60)[0]
    assert found(storage) == expected(asked)
    after = {trial.number: trial.datetime_complete for trial in table(storage)}
    assert before.items() <= after.items()  # what had ended was not touched
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["trial"] for line in lines if line.get("earlier")] == sorted(before)
    assert sorted(line["trial"] for line in lines) == list(range(24))


@pytest.fixture(scope="module")
def postgres():
    one = Postgres()
    yield one
    one.remove()


class Cluster:
    """A scheduler and two workers, each a process that can be killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self._scheduler()
        self.workers = [self.worker(), self.worker()]

    def _scheduler(self) -> subprocess.Popen:
        """As the documentation has it, and far from Inkling's folder: a scheduler need not know it."""
        dask = Path(sys.executable).with_name("dask")
        return subprocess.Popen(
            [dask, "scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"], cwd="/",
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def worker(self) -> subprocess.Popen:
        return start("distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                     "--preload", "core.bench.sleeping")  # fmt: skip

    def kill_scheduler(self) -> None:
        kill(self.scheduler)

    def start_again(self) -> None:
        self.scheduler = self._scheduler()
        for worker in self.workers:
            worker.kill()
        self.workers = [self.worker(), self.worker()]

    def remove(self) -> None:
        for process in [*self.workers, self.scheduler]:
            kill(process)


@pytest.fixture(scope="module")
def cluster():
    one = Cluster()
    yield one
    one.remove()


class Run(threading.Thread):
    """A driver in a thread."""

    def __init__(self, asked, storage, pool) -> None:
        super().__init__(daemon=True)
        self.driver, self.stop, self.problem = Driver(asked, storage, pool), threading.Event(), None
        self.start()

    def run(self) -> None:
        try:
            self.done = list(self.driver.run(self.stop))
        except Exception as error:
            self.problem = error


@pytest.fixture
def without_data(monkeypatch):
    monkeypatch.setattr(driver_module, "sha256_of", lambda dataset: sleeping.DATA_SHA256)


def test_a_cluster_whose_worker_database_and_scheduler_die_ends_with_the_same_table(postgres, cluster, without_data):
    asked, storage = study(50, 0.2), Storage(postgres.url)
    run = Run(asked, storage, Dask(cluster.address))
    wait_until(lambda: ended(storage) >= 6)

    kill(cluster.workers[0])
    cluster.workers[0] = cluster.worker()
    wait_until(lambda: ended(storage) >= 16)

    postgres.crash()
    wait_until(lambda: storage.waiting)
    postgres.start()
    wait_until(lambda: ended(storage) >= 26)

    cluster.kill_scheduler()
    wait_until(lambda: "Waiting for the Dask scheduler" in run.driver.state["message"])
    cluster.start_again()
    run.join(90)
    assert run.problem is None
    assert not run.is_alive()
    assert found(storage) == expected(asked)
    assert sorted(done.trial for done in run.done) == list(range(50))


def test_two_drivers_on_one_study_share_nothing_but_the_table(postgres, cluster, without_data):
    """The second is refused; once the first has gone, it takes over."""
    asked = study(20, 0.1, "shared")
    first = Run(asked, Storage(postgres.url), Dask(cluster.address))
    wait_until(lambda: ended(Storage(postgres.url), "shared") >= 3)
    second = Run(asked, Storage(postgres.url), Dask(cluster.address))
    second.join(30)
    assert "being worked on already" in str(second.problem)
    first.stop.set()
    first.join(30)
    assert first.problem is None
    third = Run(asked, Storage(postgres.url), Dask(cluster.address))
    third.join(60)
    assert third.problem is None
    assert found(Storage(postgres.url), "shared") == expected(asked)

"""The driver: one process that carries a study out, on any executor. It alone begins and ends trials.

Trials are rows of Optuna's storage; what they need trained are units, on record in the ledger. A driver that is killed
leaves rows that run: the next one takes them up again, under their numbers.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.trial import TrialState

from core.errors import ExperimentError, InklingError
from core.experiments.dimensions import Configuration
from core.experiments.ledger import Lease, Ledger
from core.experiments.search import Known, Search, configuration_of, distributions, frozen, sampler_of, stored
from core.experiments.storage import FINISHED, Storage
from core.experiments.study import Study
from core.experiments.unit import Record, Task, Unit

log = logging.getLogger(__name__)
BEAT_S = 2.0
AHEAD = 2  # tasks handed to the executor for each worker: one runs, one waits
TRIES = 3  # a task whose worker died so often is given up
RESULT = "result"  # user attribute of a trial: `TrialResult` as JSON


class Stop(Protocol):
    def is_set(self) -> bool: ...


class Pool(Protocol):
    """Where tasks run: any `concurrent.futures.Executor`, with its number of workers and a way to replace it."""

    workers: int

    def submit(self, task: Task) -> "Future[list[Record]]": ...
    def renew(self) -> None:
        """After `BrokenExecutor`: a new executor in place of the broken one."""

    def close(self, at_once: bool) -> None: ...


@dataclass(frozen=True)
class TrialDone:
    """A trial that ended; `values` in the order of the study's objectives, none for one that failed."""

    trial: int  # its number, from 0
    params: Configuration
    values: tuple[float, ...]
    seconds: float  # of training: of all its repetitions together
    state: str  # "complete", "pruned" or "failed"
    problem: str = ""
    cached: bool = False  # answered by trainings that other trials had asked for

    def to_json(self) -> dict[str, Any]:
        params = {name: list(value) if isinstance(value, tuple) else value for name, value in self.params.items()}
        record = {"trial": self.trial, "params": params, "values": list(self.values), "seconds": round(self.seconds, 3)}
        return record | {"state": self.state} | ({"problem": self.problem} if self.problem else {})


@dataclass
class _Trial:
    id: int  # Optuna's
    number: int
    configuration: Configuration
    epochs: int


@dataclass
class _Group:
    """Trials that differ in their epochs only, and the task that answers all of them."""

    units: tuple[Unit, ...]
    trials: list[_Trial] = field(default_factory=list)
    known: dict[str, Record] = field(default_factory=dict)  # records that were there before, by key
    tries: int = 0


class Driver:
    def __init__(self, study: Study, storage: Storage, pool: Pool) -> None:
        self.study, self._storage, self._pool = study, storage, pool
        self._ledger, self._lease = Ledger(storage), Lease(storage, study.name)
        self._found = storage.keep(study)
        self._id = storage.patiently(lambda: storage.optuna.get_study_id_from_name(study.name))
        self._distributions = distributions(study)
        self._groups: dict[str, _Group] = {}  # in flight, by the key of their first unit
        self._ended: queue.SimpleQueue[tuple[str, Future[list[Record]]]] = queue.SimpleQueue()
        self._known, self._search = Known(), Search(study)
        self._began = time.monotonic()
        self._data_sha256 = ""
        self._number = 0  # the next trial's

    def run(self, stop: Stop | None = None) -> Iterator[TrialDone]:
        """Carries the study on from where it stands; yields each trial that ends.

        Raises `ExperimentError` while another process works on it, or when the storage stays away.
        """
        if not self._lease.take():
            raise ExperimentError(
                f"The study {self.study.name!r} is being worked on already; watch it, or stop it first."
            )
        beating = _Beating(self._lease)
        beating.start()
        ended = False
        try:
            self._data_sha256 = data_sha256(self.study.dataset)
            self._ledger.forget_running(self.study.name)
            yield from self._adopt()
            while not beating.asked_to_stop and not (stop and stop.is_set()):
                yield from self._fill()
                if not self._groups:
                    ended = True
                    return
                yield from self._take_ended()
        finally:
            beating.end()
            self._pool.close(at_once=not ended)
            if not beating.lost:
                self._ledger.forget_running(self.study.name)
                self._lease.let_go()

    def _adopt(self) -> Iterator[TrialDone]:
        """Takes up what an earlier driver began."""
        trials = self._storage.patiently(lambda: self._storage.optuna.get_all_trials(self._id, deepcopy=False))
        self._number = len(trials)
        for trial in trials:
            configuration = configuration_of(self.study, trial.params) if trial.params else None
            if configuration is None:  # cut off between its row and its parameters
                self._tell(trial._trial_id, TrialState.FAIL, None)
                continue
            self._known.begun.add(frozen(configuration))
            if trial.state in FINISHED:
                self._known.accuracy[frozen(configuration)] = _first_value(trial)
            else:
                yield from self._begin(
                    _Trial(trial._trial_id, trial.number, configuration, self._epochs(configuration))
                )

    def _fill(self) -> Iterator[TrialDone]:
        """Begins trials until the executor has enough to do."""
        while len(self._groups) < AHEAD * self._pool.workers and not self._is_over():
            trial = self._next()
            if trial is None:
                return
            yield from self._begin(trial)

    def _is_over(self) -> bool:
        minutes = self.study.minutes
        return minutes is not None and time.monotonic() - self._began > 60 * minutes

    def _next(self) -> _Trial | None:
        """A new row in the storage; None while there is nothing to begin."""
        if self.study.strategy in ("random", "tpe"):
            return self._ask() if len(self._known.begun) + self._repeated < self.study.trials else None
        configuration = self._search.next(self._known)
        if configuration is None:
            return None
        params = {name: stored(value) for name, value in configuration.items()}
        row = optuna.trial.create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions)
        number = self._storage.patiently(lambda: self._storage.optuna.create_new_trial(self._id, row))
        return self._row(number, configuration)

    _repeated = 0  # configurations that random or TPE drew again

    def _ask(self) -> _Trial:
        self._found.sampler = sampler_of(self.study, self._number)
        asked = self._storage.patiently(lambda: self._found.ask(self._distributions))
        configuration = configuration_of(self.study, asked.params)
        self._repeated += frozen(configuration) in self._known.begun
        return self._row(asked._trial_id, configuration)

    def _row(self, id: int, configuration: Configuration) -> _Trial:
        self._known.begun.add(frozen(configuration))
        self._number += 1
        return _Trial(id, self._number - 1, configuration, self._epochs(configuration))

    def _epochs(self, configuration: Configuration) -> int:
        try:
            return self.study.setup(configuration).config.epochs
        except InklingError:
            return 0

    def _begin(self, trial: _Trial) -> Iterator[TrialDone]:
        """Hands its units to the executor, but for those that are known or under way."""
        try:
            units = self._units(trial.configuration)
        except InklingError as error:  # drawn by random or TPE; a grid leaves it out
            yield self._finish(trial, [{"state": "failed", "problem": str(error), "epochs": []}], False)
            return
        key = units[0].key
        if key in self._groups:
            self._groups[key].trials.append(trial)
            return
        known = {k: r for k, r in self._ledger.read([unit.key for unit in units]).items() if r["state"] == "finished"}
        group = _Group(units, [trial], known)
        if len(known) == len(units):
            yield self._finish(trial, [known[unit.key] for unit in units], True)
            return
        self._groups[key] = group
        self._submit(key, group)

    def _units(self, configuration: Configuration) -> tuple[Unit, ...]:
        longest = {"epochs": self.study.longest} if self.study.longest else {}
        setup = self.study.setup(configuration | longest)  # type: ignore[operator]
        text = setup.text()
        folds = range(max(1, self.study.folds))
        seeds = range(self.study.seed, self.study.seed + self.study.seeds)
        return tuple(Unit(text, self._data_sha256, seed, fold, self.study.folds) for seed in seeds for fold in folds)

    def _submit(self, key: str, group: _Group) -> None:
        units = tuple(unit for unit in group.units if unit.key not in group.known)
        task = Task(units, self._storage.url, self.study.name, group.trials[0].id, self.study.pruning != "none")
        group.tries += 1
        try:
            future = self._pool.submit(task)
        except BrokenExecutor:
            self._pool.renew()
            future = self._pool.submit(task)
        future.add_done_callback(lambda done: self._ended.put((key, done)))

    def _take_ended(self) -> Iterator[TrialDone]:
        try:
            key, future = self._ended.get(timeout=0.5)
        except queue.Empty:
            return
        group = self._groups[key]
        try:
            records = future.result()
        except (BrokenExecutor, CancelledError, OSError) as error:  # the worker died, not the training
            yield from self._again(key, group, error)
            return
        except Exception as error:
            log.exception("A task of %s broke off.", self.study.name)
            records = [{"state": "failed", "problem": f"{type(error).__name__}: {error}", "epochs": [], "key": key}]
        del self._groups[key]
        for record in records:
            if "setup" in record:
                self._ledger.write(record["key"], self.study.name, record)
        everything = list(group.known.values()) + records
        for number, trial in enumerate(group.trials):
            yield self._finish(trial, everything, cached=number > 0)

    def _again(self, key: str, group: _Group, error: BaseException) -> Iterator[TrialDone]:
        log.warning("A worker was lost (%s); its trial runs again.", type(error).__name__)
        if group.tries < TRIES:
            self._submit(key, group)
            return
        del self._groups[key]
        problem = f"Its worker died {TRIES} times ({type(error).__name__}); the machine may lack memory."
        for trial in group.trials:
            yield self._finish(trial, [{"state": "failed", "problem": problem, "epochs": []}], False)

    def _finish(self, trial: _Trial, records: list[Record], cached: bool) -> TrialDone:
        """Writes down how the trial ended."""
        bad = next((record for record in records if record["state"] != "finished"), None)
        state = bad["state"] if bad else "complete"
        at = [record["epochs"][: trial.epochs][-1] for record in records if record["epochs"]]
        accuracies, seconds = [epoch["accuracy"] for epoch in at], [epoch["seconds"] for epoch in at]
        figures = {"accuracy": float(np.mean(accuracies or [0])), "seconds": float(np.mean(seconds or [0]))}
        result = {
            "accuracies": accuracies, "seconds": sum(seconds), "cached": cached,
            "train_accuracy": float(np.mean([epoch["train_accuracy"] for epoch in at] or [0])),
            "parameters": records[0].get("parameters", 0), "problem": bad["problem"] if bad else "",
            "before": [record["before"]["accuracy"] for record in records if record.get("before")],
            "units": [record["key"] for record in records if "key" in record], "epochs": trial.epochs,
        }  # fmt: skip
        values = tuple(figures[objective] for objective in self.study.objectives) if at and state != "failed" else ()
        ends = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}[state]
        self._storage.patiently(lambda: self._storage.optuna.set_trial_user_attr(trial.id, RESULT, result))
        self._tell(trial.id, ends, list(values) if state == "complete" else None)
        self._known.accuracy[frozen(trial.configuration)] = values[0] if state == "complete" else np.nan
        return TrialDone(
            trial.number, trial.configuration, values, result["seconds"], state, result["problem"], cached
        )  # fmt: skip

    def _tell(self, trial: int, state: TrialState, values: list[float] | None) -> None:
        try:
            self._storage.patiently(lambda: self._storage.optuna.set_trial_state_values(trial, state, values))
        except optuna.exceptions.UpdateFinishedTrialError:  # written before the storage went away
            log.info("Trial %d had ended already.", trial)


class _Beating(threading.Thread):
    """Says that this process is alive, and hears whether it shall stop."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(name="lease", daemon=True)
        self._lease, self._over = lease, threading.Event()
        self.asked_to_stop = self.lost = False

    def run(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                still, stop = self._lease.beat({})
            except ExperimentError:  # the storage is away; the driver will say so
                continue
            self.asked_to_stop |= stop or not still
            self.lost |= not still

    def end(self) -> None:
        self._over.set()
        self.join(BEAT_S)


def data_sha256(dataset: str) -> str:
    """The hash of the training samples, which every unit is begun with."""
    from core.data import load

    return load(dataset, "train").sha256


def _first_value(trial: optuna.trial.FrozenTrial) -> float:
    return trial.values[0] if trial.state == TrialState.COMPLETE and trial.values else np.nan

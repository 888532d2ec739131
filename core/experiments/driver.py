"""The driver: one process that carries a study out, on any executor. It alone begins and ends trials.

Trials are rows of Optuna's storage; what they need trained are units, on record in the ledger. A driver that is killed
leaves rows that run: the next one takes them up again, under their numbers.
"""

import logging
import os
import queue
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from core.errors import ExperimentError, InklingError
from core.experiments.data_cache import sha256_of
from core.experiments.dimensions import Configuration
from core.experiments.executors import Pool, PoolAway
from core.experiments.heartbeat import Heartbeat
from core.experiments.ledger import Lease, LeaseLost, Ledger
from core.experiments.rows import RESULT, Chosen, Ending, Row, Rows
from core.experiments.search import Known, Search, frozen
from core.experiments.storage import FINISHED, Storage
from core.experiments.study import Study
from core.experiments.unit import Record, Task, Unit

log = logging.getLogger(__name__)
AHEAD = 2  # tasks handed to the executor for each worker: one runs, one waits
TRIES = 3  # a task whose worker died so often is given up
AWAY_S = 300.0  # a cluster that stays away for longer is given up
ENDS = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


class Stop(Protocol):
    def is_set(self) -> bool: ...


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
    earlier: bool = False  # it had ended before this driver began

    def to_json(self) -> dict[str, Any]:
        params = {name: list(value) if isinstance(value, tuple) else value for name, value in self.params.items()}
        record = {"trial": self.trial, "params": params, "values": list(self.values), "seconds": round(self.seconds, 3)}
        more = {"problem": self.problem, "cached": self.cached, "earlier": self.earlier}
        return record | {"state": self.state} | {name: value for name, value in more.items() if value}


@dataclass
class _Group:
    """Trials that differ in their epochs only, and the task that answers all of them."""

    units: tuple[Unit, ...]
    trials: list[Row] = field(default_factory=list)
    known: dict[str, Record] = field(default_factory=dict)  # records that were there before, by key
    tries: int = 0

    def in_order(self, records: list[Record]) -> list[Record]:
        """All units' records, in the units' order: repetitions are compared by their seeds."""
        found = self.known | {record["key"]: record for record in records if "key" in record}
        ordered = [found[unit.key] for unit in self.units if unit.key in found]
        return ordered + [record for record in records if "key" not in record]


class Driver:
    def __init__(self, study: Study, storage: Storage, pool: Pool) -> None:
        self.study, self._storage, self._pool = study, storage, pool
        self._known, self._search = Known(), Search(study)  # raises where nothing is possible, before a row is written
        storage.keep(study)
        self._ledger, self._lease = Ledger(storage), Lease(storage, study.name)
        self._heartbeat = Heartbeat(self._lease, lambda: self.state)
        self._rows = Rows(study, storage, self._lease)
        self._groups: dict[str, _Group] = {}  # in flight, by the key of their first unit
        self._homeless: list[str] = []  # of these, those whose cluster went away
        self._away_since, self._warned = 0.0, ""
        self._logged: set[str] = set()  # kinds of failures that nobody foresaw, each told in full once
        self._ended: queue.SimpleQueue[tuple[str, Future[list[Record]]]] = queue.SimpleQueue()
        self._began = time.monotonic()
        self._data_sha256 = ""
        self._said: dict[str, Any] = {"planned": None, "finished": 0, "failed": 0, "message": ""}

    @property
    def state(self) -> dict[str, Any]:
        """What the driver says of itself, for those who watch."""
        own = {"executor": self._pool.name, "workers": self._pool.workers, "process": os.getpid()}
        message = self._said["message"] or self._pool.waits_for
        return self._said | own | {"message": message, "seconds": round(time.monotonic() - self._began, 1)}

    def run(self, stop: Stop | None = None) -> Iterator[TrialDone]:
        """Carries the study on from where it stands; yields the trials that had ended, then each that ends.

        Raises `ExperimentError` while another process works on it, or when storage or cluster stay away.
        """
        if not self._lease.take():
            self._pool.close(at_once=True)
            raise ExperimentError(
                f"The study {self.study.name!r} is being worked on already; watch it, or stop it first."
            )
        end = {"ended": "stopped", "message": "It was stopped, and can go on."}
        self._heartbeat.start()
        try:
            yield from self._run(stop)
            if not self._asked_to(stop):
                end = {"ended": "finished", "message": self._said["message"]}
        except LeaseLost:
            self._heartbeat.lost = True
            log.warning("Another process works on %s now; this one ends.", self.study.name)
        except Exception as error:
            end = {"ended": "failed", "message": str(error)}
            raise
        finally:
            self._heartbeat.end()
            self._pool.close(at_once=end["ended"] != "finished")
            if not self._heartbeat.lost:
                self._leave(end)

    def _run(self, stop: Stop | None) -> Iterator[TrialDone]:
        self._say(planned=self._planned(), message="Looking at the data …")
        self._data_sha256 = sha256_of(self.study.dataset)
        self._ledger.forget_running(self.study.name)
        self._say(message="")
        yield from self._adopt()
        while not self._asked_to(stop):
            if self._heartbeat.lost:
                raise LeaseLost
            yield from self._fill()
            if not self._groups:
                self._say(message=self._exhausted())
                return
            self._rehouse()
            yield from self._take_ended()

    def _asked_to(self, stop: Stop | None) -> bool:
        return self._heartbeat.asked_to_stop or bool(stop and stop.is_set())

    def _leave(self, end: dict[str, Any]) -> None:
        """The last word; where the storage is away, the lease runs out by itself."""
        self._storage.patience_s = 2.0
        try:
            self._ledger.forget_running(self.study.name)
            self._lease.let_go(self.state | end)
        except ExperimentError as error:
            log.warning("%s", error)

    def _say(self, **what: Any) -> None:
        self._said = self._said | what

    def _planned(self) -> int | None:
        """Trials; None where nobody knows before the end."""
        if self.study.strategy == "one-at-a-time":
            return None
        possible = self.study.count().possible if self.study.is_small else np.inf
        return int(possible if self.study.strategy == "grid" else min(possible, self.study.trials))

    def _exhausted(self) -> str:
        """Why fewer trials were drawn than asked for, where there were no more to draw."""
        ended, drawn = self._said["finished"] + self._said["failed"], self.study.strategy in ("random", "tpe")
        if not drawn or ended < self._said["planned"] or ended >= self.study.trials:
            return ""
        return f"All {ended:,} combinations that are possible were tried; there are no more to draw."

    def _adopt(self) -> Iterator[TrialDone]:
        """Takes up what an earlier driver began."""
        begun: list[Row] = []
        for trial, row in self._rows.all():
            if trial.state in FINISHED:
                if row is not None:
                    yield self._earlier(trial, row)
            elif row is None:
                self._rows.give_up(trial._trial_id)
            else:
                self._known.begun.add(frozen(row.configuration))
                begun.append(row)
        yield from self._begin(begun)

    def _earlier(self, trial: FrozenTrial, row: Row) -> TrialDone:
        result = trial.user_attrs.get(RESULT, {})
        state = next(name for name, state in ENDS.items() if state == trial.state)
        if not result.get("again"):  # otherwise not the training failed, but the machine
            self._known.begun.add(frozen(row.configuration))
            value = trial.values[0] if trial.state == TrialState.COMPLETE and trial.values else np.nan
            self._known.accuracy[frozen(row.configuration)] = value
            self._count(state)
        return TrialDone(
            row.number, row.configuration, tuple(trial.values or ()), result.get("seconds", 0.0), state,
            result.get("problem", ""), result.get("cached", False), earlier=True,
        )  # fmt: skip

    def _fill(self) -> Iterator[TrialDone]:
        """Begins trials until the executor has enough to do."""
        while (room := AHEAD * self._pool.workers - len(self._groups)) > 0 and not self._is_over():
            chosen: list[Chosen] = []
            while len(chosen) < room and (one := self._rows.choose(self._search, self._known, len(chosen))):
                self._known.begun.add(frozen(one[0]))
                chosen.append(one)
            if not chosen:
                return
            yield from self._begin(self._rows.begin(chosen))

    def _is_over(self) -> bool:
        minutes = self.study.minutes
        over = minutes is not None and time.monotonic() - self._began > 60 * minutes
        if over:
            self._say(message=f"Its time of {minutes:g} minutes is over; no further trial begins.")
        return over

    def _begin(self, rows: list[Row]) -> Iterator[TrialDone]:
        """Hands their units to the executor, but for those that are known or under way."""
        units: dict[int, tuple[Unit, ...]] = {}
        done: list[TrialDone] = []
        for row in rows:
            try:
                units[row.id] = self._units(row.configuration)
            except InklingError as error:
                done.append(self._finish(row, [_failed(str(error))], False))
        there = self._ledger.read([unit.key for several in units.values() for unit in several])
        for row in rows:
            if row.id in units and (answered := self._place(row, units[row.id], there)):
                done.append(answered)
        yield from self._written(done)

    def _place(self, row: Row, units: tuple[Unit, ...], there: dict[str, Record]) -> TrialDone | None:
        """The trial's end, where the ledger answers it; otherwise its units are under way now."""
        key = units[0].key
        if key in self._groups:
            self._groups[key].trials.append(row)
            return None
        known = {unit.key: there[unit.key] for unit in units if there.get(unit.key, {}).get("state") == "finished"}
        if len(known) == len(units):
            return self._finish(row, [known[unit.key] for unit in units], True)
        self._groups[key] = _Group(units, [row], known)
        self._submit(key, self._groups[key])
        return None

    def _written(self, done: list[TrialDone]) -> Iterator[TrialDone]:
        self._rows.flush()
        yield from done

    def _units(self, configuration: Configuration) -> tuple[Unit, ...]:
        longest = {"epochs": self.study.longest} if self.study.longest else {}
        text = self.study.setup(configuration | longest).text()  # type: ignore[operator]
        folds = range(max(1, self.study.folds))
        seeds = range(self.study.seed, self.study.seed + self.study.seeds)
        return tuple(Unit(text, self._data_sha256, seed, fold, self.study.folds) for seed in seeds for fold in folds)

    def _submit(self, key: str, group: _Group) -> None:
        units = tuple(unit for unit in group.units if unit.key not in group.known)
        prunes = self.study.pruning != "none"
        task = Task(units, self._storage.url, self.study.name, group.trials[0].id, prunes, self._lease.owner)
        try:
            future = self._pool.submit(task)
        except PoolAway:
            self._homeless.append(key)
            return
        future.add_done_callback(lambda done: self._ended.put((key, done)))

    def _rehouse(self) -> None:
        """Hands the tasks of a cluster that was away to it anew, once it is back."""
        if self._pool.waits_for and self._pool.waits_for != self._warned:
            self._warned = self._pool.waits_for
            log.warning("%s", self._warned)
        if not self._homeless:
            self._away_since = 0.0
            return
        if not self._away_since:
            self._away_since = time.monotonic()
            since = time.strftime("%H:%M:%S")
            self._say(message=f"Waiting for {self._pool.place} since {since}; start it again, and the study goes on.")
            log.warning("%s", self._said["message"])
        if self._pool.is_back():
            self._say(message="")
            homeless, self._homeless = self._homeless, []
            for key in homeless:
                self._submit(key, self._groups[key])
        elif time.monotonic() - self._away_since > AWAY_S:
            raise ExperimentError(f"{self._pool.place} has been away for {AWAY_S / 60:.0f} minutes; start it again.")

    def _take_ended(self) -> Iterator[TrialDone]:
        """All that have ended meanwhile, together."""
        done: list[TrialDone] = []
        try:
            ended = self._ended.get(timeout=0.5)
            while True:
                done += self._take(*ended)
                ended = self._ended.get_nowait()
        except queue.Empty:
            yield from self._written(done)

    def _take(self, key: str, future: "Future[list[Record]]") -> list[TrialDone]:
        group = self._groups[key]
        try:
            records = future.result()
        except (PoolAway, CancelledError):
            self._homeless.append(key)
            return []
        except BrokenExecutor as error:  # the worker died, not the training
            return self._again(key, group, error)
        except InklingError:  # no worker could carry it out
            raise
        except Exception as error:
            records = [_failed(f"{type(error).__name__}: {error}")]
            if (kind := type(error).__name__) not in self._logged:
                self._logged.add(kind)
                log.exception("A task of %s broke off.", self.study.name)
        everything = group.in_order(records)
        if len(everything) < len(group.units) and all(record["state"] == "finished" for record in everything):
            return []  # its worker heard of the stop before this process did; the row stays, to be begun again
        del self._groups[key]
        return [self._finish(row, everything, cached=number > 0) for number, row in enumerate(group.trials)]

    def _again(self, key: str, group: _Group, error: BaseException) -> list[TrialDone]:
        group.tries += 1
        log.warning("A worker was lost (%s); its trial runs again.", error or type(error).__name__)
        if group.tries < TRIES:
            self._submit(key, group)
            return []
        del self._groups[key]
        problem = f"Its worker died, {TRIES} times; the machine may lack memory. The next start tries it again."
        return [self._finish(row, [_failed(problem) | {"again": True}], False) for row in group.trials]

    def _finish(self, row: Row, records: list[Record], cached: bool) -> TrialDone:
        """How the trial ended; to be written down."""
        bad = next((record for record in records if record["state"] != "finished"), None)
        state = bad["state"] if bad else "complete"
        epochs = self._epochs(row.configuration)
        at = [record["epochs"][:epochs][-1] for record in records if record["epochs"]]
        accuracies, seconds = [epoch["accuracy"] for epoch in at], [epoch["seconds"] for epoch in at]
        figures = {"accuracy": float(np.mean(accuracies or [0])), "seconds": float(np.mean(seconds or [0]))}
        result = {
            "accuracies": accuracies, "seconds": sum(seconds), "cached": cached,
            "train_accuracy": float(np.mean([epoch["train_accuracy"] for epoch in at] or [0])),
            "parameters": records[0].get("parameters", 0), "problem": bad["problem"] if bad else "",
            "before": [record["before"]["accuracy"] for record in records if record.get("before")],
            "units": [record["key"] for record in records if "key" in record], "epochs": epochs,
        }  # fmt: skip
        if bad and bad.get("again"):
            result["again"] = True
        values = tuple(figures[objective] for objective in self.study.objectives) if at and state != "failed" else ()
        curve = [epoch[self.study.objectives[0]] for epoch in records[0]["epochs"][:epochs]]
        unwritten = [record for record in records if "setup" in record and not record.get("kept")]
        reached = list(values) if state == "complete" else []
        self._rows.end(row, Ending(ENDS[state], reached, result, unwritten), curve)
        self._known.accuracy[frozen(row.configuration)] = values[0] if state == "complete" else np.nan
        self._count(state)
        return TrialDone(row.number, row.configuration, values, result["seconds"], state, result["problem"], cached)

    def _epochs(self, configuration: Configuration) -> int:
        try:
            return self.study.setup(configuration).epochs
        except InklingError:
            return 0

    def _count(self, state: str) -> None:
        which = "failed" if state == "failed" else "finished"
        self._say(**{which: self._said[which] + 1})


def _failed(problem: str) -> Record:
    return {"state": "failed", "problem": problem, "epochs": []}

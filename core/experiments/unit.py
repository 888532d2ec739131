"""A unit: one single training, with one seed, on one split; what workers do, wherever they are."""

import hashlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from core.errors import ExperimentError, InklingError

if TYPE_CHECKING:
    from core.experiments.ledger import Lease, Ledger
    from core.experiments.storage import Tables

log = logging.getLogger(__name__)
RULES = 1  # grows when the same settings would give other numbers
WRITE_S = 1.0  # between two writings of a curve
MOST_REASON = 300  # characters
KINDS = {  # kind of a setup → who carries it out
    "training": "core.experiments.trainings:train",
    "classic": "core.experiments.classics:fit",
    "transfer": "core.experiments.transfers:teach",
    "confirmation": "core.experiments.confirmations:confirm",
}
# JSON: state, epochs, before, parameters, problem, worker; "again": the machine failed, not the training; "kept": it is
# in the ledger
Record = dict[str, Any]


@dataclass(frozen=True)
class Unit:
    setup: str  # JSON of a `Setup`
    data_sha256: str  # of the training samples
    seed: int
    fold: int = 0
    folds: int = 0  # 0: one validation part, the same as for every trained network

    @property
    def key(self) -> str:
        """Hash of all that decides the numbers."""
        parts = [RULES, _torch(), self.setup, self.data_sha256, self.seed, self.fold, self.folds]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@lru_cache
def _torch() -> str:
    return version("torch")  # reads a file: 3 ms


@dataclass(frozen=True)
class Task:
    """What is sent to a worker: the repetitions of one configuration. No data travels, only its hash."""

    units: tuple[Unit, ...]
    storage: str
    study: str
    trial: int  # Optuna's id of the trial that is pruned, if any is
    pruning: bool = False
    owner: str = ""  # of the study's lease: once another one has it, or was stopped, the work is given up


class Abandoned(Exception):
    """Nobody waits for this work any more."""


def work(task: Task) -> list[Record]:
    """The units' records, in order; after a unit that was pruned or failed the others are left out.

    Curves are written into the storage meanwhile, for those who watch; where it does not answer the work goes on.
    """
    records: list[Record] = []
    for number, unit in enumerate(task.units):
        try:
            record = _work_on(unit, Watched(task, unit, prunes=task.pruning and number == 0))
        except Abandoned:
            break
        records.append(record)
        if record["state"] != "finished":
            break
    return records


def _work_on(unit: Unit, watched: "Watched") -> Record:
    record: Record = {
        "key": unit.key, "state": "running", "epochs": [], "before": None, "parameters": 0, "problem": "",
        "seed": unit.seed, "fold": unit.fold, "setup": json.loads(unit.setup),
        "worker": f"{socket.gethostname()}:{os.getpid()}", "planned": 0,
    }  # fmt: skip
    try:
        module, function = KINDS[json.loads(unit.setup)["kind"]].split(":")
        getattr(import_module(module), function)(unit, record, watched)
    except Abandoned:
        raise
    except InklingError as error:
        record |= {"state": "failed", "problem": str(error), "again": getattr(error, "again", False)}
    except Exception as error:  # this trial's end, not the study's
        log.exception("A training broke off.")
        reason = " ".join(str(error).split())[:MOST_REASON]
        record |= {"state": "failed", "problem": f"It broke off ({type(error).__name__}: {reason})."}
        record["again"] = isinstance(error, MemoryError | OSError)
    record["kept"] = watched.tell(record, at_once=True)
    return record


class Watched:
    """The way from a worker to the storage."""

    def __init__(self, task: Task, unit: Unit, prunes: bool) -> None:
        self._task, self._unit, self._prunes = task, unit, prunes
        self._written, self._asked = 0.0, time.monotonic()
        self._trial: Any = None

    def tell(self, record: Record, at_once: bool = False) -> bool:
        """Writes the record as it stands, at most once a second; whether it was written."""
        if not at_once and time.monotonic() - self._written < WRITE_S:
            return False
        self._written = time.monotonic()
        return bool(self._try(lambda: _ledger(self._task.storage).write(self._unit.key, self._task.study, record)))

    def is_set(self) -> bool:
        """As a training's stop event: raises `Abandoned` once nobody waits for the work; asks once a second."""
        if self._task.owner and time.monotonic() - self._asked > WRITE_S:
            self._asked = time.monotonic()
            if self._try(lambda: _lease(self._task).is_held_by(self._task.owner)) is False:
                raise Abandoned
        return False

    def should_prune(self, epoch: int, accuracy: float) -> bool:
        return self._prunes and bool(self._try(lambda: self._ask(epoch, accuracy)))

    def _ask(self, epoch: int, accuracy: float) -> bool:
        if self._trial is None:
            self._trial = _trial(self._task)
        self._trial.report(accuracy, epoch)
        return self._trial.should_prune()

    def _try(self, call: Callable[[], Any]) -> Any:
        """The storage is for those who watch; the record itself goes back with the task."""
        try:
            return call()
        except ExperimentError:
            return None


@lru_cache(maxsize=8)  # a worker serves a study after another
def _tables(url: str) -> "Tables":
    from core.experiments.storage import Tables

    return Tables(url, patience_s=0.0)


def _ledger(url: str) -> "Ledger":
    from core.experiments.ledger import Ledger

    return Ledger(_tables(url))


def _lease(task: Task) -> "Lease":
    from core.experiments.ledger import Lease

    return Lease(_tables(task.storage), task.study)


def _trial(task: Task) -> Any:
    import optuna

    from core.experiments.search import pruner_of
    from core.experiments.storage import Storage

    study, found = Storage(task.storage, patience_s=0.0).open(task.study)
    found.pruner = pruner_of(study)
    return optuna.trial.Trial(found, task.trial)

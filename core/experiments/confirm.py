"""Confirmation: a trial trained anew with seeds that no trial used, and scored on the test set once.

The best of many trials looks better than it is: luck with its seed and with the validation samples helped it to the
top (the winner's curse). New seeds on the same validation samples show the first part of that, the test set the rest.
"""

import logging
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Any

import numpy as np
from scipy.special import stdtrit

from core.errors import ExperimentError
from core.experiments.confirmations import setup_text
from core.experiments.data_cache import sha256_of
from core.experiments.dimensions import DIMENSIONS, Configuration, text_of
from core.experiments.effects import interval
from core.experiments.executors import Processes, cores
from core.experiments.ledger import Ledger
from core.experiments.looks import Look, Looks
from core.experiments.setups import Setup, Transfer
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.unit import Record, Task, Unit
from core.training.results import wilson
from core.work import Work

log = logging.getLogger(__name__)
SEEDS = 3  # by default
MOST_SEEDS = 20
POLL_S = 0.3
_active: dict[tuple[str, str], "Confirmation"] = {}  # by storage and study
_guard = threading.Lock()


@dataclass(frozen=True)
class Part:
    """A mean accuracy with its 95 % interval, NaN where there is none; shares in [0, 1]."""

    what: str
    mean: float
    low: float
    high: float
    n: int  # trainings


def fresh_seeds(study: Study, looks: Sequence[Look], count: int = SEEDS) -> tuple[int, ...]:
    """Seeds that neither a trial nor an earlier confirmation used."""
    if not 1 <= count <= MOST_SEEDS:
        raise ExperimentError(f"A confirmation takes 1 to {MOST_SEEDS} seeds, not {count}.")
    first = max([study.seed + study.seeds, *(max(look.seeds) + 1 for look in looks)])
    return tuple(range(first, first + count))


def interval_of(accuracies: Sequence[float], samples: int) -> tuple[float, float, float]:
    """(mean, low, high) of test accuracies of several seeds on the same `samples`: 95 %, for other seeds and samples.

    Student's interval over the seeds and Wilson's over the samples, put together by adding their squares (after
    Newcombe 1998); of one seed the samples' alone.
    """
    mean, n = fmean(accuracies), len(accuracies)
    low, high = wilson(round(mean * samples), samples)
    seeds = float(stdtrit(n - 1, 0.975)) * stdev(accuracies) / math.sqrt(n) if n > 1 else 0.0
    return mean, max(0.0, mean - math.hypot(seeds, mean - low)), min(1.0, mean + math.hypot(seeds, high - mean))


def parts(look: Look, folds: int = 0) -> list[Part]:
    """What the search said of the trial, and what the new trainings say."""
    said = [Part("In the search, validation samples", *_between(look.searched, folds), len(look.searched))]
    said.append(Part("New seeds, validation samples", *_between(look.validation), len(look.validation)))
    low, high = (math.nan if end is None else end for end in (look.low, look.high))
    return [*said, Part("New seeds, test set", fmean(look.test), low, high, len(look.test))]


def _between(accuracies: Sequence[float], folds: int = 0) -> tuple[float, float, float]:
    mean, low, high, _ = interval(np.array([accuracies], float), folds)
    low, high = np.clip([low, high], 0, 1).tolist()  # NaN stays what it is
    return mean, low, high


class Confirmation(Work):
    """In the background, its trainings in processes of their own; `look` is there once it has finished."""

    kind = "confirmation"

    def __init__(
        self,
        study: Study,
        storage: Storage,
        trial: int,
        configuration: Configuration,
        searched: Sequence[float],
        count: int = SEEDS,
    ) -> None:
        """`searched`: the trial's accuracies in the search. Raises `ExperimentError` where it cannot be confirmed."""
        super().__init__()
        self.study, self.trial, self._storage = study, trial, storage
        self._searched, self._settings = tuple(searched), words_of(configuration)
        self._looks, self._ledger = Looks(storage), Ledger(storage)
        setup = study.setup(configuration)
        if study.final_epochs and isinstance(setup, Setup):
            setup = replace(setup, config=replace(setup.config, epochs=study.final_epochs))
        elif study.final_epochs and isinstance(setup, Transfer):
            setup = replace(setup, epochs=study.final_epochs)
        self._setup, self._folds = setup_text(setup.text()), study.folds if isinstance(setup, Transfer) else 0
        self.seeds = fresh_seeds(study, self._looks.of(study.name), count)
        self.epochs = setup.epochs
        self.look: Look | None = None
        self._share = 0.0

    @property
    def progress(self) -> float:
        return self._share

    def _work(self) -> None:
        data = sha256_of(self.study.dataset)
        # letters are held out by folds: each seed takes another one, as the search did
        folds = [number % max(1, self._folds) for number in range(len(self.seeds))]
        units = [Unit(self._setup, data, *which, self._folds) for which in zip(self.seeds, folds, strict=True)]
        look = self._looks.write(
            Look(
                self.study.name, self.study.dataset, self.trial, self.seeds, self.epochs,
                tuple(unit.key for unit in units), searched=self._searched, settings=self._settings,
            )
        )  # fmt: skip
        try:
            records = self._train(units)
        except BaseException:
            self._settle(look)
            raise
        self.look = self._looks.write(_ended(look, records, "finished"))

    def _train(self, units: Sequence[Unit]) -> list[Record]:
        """The units' records; raises `ExperimentError` where one fails."""
        pool = Processes(min(len(units), cores()))
        try:
            futures = [pool.submit(Task((unit,), self._storage.url, _marked(self.study.name), 0)) for unit in units]
            while not all(future.done() for future in futures):
                self.stop_event.check()
                self._share = self._done(units, futures)
                time.sleep(POLL_S)
            records = [record for future in futures for record in future.result()]
        finally:
            pool.close(at_once=True)
        for record in records:
            if record["state"] != "finished":
                raise ExperimentError(f"The training with seed {record['seed']} failed: {record['problem']}")
            self._ledger.write(record["key"], self.study.name, record)  # the worker may not have reached the storage
        return records

    def _done(self, units: Sequence[Unit], futures: Sequence["Future[list[Record]]"]) -> float:
        """The share of all epochs; a storage that does not answer says nothing."""
        try:
            records = self._ledger.read([unit.key for unit in units])
        except ExperimentError:
            return self._share
        ended = sum(future.done() for future in futures)
        epochs = sum(len(record["epochs"]) for record in records.values() if record["state"] == "running")
        return (ended + epochs / max(1, self.epochs)) / len(units)

    def _settle(self, look: Look) -> None:
        """What was stopped or broke off: it counts as a look if something was scored."""
        try:
            records = [record for record in self._ledger.read(look.keys).values() if record["state"] == "finished"]
            if records:
                self._looks.write(_ended(look, records, "stopped"))
            else:
                self._looks.forget(look)
        except ExperimentError:
            log.warning("The storage does not answer; the look at the test set stays as it was begun.")


def _ended(look: Look, records: Sequence[Record], state: str) -> Look:
    test = tuple(record["test"]["accuracy"] for record in records)
    samples = records[0]["test"]["samples"]
    _, low, high = interval_of(test, samples)
    last: list[dict[str, Any]] = [record["epochs"][-1] for record in records]
    return replace(
        look, state=state, test=test, test_samples=samples, low=low, high=high,
        validation=tuple(epoch["accuracy"] for epoch in last), seconds=sum(epoch["seconds"] for epoch in last),
    )  # fmt: skip


def start(
    study: Study,
    storage: Storage,
    trial: int,
    configuration: Configuration,
    searched: Sequence[float],
    count: int = SEEDS,
) -> Confirmation:
    """Begins one in the background; raises `ExperimentError` while another of this study goes on."""
    with _guard:
        going = _active.get((storage.url, study.name))
        if going is not None and going.running:
            raise ExperimentError(f"Trial {going.trial} of this study is being confirmed; wait for it, or stop it.")
        begun = Confirmation(study, storage, trial, configuration, searched, count)
        _active[storage.url, study.name] = begun
        begun.begin()
    return begun


def current(study: Study, storage: Storage) -> Confirmation | None:
    """The study's last one of this server, going on or ended."""
    return _active.get((storage.url, study.name))


def words_of(configuration: Configuration) -> str:
    """As in "Dropout 0.1, Filters 8"."""
    return ", ".join(f"{DIMENSIONS[name].label} {text_of(value)}" for name, value in configuration.items())


def _marked(name: str) -> str:
    """Its trainings' study in the ledger: not among those that the search has under way."""
    return f"{name}~c"

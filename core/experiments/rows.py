"""A study's trials as rows of Optuna's storage: one is begun in a single transaction, and ends once.

Random and TPE draw from a copy of the study in memory, so that a driver that dies leaves no half-begun trial, and
drawing does not read the whole storage each time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from core.experiments import OBJECTIVES
from core.experiments.dimensions import Configuration
from core.experiments.search import Known, Search, configuration_of, distributions, sampler_of, stored
from core.experiments.storage import FINISHED, Storage
from core.experiments.study import Study
from core.experiments.unit import Record

log = logging.getLogger(__name__)
RESULT = "result"  # user attribute of a trial, JSON
Write = Callable[[Callable[[], Any]], Any]  # carries a writing out, patiently, and only while the lease is held


@dataclass
class Row:
    id: int  # Optuna's
    number: int
    configuration: Configuration
    copy: int | None = None  # its number in the copy


class Rows:
    def __init__(self, study: Study, storage: Storage, write: Write) -> None:
        self._study, self._storage, self._write = study, storage, write
        self._id: int = storage.patiently(lambda: storage.optuna.get_study_id_from_name(study.name))
        self._distributions = distributions(study)
        self._draws = study.strategy in ("random", "tpe")
        if self._draws:
            directions = [OBJECTIVES[objective] for objective in study.objectives]
            self._copy = optuna.create_study(storage=InMemoryStorage(), directions=directions)
        self.count = 0  # rows that there are

    def all(self) -> list[tuple[FrozenTrial, Row | None]]:
        """What is there, by number; no row for a trial that holds none of our configurations."""
        found = self._read()
        self.count = len(found)
        return [(trial, self._known(trial)) for trial in found]

    def begin(self, configuration: Configuration) -> Row:
        params = {name: stored(value) for name, value in configuration.items()}
        trial = create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions)
        tries = 0

        def create() -> int:
            nonlocal tries
            tries += 1
            if tries > 1 and len(there := self._read()) > self.count:  # written, but the answer was lost
                return there[-1]._trial_id
            return self._storage.optuna.create_new_trial(self._id, trial)

        row = Row(self._write(create), self.count, configuration)
        self.count += 1
        return row

    def draw(self, search: Search, known: Known) -> Row | None:
        """Begins the trial that random or TPE chooses next; what it may not choose ends in the copy alone."""
        self._copy.sampler = sampler_of(self._study, self.count)
        configuration = search.next(known, self._guess if self._study.strategy == "tpe" else None)
        if configuration is None:
            return None
        row = self.begin(configuration)
        params = {name: stored(value) for name, value in configuration.items()}
        self._copy.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))
        row.copy = len(self._copy.get_trials(deepcopy=False)) - 1
        return row

    def _guess(self) -> Configuration:
        asked = self._copy.ask(self._distributions)
        self._copy.tell(asked, state=TrialState.FAIL)
        return configuration_of(self._study, asked.params)

    def end(self, row: Row, state: TrialState, values: list[float] | None, result: Record, curve: list[float]) -> None:
        """`curve`: the first objective after each epoch, by which TPE ranks what was pruned."""
        self._finish(row.id, state, values, result)
        if row.copy is not None:
            copy: Any = self._copy._storage
            for step, value in enumerate(curve, 1):
                copy.set_trial_intermediate_value(row.copy, step, value)
            copy.set_trial_state_values(row.copy, state, values)

    def give_up(self, id: int) -> None:
        """A row that holds no configuration."""
        self._finish(id, TrialState.FAIL, None, {"problem": "It was cut off before it began."})

    def _finish(self, id: int, state: TrialState, values: list[float] | None, result: Record) -> None:
        def finish() -> None:
            self._storage.optuna.set_trial_user_attr(id, RESULT, result)
            self._storage.optuna.set_trial_state_values(id, state, values)

        try:
            self._write(finish)
        except optuna.exceptions.UpdateFinishedTrialError:  # written before the storage went away
            log.info("Trial %d had ended already.", id)

    def _read(self) -> list[FrozenTrial]:
        return self._storage.patiently(lambda: self._storage.optuna.get_all_trials(self._id, deepcopy=False))

    def _known(self, trial: FrozenTrial) -> Row | None:
        if set(trial.params) != set(self._study.dimensions):
            return None
        row = Row(trial._trial_id, trial.number, configuration_of(self._study, trial.params))
        if self._draws:
            self._copy.add_trial(trial)
            if trial.state not in FINISHED:
                row.copy = len(self._copy.trials) - 1
        return row

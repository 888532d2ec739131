"""A study's trials as rows of Optuna's tables, begun in one transaction and ended in one, several at a time.

Optuna's own calls take several transactions of many small queries for that, 20 ms a trial with SQLite, and a driver
that dies in between would leave half a trial. Ours are plain inserts into the same tables (Optuna checks their version
when the storage is opened), which hold only while the driver has the lease. Random and TPE draw from a copy of the
study in memory, so that drawing does not read the whole storage each time.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple

import optuna
import sqlalchemy as sa
from optuna.distributions import distribution_to_json
from optuna.storages import InMemoryStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState, create_trial

from core.experiments import OBJECTIVES
from core.experiments.dimensions import Configuration
from core.experiments.ledger import Lease, write_unit
from core.experiments.search import Known, Search, configuration_of, distributions, sampler_of, stored
from core.experiments.storage import FINISHED, Storage
from core.experiments.study import Study
from core.experiments.unit import Record

log = logging.getLogger(__name__)
RESULT = "result"  # user attribute of a trial, JSON
TRIALS, PARAMS = models.TrialModel.__table__, models.TrialParamModel.__table__
VALUES, ATTRIBUTES = models.TrialValueModel.__table__, models.TrialUserAttributeModel.__table__
FINITE = models.TrialValueModel.TrialValueType.FINITE


Chosen = tuple[Configuration, int | None]  # and its number in the copy, where one is drawn from


class Ending(NamedTuple):
    state: TrialState
    values: list[float]  # none for what did not complete
    result: Record
    records: list[Record]  # for the ledger: those that the workers could not write


class Row:
    def __init__(self, id: int, number: int, configuration: Configuration, copy: int | None = None) -> None:
        self.id, self.number, self.configuration = id, number, configuration  # `id` is Optuna's
        self.copy = copy  # its number in the copy


class Rows:
    def __init__(self, study: Study, storage: Storage, lease: Lease) -> None:
        self._study, self._storage, self._lease = study, storage, lease
        self._id: int = storage.patiently(lambda: storage.optuna.get_study_id_from_name(study.name))
        self._distributions = distributions(study)
        self._as_json = {name: distribution_to_json(one) for name, one in self._distributions.items()}
        self._draws = study.strategy in ("random", "tpe")
        if self._draws:
            directions = [OBJECTIVES[objective] for objective in study.objectives]
            self._copy = optuna.create_study(storage=InMemoryStorage(), directions=directions)
        self.count = 0  # rows that there are
        self._endings: dict[int, Ending] = {}

    def all(self) -> list[tuple[FrozenTrial, Row | None]]:
        """What is there, by number; no row for a trial that holds none of our configurations."""
        found = self._storage.patiently(lambda: self._storage.optuna.get_all_trials(self._id, deepcopy=False))
        self.count = len(found)
        return [(trial, self._known(trial)) for trial in found]

    def begin(self, chosen: list[Chosen]) -> list[Row]:
        """New trials that run, in one transaction; raises `LeaseLost`, as all that writes here does."""
        first, tries = self.count, 0
        numbers = range(first, first + len(chosen))
        trial = {"study_id": self._id, "state": TrialState.RUNNING, "datetime_start": _now()}

        def begin() -> dict[int, int]:
            nonlocal tries
            tries += 1
            with self._storage.engine.begin() as connection:
                if tries > 1 and (there := self._from(connection, first)):
                    return there  # they were written; the answer was lost
                connection.execute(sa.insert(TRIALS), [{"number": number} | trial for number in numbers])
                ids = self._from(connection, first)
                params = [param for number, (configuration, _) in zip(numbers, chosen, strict=True)
                          for param in self._params(ids[number], configuration)]  # fmt: skip
                connection.execute(sa.insert(PARAMS), params)
                self._lease.fence(connection)
                return ids

        ids = self._storage.patiently(begin)
        self.count += len(chosen)
        return [Row(ids[number], number, *choice) for number, choice in zip(numbers, chosen, strict=True)]

    def choose(self, search: Search, known: Known, waiting: int) -> Chosen | None:
        """What comes next, after `waiting` others that are chosen and not yet begun."""
        if not self._draws:
            configuration = search.next(known)
            return None if configuration is None else (configuration, None)
        self._copy.sampler = sampler_of(self._study, self.count + waiting)
        configuration = search.next(known, self._guess if self._study.strategy == "tpe" else None)
        if configuration is None:
            return None
        params = {name: stored(value) for name, value in configuration.items()}
        self._copy.add_trial(create_trial(state=TrialState.RUNNING, params=params, distributions=self._distributions))
        return configuration, len(self._copy.get_trials(deepcopy=False)) - 1

    def _guess(self) -> Configuration:
        asked = self._copy.ask(self._distributions)
        self._copy.tell(asked, state=TrialState.FAIL)
        return configuration_of(self._study, asked.params)

    def end(self, row: Row, ending: Ending, curve: list[float]) -> None:
        """To be written with the next `flush`. `curve`: the first objective after each epoch, by which TPE ranks what
        was pruned."""
        self._endings[row.id] = ending
        if row.copy is not None:
            copy: Any = self._copy._storage
            for step, value in enumerate(curve, 1):
                copy.set_trial_intermediate_value(row.copy, step, value)
            copy.set_trial_state_values(row.copy, ending.state, ending.values or None)

    def give_up(self, id: int) -> None:
        """A row that holds no configuration."""
        self._endings[id] = Ending(TrialState.FAIL, [], {"problem": "It was cut off before it began."}, [])

    def flush(self) -> None:
        """Writes down, in one transaction, how trials ended: one after another would wait for the storage each time."""
        endings = self._endings

        def end() -> None:
            with self._storage.engine.begin() as connection:
                for id, ending in endings.items():
                    self._write(connection, id, ending)
                self._lease.fence(connection)

        if endings:
            self._storage.patiently(end)
        self._endings = {}

    def _write(self, connection: sa.Connection, id: int, ending: Ending) -> None:
        runs = sa.and_(TRIALS.c.trial_id == id, TRIALS.c.state == TrialState.RUNNING)
        change = sa.update(TRIALS).where(runs).values(state=ending.state, datetime_complete=_now())
        if not connection.execute(change).rowcount:
            return  # written before; the answer was lost
        attribute = {"trial_id": id, "key": RESULT, "value_json": json.dumps(ending.result)}
        connection.execute(sa.insert(ATTRIBUTES).values(attribute))
        reached = [{"trial_id": id, "objective": number, "value": value, "value_type": FINITE}
                   for number, value in enumerate(ending.values)]  # fmt: skip
        if reached:
            connection.execute(sa.insert(VALUES), reached)
        for record in ending.records:
            write_unit(connection, record["key"], self._study.name, record)

    def _from(self, connection: sa.Connection, first: int) -> dict[int, int]:
        """Optuna's ids by number, from that number up."""
        query = sa.select(TRIALS.c.number, TRIALS.c.trial_id)
        found = connection.execute(query.where(TRIALS.c.study_id == self._id, TRIALS.c.number >= first)).all()
        return {row[0]: row[1] for row in found}

    def _params(self, id: int, configuration: Configuration) -> list[dict[str, Any]]:
        found = []
        for name, value in configuration.items():
            internal = self._distributions[name].to_internal_repr(stored(value))
            json = self._as_json[name]
            found.append({"trial_id": id, "param_name": name, "param_value": internal, "distribution_json": json})
        return found

    def _known(self, trial: FrozenTrial) -> Row | None:
        if set(trial.params) != set(self._study.dimensions):
            return None
        row = Row(trial._trial_id, trial.number, configuration_of(self._study, trial.params))
        if self._draws:
            self._copy.add_trial(trial)
            if trial.state not in FINISHED:
                row.copy = len(self._copy.trials) - 1
        return row


def _now() -> datetime:
    """As Optuna keeps it: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)

"""All trials of a study as one table, by a few plain selects: Optuna's own way makes an object of each trial."""

import json
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from optuna.distributions import json_to_distribution
from optuna.storages._rdb.models import StudyModel, TrialModel, TrialParamModel, TrialUserAttributeModel
from optuna.trial import TrialState

from core.errors import ExperimentError
from core.experiments.storage import RECORD, Storage, shown

RESULT = "result"  # user attribute of a trial, as the driver writes it
STATES = {
    TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed",
    TrialState.RUNNING: "running", TrialState.WAITING: "waiting",
}  # fmt: skip
# What a table has beside one column a dimension; accuracies are shares in [0, 1].
COLUMNS = (
    "number",
    "state",
    "accuracy",  # mean over the repetitions, on validation samples
    "sd",  # of the accuracies; NaN where there is one only
    "accuracies",  # a tuple, one for each repetition
    "n",  # repetitions
    "seconds",  # of one training, on one thread: the mean over the repetitions
    "train_accuracy",
    "gap",  # training accuracy above validation accuracy
    "before",  # accuracy of the untrained network, mean over the repetitions
    "parameters",
    "epochs_done",
    "cached",  # answered by trainings that were there already
    "problem",  # why it failed or was pruned
    "units",  # the keys of its trainings in the ledger, a tuple
)


def trials_table(storage: Storage, name: str) -> pd.DataFrame:
    """One row for each trial of the study, in the order of their numbers: `COLUMNS`, and one for each dimension.

    A dimension's values are those of the study, lists as text. Raises `ExperimentError` for an unknown study.
    """
    trials, params, results, dimensions = storage.patiently(lambda: _rows(storage, name))
    values = _values(params)
    records = [_record(number, state, json.loads(results.get(id, "{}"))) for id, number, state in trials]
    table = pd.DataFrame(records, columns=list(COLUMNS))
    order = dimensions or list(dict.fromkeys(name for _, name in values))
    columns = {dimension: [values.get((id, dimension)) for id, _, _ in trials] for dimension in order}
    own = pd.DataFrame({name: _column(found) for name, found in columns.items()}, index=table.index)
    return pd.concat([table[["number", "state"]], own, table.drop(columns=["number", "state"])], axis=1)


def sign_of(storage: Storage, name: str) -> tuple[Any, ...]:
    """Changes whenever the table does: the study's number in the storage and its trials by state."""
    query = (
        sa.select(StudyModel.study_id, TrialModel.state, sa.func.count())
        .join(TrialModel, TrialModel.study_id == StudyModel.study_id, isouter=True)
        .where(StudyModel.study_name == name)
        .group_by(StudyModel.study_id, TrialModel.state)
        .order_by(TrialModel.state)
    )

    def read() -> tuple[Any, ...]:
        with storage.engine.connect() as connection:
            return tuple((id, state and state.name, count) for id, state, count in connection.execute(query))

    return storage.patiently(read)


def dimensions_of(table: pd.DataFrame) -> list[str]:
    return [column for column in table.columns if column not in COLUMNS]


def _rows(storage: Storage, name: str) -> tuple[Any, Any, dict[int, str], list[str]]:
    with storage.engine.connect() as connection:
        found = connection.execute(sa.select(StudyModel.study_id).where(StudyModel.study_name == name)).scalar()
        if found is None:
            raise ExperimentError(f"There is no study {name!r} in {shown(storage.url)}.")
        of_study = TrialModel.study_id == found
        trials = connection.execute(
            sa.select(TrialModel.trial_id, TrialModel.number, TrialModel.state)
            .where(of_study)
            .order_by(TrialModel.number)
        ).all()
        params = connection.execute(
            sa.select(
                TrialParamModel.trial_id,
                TrialParamModel.param_name,
                TrialParamModel.param_value,
                TrialParamModel.distribution_json,
            )
            .join(TrialModel, TrialModel.trial_id == TrialParamModel.trial_id)
            .where(of_study)
        ).all()
        results = connection.execute(
            sa.select(TrialUserAttributeModel.trial_id, TrialUserAttributeModel.value_json)
            .join(TrialModel, TrialModel.trial_id == TrialUserAttributeModel.trial_id)
            .where(of_study, TrialUserAttributeModel.key == RESULT)
        ).all()
        return trials, params, {row[0]: row[1] for row in results}, _dimensions(connection, found)


def _dimensions(connection: sa.Connection, study: int) -> list[str]:
    """In the study's order."""
    from optuna.storages._rdb.models import StudyUserAttributeModel as Attribute

    query = sa.select(Attribute.value_json).where(Attribute.study_id == study, Attribute.key == RECORD)
    return list(json.loads(connection.execute(query).scalar() or "{}").get("dimensions", {}))


def _values(params: Any) -> dict[tuple[int, str], Any]:
    """(trial's id, dimension) → value; a distribution is read once, however many trials have it."""
    distributions: dict[str, Any] = {}
    found = {}
    for id, name, value, text in params:
        if text not in distributions:
            distributions[text] = json_to_distribution(text)
        found[id, name] = distributions[text].to_external_repr(value)
    return found


def _column(values: list[Any]) -> pd.Series:
    """Numbers as numbers; what is mixed, or yes and no, as it is."""
    kinds = {type(value) for value in values if value is not None}
    return pd.Series(values, dtype=None if kinds <= {int, float} else object)


def _record(number: int, state: TrialState, result: dict[str, Any]) -> dict[str, Any]:
    accuracies = tuple(result.get("accuracies", ()))
    n, before = len(accuracies), result.get("before") or ()
    accuracy = fmean(accuracies) if n else np.nan
    taught = result.get("train_accuracy", np.nan) if n else np.nan
    return {
        "number": number, "state": STATES[state], "accuracy": accuracy,
        "sd": stdev(accuracies) if n > 1 else np.nan, "accuracies": accuracies, "n": n,
        "seconds": result.get("seconds", 0.0) / n if n else np.nan, "train_accuracy": taught, "gap": taught - accuracy,
        "before": fmean(before) if before else np.nan,
        "parameters": result.get("parameters") or np.nan, "epochs_done": result.get("epochs") or np.nan,
        "cached": bool(result.get("cached", False)), "problem": result.get("problem", ""),
        "units": tuple(result.get("units", ())),
    }  # fmt: skip

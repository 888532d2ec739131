"""The table of trials against Optuna's own, and what becomes of trials that have not ended."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from core.bench.studies import fill
from core.errors import ExperimentError
from core.experiments.driver import RESULT
from core.experiments.search import distributions
from core.experiments.storage import Storage
from core.experiments.study import Range, Study
from core.experiments.table import dimensions_of, trials_table

STUDY = Study(
    "A question?", name="ours", dataset="digits-8x8", strategy="random",
    dimensions={
        "filters": (8, (8, 16)), "batch_norm": (False, True), "epochs": (1, 2), "learning_rate": Range(0.01, 0.1),
    },
)  # fmt: skip


@pytest.fixture
def storage(inkling_home) -> Storage:
    return Storage()


def test_it_is_optunas_own_table(storage):
    study = Study(STUDY.question, name="many", dimensions=STUDY.dimensions, strategy="random")
    fill(storage, study, trials=40)
    found, expected = trials_table(storage, "many"), storage.open("many")[1].trials_dataframe()
    assert dimensions_of(found) == list(study.dimensions)
    assert found["number"].tolist() == expected["number"].tolist() == list(range(40))
    for name in study.dimensions:
        assert found[name].tolist() == expected[f"params_{name}"].tolist()
    np.testing.assert_array_equal(found["accuracy"], expected["value"])
    results = expected[f"user_attrs_{RESULT}"]
    for column, field in {
        "parameters": "parameters",
        "epochs_done": "epochs",
        "train_accuracy": "train_accuracy",
    }.items():
        np.testing.assert_array_equal(found[column], [result[field] for result in results])
    np.testing.assert_allclose(found["gap"], found["train_accuracy"] - found["accuracy"])
    assert set(found["state"]) == {"complete"}


def test_a_trials_repetitions_are_averaged(storage):
    result = {"accuracies": [0.9, 0.8, 1.0], "seconds": 6.0, "before": [0.1, 0.2], "train_accuracy": 0.95}
    storage.keep(STUDY).add_trial(_trial(TrialState.COMPLETE, result, values=[0.9]))
    (row,) = trials_table(storage, "ours").to_dict("records")
    assert (row["accuracy"], row["n"], row["seconds"]) == (pytest.approx(0.9), 3, 2.0)
    assert row["sd"] == pytest.approx(np.std([0.9, 0.8, 1.0], ddof=1))
    assert row["before"] == pytest.approx(0.15)
    assert (row["filters"], row["batch_norm"]) == ("8, 16", True)


def test_what_has_not_ended_well_is_in_it_too(storage):
    kept = storage.keep(STUDY)
    assert trials_table(storage, "ours").empty
    assert dimensions_of(trials_table(storage, "ours")) == list(STUDY.dimensions)
    kept.add_trial(_trial(TrialState.FAIL, {"accuracies": [], "problem": "No pixel is left."}))
    kept.add_trial(_trial(TrialState.PRUNED, {"accuracies": [0.3], "seconds": 1.0, "problem": ""}))
    kept.add_trial(_trial(TrialState.RUNNING, None))
    kept.enqueue_trial({"epochs": 1})
    found = trials_table(storage, "ours")
    assert found["state"].tolist() == ["failed", "pruned", "running", "waiting"]
    assert found["problem"].tolist() == ["No pixel is left.", "", "", ""]
    assert found["accuracy"].isna().tolist() == [True, False, True, True]
    assert found["filters"].tolist()[:3] == ["8, 16"] * 3
    assert found["filters"].isna()[3]


def test_an_unknown_study_is_said(storage):
    with pytest.raises(ExperimentError, match="There is no study 'nobody'"):
        trials_table(storage, "nobody")


def test_another_studys_trials_stay_out(storage):
    optuna.create_study(study_name="other", storage=storage.optuna).add_trial(create_trial(value=1.0))
    storage.keep(STUDY).add_trial(_trial(TrialState.RUNNING, None))
    assert len(trials_table(storage, "ours")) == 1


def _trial(state: TrialState, result: dict | None, values: list[float] | None = None) -> optuna.trial.FrozenTrial:
    params = {"filters": "8, 16", "batch_norm": True, "epochs": 2, "learning_rate": 0.05}
    return create_trial(
        state=state, params=params, distributions=distributions(STUDY), values=values,
        user_attrs={RESULT: result} if result else {},
    )  # fmt: skip

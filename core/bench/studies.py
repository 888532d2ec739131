"""How quickly a study of thousands of trials is at hand: its table, out of a storage on this machine."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sa
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    distribution_to_json,
)
from optuna.storages._rdb.models import TrialModel, TrialParamModel, TrialUserAttributeModel, TrialValueModel
from optuna.trial import TrialState

from core.experiments.effects import effects
from core.experiments.search import distributions
from core.experiments.storage import Storage
from core.experiments.study import Range, Study
from core.experiments.table import RESULT, trials_table

_OTHERS = (TrialUserAttributeModel, TrialValueModel)
TRIALS = 5000
RUNS = 5
STUDY = Study(
    question="What does a table of thousands of trials take?", name="many", dataset="digits-8x8", strategy="random",
    trials=TRIALS, settings={"epochs": 3},
    dimensions={
        "dropout": (0.1, 0.3, 0.5), "filters": (8, 16, (8, 16)), "activation": ("relu", "sigmoid", "tanh"),
        "learning_rate": Range(0.001, 0.3, log=True),
    },
)  # fmt: skip


def run() -> Iterator[dict[str, Any]]:
    """`cpu_s` is what this process took: on a busy machine `figure` is longer than it need be."""
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(f"sqlite:///{Path(folder) / 'studies.db'}")
        fill(storage)
        yield _record(f"the table of {TRIALS:,} trials", lambda: trials_table(storage, STUDY.name))
        table = trials_table(storage, STUDY.name)
        yield _record("effects of each dimension", lambda: effects(STUDY, table))
        yield _record(
            "the same trials as Optuna's objects",
            lambda: optuna.load_study(study_name=STUDY.name, storage=storage.url).trials,
        )


def fill(storage: Storage, study: Study = STUDY, trials: int = TRIALS) -> None:
    """Finished trials with invented figures, since only their number matters; written at once, not one by one."""
    rng, known, found = np.random.default_rng(0), distributions(study), storage.keep(study)
    rows: dict[Any, list[dict[str, Any]]] = {model: [] for model in (TrialModel, TrialParamModel, *_OTHERS)}
    now = datetime.now(UTC).replace(tzinfo=None)
    for number in range(trials):
        params = {name: _drawn(rng, kind) for name, kind in known.items()}
        accuracy = float(np.clip(0.9 + rng.normal(0, 0.02), 0, 1))
        own = {"trial_id": number + 1}
        rows[TrialModel].append(
            own | {"number": number, "study_id": found._study_id, "state": TrialState.COMPLETE}
            | {"datetime_start": now, "datetime_complete": now}
        )  # fmt: skip
        rows[TrialParamModel] += [
            own | {"param_name": name, "param_value": known[name].to_internal_repr(value)}
            | {"distribution_json": distribution_to_json(known[name])}
            for name, value in params.items()
        ]  # fmt: skip
        rows[TrialUserAttributeModel].append(own | {"key": RESULT, "value_json": json.dumps(_result(rng, accuracy))})
        rows[TrialValueModel].append(
            own | {"objective": 0, "value": accuracy, "value_type": TrialValueModel.TrialValueType.FINITE}
        )
    with storage.engine.begin() as connection:
        for model, records in rows.items():
            connection.execute(sa.insert(model.__table__), records)


def _drawn(rng: np.random.Generator, kind: BaseDistribution) -> Any:
    if isinstance(kind, CategoricalDistribution):
        return kind.choices[rng.integers(len(kind.choices))]
    assert isinstance(kind, FloatDistribution)
    return float(np.exp(rng.uniform(np.log(kind.low), np.log(kind.high))))


def _result(rng: np.random.Generator, accuracy: float) -> dict[str, Any]:
    return {
        "accuracies": [accuracy], "seconds": float(rng.uniform(1, 9)), "cached": False, "before": [0.1],
        "train_accuracy": accuracy + 0.01, "parameters": int(rng.integers(5_000, 50_000)), "problem": "",
        "units": [f"{rng.integers(2**62):064x}"], "epochs": 3,
    }  # fmt: skip


def _record(what: str, work: Callable[[], Any]) -> dict[str, Any]:
    seconds, cpu = [], []
    for _ in range(RUNS):
        began, before = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - before)
    figure, cpu_s = float(np.median(seconds)), float(np.median(cpu))
    return {"what": what, "figure": round(figure, 3), "unit": "s", "cpu_s": round(cpu_s, 3), "n": RUNS}

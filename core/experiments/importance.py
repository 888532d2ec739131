"""Which dimensions matter: the share of the accuracy's variation that each explains."""

from dataclasses import dataclass

import numpy as np
import optuna
import pandas as pd

from core.errors import ExperimentError
from core.experiments.search import distributions
from core.experiments.study import Study

FEWEST = 10  # trials, below which any answer is chance; a heuristic: see `chance` for what it is worth in each case
MOST_FOR_FANOVA = 300  # trials; beyond, its 64 trees take more than a few seconds
SHUFFLES = 5


@dataclass(frozen=True)
class Importance:
    """Shares in [0, 1] that sum to 1, the largest first."""

    shares: dict[str, float]
    chance: dict[str, float]  # what each dimension reaches on average when accuracies are dealt out anew
    method: str
    about: str


def importance(study: Study, table: pd.DataFrame) -> Importance:
    """By fANOVA (Hutter, Hoos, Leyton-Brown 2014), for many trials by PED-ANOVA (Watanabe, Bansal, Hutter 2023).

    Raises `ExperimentError` where there is an `importance_problem`.
    """
    done, problem = _done(table), importance_problem(study, table)
    if problem:
        raise ExperimentError(problem)
    if len(done) <= MOST_FOR_FANOVA:
        method, about = "fANOVA", (
            "Functional analysis of variance of a random forest fitted to all trials: how much of the accuracy's "
            "variation each dimension explains by itself."
        )  # fmt: skip
    else:
        method, about = "PED-ANOVA", (
            "How differently each dimension's values are spread among the best tenth of the trials than among all."
        )  # fmt: skip
    trials = _Trials(study, done, method)
    rng = np.random.default_rng(0)
    accuracy = done["accuracy"].to_numpy(float)
    shares = trials.shares(accuracy)
    shuffled = [trials.shares(rng.permutation(accuracy)) for _ in range(SHUFFLES)]
    chance = {name: float(np.mean([found.get(name, 0.0) for found in shuffled])) for name in shares}
    return Importance(shares, chance, method, about)


def importance_problem(study: Study, table: pd.DataFrame) -> str:
    """Why these trials cannot tell what matters; empty where they can."""
    done = _done(table)
    varied = [name for name in study.dimensions if done[name].nunique() > 1]
    if len(varied) < 2:
        return "Importance compares dimensions; fewer than two have had more than one value."
    if len(done) < FEWEST:
        return f"Importance cannot be told from {len(done)} finished trials; it takes at least {FEWEST}."
    if done["accuracy"].nunique() < 2:
        return "All trials are equally accurate, so no dimension matters here."
    return ""


def _done(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["state"] == "complete") & table["accuracy"].notna()]


class _Trials:
    """The finished trials in Optuna's own form, in memory, with any accuracies."""

    def __init__(self, study: Study, done: pd.DataFrame, method: str) -> None:
        self._distributions = distributions(study)
        self._params = done[list(study.dimensions)].to_dict("records")
        self._evaluator = (
            optuna.importance.FanovaImportanceEvaluator(seed=0)
            if method == "fANOVA"
            else optuna.importance.PedAnovaImportanceEvaluator()
        )

    def shares(self, accuracy: np.ndarray) -> dict[str, float]:
        found = optuna.create_study(direction="maximize")
        found.add_trials(
            [
                optuna.trial.create_trial(params=params, distributions=self._distributions, value=float(value))
                for params, value in zip(self._params, accuracy, strict=True)
            ]
        )
        return optuna.importance.get_param_importances(found, evaluator=self._evaluator)

"""Experiments: a question, the dimensions to vary, and an answer with intervals."""

from typing import Literal

STRATEGIES = ("grid", "one-at-a-time", "random", "tpe")
OBJECTIVES: dict[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "seconds": "minimize",
}
PRUNING = ("none", "median", "hyperband")
EXECUTORS = ("processes", "dask")
# Methods without a network, to hold networks against: scikit-learn's, under these names among a study's networks.
CLASSICS = ("decision-tree", "shallow-tree", "logistic-regression")

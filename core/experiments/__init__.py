"""Experiments: a question, the dimensions to vary, and an answer with intervals."""

from typing import Literal

STRATEGIES = ("grid", "one-at-a-time", "random", "tpe")
OBJECTIVES: dict[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "seconds": "minimize",
}
PRUNING = ("none", "median", "hyperband")
EXECUTORS = ("processes", "dask")

"""How well networks learn Fashion-MNIST's clothes: as a course report had it, by our recipes, as well as we can."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.training import TrainingConfig, recipe
from core.training.execute import TrainingResult, train

REPORTED = 0.707  # what a course report's log ended with, after 10 epochs of PyTorch's quickstart network


def run() -> Iterator[dict[str, Any]]:
    mlp = recipe("mlp", dataset="fashion-mnist", threads=os.cpu_count() or 1)
    tutorial = replace(mlp, learning_rate=1e-3, averaging=0.0)
    yield _record("mlp as in the tutorial (SGD, 1e-3, 10 epochs)", tutorial) | {"reported": REPORTED}
    yield _record("mlp with its recipe", mlp)
    yield _record("residual with its recipe", recipe("residual", threads=os.cpu_count() or 1))


def _record(what: str, config: TrainingConfig) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as shelf:
        *_, result = train(config, "bench", Path(shelf))
    assert isinstance(result, TrainingResult)
    return {
        "what": what,
        "figure": round(result.test_accuracy, 4),
        "unit": "of Fashion-MNIST's test set right",
        "parameters": result.network.passport.metrics["parameters"],
        "epochs": config.epochs,
        "minutes": round(result.seconds / 60, 1),
        "seed": config.seed,
        "threads": config.threads,
    }

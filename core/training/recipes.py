"""The recipes: the config that each network is best trained with."""

from dataclasses import replace
from typing import Any

from core.training.config import TrainingConfig, check_known

RECIPES = {
    "report": TrainingConfig(),
    "digits": TrainingConfig(
        network="digits",
        epochs=20,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=5e-4,
        dropout=0.1,  # augmentation already regularises
        augmentation="handwriting",
        also=("strokes-digits",),
        negatives=24_000,
        averaging=0.999,
        precision="bfloat16",
    ),
    "residual": TrainingConfig(
        dataset="fashion-mnist",
        network="residual",
        epochs=25,
        batch_size=128,
        learning_rate=0.15,
        weight_decay=5e-4,
        dropout=0.1,
        augmentation="pictures",
        averaging=0.998,
        precision="bfloat16",
    ),
}


def recipe(network: str, **changes: Any) -> TrainingConfig:
    """The config that the named network is best trained with, with some fields changed."""
    base = RECIPES.get(network) or TrainingConfig(network=network)
    check_known(changes)
    return replace(base, **changes)

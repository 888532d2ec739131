"""`TrainingConfig`: everything that decides how a training goes; cache key and part of the passport."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import TrainingError
from core.networks import NetworkSpec

SCHEDULES = ("one-cycle", "constant")
AUGMENTATIONS = ("none", "handwriting")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainingConfig:
    dataset: str = "mnist"
    network: str = "report"
    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 0.05  # peak of the one-cycle schedule: 99.23 % of MNIST test, mean of 3 seeds of `report`
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "one-cycle"  # Smith & Topin 2018: fast at first, precise at the end
    dropout: float = 0.5  # the reports' value
    augmentation: str = "none"  # "handwriting": every batch is bent, thickened, thinned and blurred anew
    also: tuple[str, ...] = ()  # further data sets with the same classes that teach, but do not validate or test
    negatives: int = 0  # glyphs that are no symbol, taught as "none of the classes" (outlier exposure)
    averaging: float = 0.0  # decay of the moving average of the weights; 0 keeps the last weights
    precision: str = "float32"  # "bfloat16" for the products only: twice as fast on processors that have it
    seed: int = 0
    threads: int = 2  # torch's, for this training: the machine it is meant for has two cores

    def __post_init__(self) -> None:
        positive = ("epochs", "batch_size", "threads")
        for name in positive:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise TrainingError(f"{name} must be a whole number of at least 1, not {value!r}.")
        if not 0 < self.learning_rate <= 10:
            raise TrainingError(f"learning_rate must be above 0 and at most 10, not {self.learning_rate!r}.")
        for name in ("momentum", "averaging", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} must be from 0 up to, not including, 1, not {getattr(self, name)!r}.")
        if self.weight_decay < 0 or self.negatives < 0:
            raise TrainingError("weight_decay and negatives must be 0 or more.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number of at least 0, not {self.seed!r}.")
        for name, known in (("schedule", SCHEDULES), ("augmentation", AUGMENTATIONS), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}.")
        NetworkSpec(self.network)  # raises NetworkError for an unknown architecture

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"also": list(self.also)}


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
}


def recipe(network: str, **changes: Any) -> TrainingConfig:
    """The config that the named network is best trained with, with some fields changed."""
    base = RECIPES.get(network) or TrainingConfig(network=network)
    known = set(TrainingConfig.__dataclass_fields__)
    if unknown := set(changes) - known:
        raise TrainingError(f"Unknown settings: {', '.join(sorted(unknown))}; known are: {', '.join(sorted(known))}.")
    return replace(base, **changes)

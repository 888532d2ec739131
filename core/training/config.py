"""`TrainingConfig`: everything that decides how a training goes; cache key and part of the passport."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import TrainingError
from core.networks import NetworkSpec
from core.networks.spec import CnnShape, shape_from_json

OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("one-cycle", "constant")
LOSSES = ("cross-entropy", "mse")
AUGMENTATIONS = ("none", "handwriting", "pictures")
PRECISIONS = ("float32", "bfloat16")
DEVICES = ("cpu", "cuda")


@dataclass(frozen=True)
class TrainingConfig:
    dataset: str = "mnist"
    network: str = "report"
    epochs: int = 5
    more_epochs: tuple[int, ...] = ()  # continuations: each begins its schedule anew
    batch_size: int = 64
    learning_rate: float = 0.05  # peak of the one-cycle schedule: 99.23 % of MNIST test, mean of 3 seeds of `report`
    optimizer: str = "sgd"
    momentum: float = 0.9  # of sgd; Nesterov's
    weight_decay: float = 0.0
    schedule: str = "one-cycle"  # Smith & Topin 2018: fast at first, precise at the end
    loss: str = "cross-entropy"  # "mse": mean squared error of the probabilities, as for one sigmoid output
    dropout: float = 0.5  # the reports' value
    cnn: CnnShape | None = None  # the dimensions of the network `cnn`
    # "handwriting": every batch is bent, thickened, thinned and blurred anew; "pictures": mirrored and moved
    augmentation: str = "none"
    also: tuple[str, ...] = ()  # further data sets with the same classes that teach, but do not validate or test
    negatives: int = 0  # glyphs that are no symbol, taught as "none of the classes" (outlier exposure)
    averaging: float = 0.0  # decay of the moving average of the weights; 0 keeps the last weights
    precision: str = "float32"  # "bfloat16" for the products only: twice as fast on processors that have it
    device: str = "cpu"
    seed: int = 0
    threads: int = 2  # torch's, for this training: the machine it is meant for has two cores

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "threads"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise TrainingError(f"{name} must be a whole number of at least 1, not {value!r}.")
        for epochs in self.more_epochs:
            if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < 1:
                raise TrainingError(f"more_epochs must be whole numbers of at least 1, not {epochs!r}.")
        if self.negatives and self.loss == "mse":
            raise TrainingError("negatives are taught by the loss cross-entropy only.")
        if not _is_number(self.learning_rate) or self.learning_rate <= 0:
            raise TrainingError(f"learning_rate must be a number above 0, not {self.learning_rate!r}.")
        for name in ("momentum", "averaging", "dropout"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value < 1:
                raise TrainingError(f"{name} must be from 0 up to, not including, 1, not {value!r}.")
        for name in ("weight_decay", "negatives"):
            value = getattr(self, name)
            if not _is_number(value) or value < 0:
                raise TrainingError(f"{name} must be 0 or more, not {value!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number of at least 0, not {self.seed!r}.")
        for name, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("loss", LOSSES),
            ("augmentation", AUGMENTATIONS),
            ("precision", PRECISIONS),
            ("device", DEVICES),
        ):
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}.")
        NetworkSpec(self.network, cnn=self.cnn)  # raises NetworkError for an unknown architecture

    @property
    def all_epochs(self) -> int:
        return self.epochs + sum(self.more_epochs)

    def extended(self, epochs: int) -> "TrainingConfig":
        """This training for so many epochs more.

        A constant learning rate simply goes on, as in one longer training; any other schedule is planned over its
        epochs, so it begins anew.
        """
        if self.schedule == "constant" and not self.more_epochs:
            return replace(self, epochs=self.epochs + epochs)
        return replace(self, more_epochs=(*self.more_epochs, epochs))

    def spec(self, classes: int) -> NetworkSpec:
        """The spec of the network that is trained, for a data set of so many classes."""
        return NetworkSpec(self.network, classes=classes, dropout=self.dropout, cnn=self.cnn)

    @classmethod
    def from_json(cls, record: Any) -> "TrainingConfig":
        """The config written by `to_json`; raises `TrainingError` or `NetworkError` for what cannot be one."""
        if not isinstance(record, dict):
            raise TrainingError("A training's settings are a JSON object.")
        check_known(record)
        lists = {name: tuple(record.get(name, ())) for name in ("also", "more_epochs")}
        return cls(**record | lists | {"cnn": shape_from_json(record.get("cnn"))})

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"also": list(self.also), "more_epochs": list(self.more_epochs)}


def check_known(settings: dict[str, Any]) -> None:
    known = set(TrainingConfig.__dataclass_fields__)
    if unknown := set(settings) - known:
        raise TrainingError(
            f"Unknown settings: {', '.join(sorted(map(str, unknown)))}; known are: {', '.join(sorted(known))}."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

"""The dimensions of a study: what may be varied, under the names that training uses."""

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import ExperimentError
from core.networks.spec import ARCHITECTURES, CnnShape
from core.training.config import SCHEDULES, TrainingConfig
from core.training.recipes import recipe

Value = bool | int | float | str | tuple[int, ...]
Configuration = dict[str, Value]  # a value for every dimension of a study, in the study's order
ADAM_RATE = 1e-3  # Kingma & Ba 2015; a rate that suits SGD makes Adam diverge


@dataclass(frozen=True)
class Dimension:
    name: str
    label: str  # for people
    kind: type | None  # of its values; None: filters, a number or one for each layer
    values: tuple[Value, ...]  # to begin with, on the page
    about: str  # one sentence
    of: str = "training"  # or "cnn": a dimension of that network only; or "study"
    unit: str = ""


_ALL = (
    Dimension("conv_layers", "Convolution layers", int, (1, 2, 3), "How many convolutions stand one after another.",
              "cnn"),
    Dimension("filters", "Filters", None, (16, 32), "How many filters a convolution has: a number for all layers, or "
              "a list with one for each.", "cnn"),
    Dimension("filter_size", "Filter size", int, (3, 5), "The side of each filter.", "cnn", "pixels"),
    Dimension("pool_size", "Pooling size", int, (2, 3), "The side of the square that max-pooling takes the largest "
              "of.", "cnn", "pixels"),
    Dimension("pool_place", "Pooling place", str, ("each", "last"), "Pooling after each convolution, after the last, "
              "or none.", "cnn"),
    Dimension("activation", "Activation", str, ("relu", "sigmoid", "tanh"), "The bend after each layer.", "cnn"),
    Dimension("dense_nodes", "Dense nodes", int, (64, 128, 256), "Nodes of the dense layer before the output.", "cnn"),
    Dimension("second_dropout", "Second dropout", float, (0.0, 0.25, 0.5), "Dropout after the dense layer.", "cnn"),
    Dimension("batch_norm", "Batch norm", bool, (False, True), "Whether each convolution's output is normalised.",
              "cnn"),
    Dimension("first_layer", "First layer", str, ("learned", "gabor"), "Learned filters, or a fixed bank of Gabor "
              "filters.", "cnn"),
    Dimension("dropout", "Dropout", float, (0.1, 0.3, 0.5), "The share of activations dropped while training."),
    Dimension("batch_size", "Batch size", int, (32, 64, 128), "Examples a step."),
    Dimension("epochs", "Epochs", int, (2, 3, 4, 5), "Passes over the data; all are read off one run."),
    Dimension("learning_rate", "Learning rate", float, (0.01, 0.03, 0.1), "The length of a step (the peak of its "
              "schedule)."),
    Dimension("optimizer", "Optimizer", str, ("sgd", "adam"), "How a gradient becomes a step."),
    Dimension("momentum", "Momentum", float, (0.5, 0.9), "How much of the last step SGD keeps."),
    Dimension("weight_decay", "Weight decay", float, (0.0, 5e-4), "How strongly weights are drawn to zero."),
    Dimension("schedule", "Schedule", str, SCHEDULES, "How the learning rate changes over the epochs."),
    Dimension("loss", "Loss", str, ("cross-entropy", "mse"), "What is made small."),
    Dimension("augmentation", "Augmentation", str, ("none", "handwriting"), "Whether samples are bent anew each "
              "time."),
    Dimension("averaging", "Weight averaging", float, (0.0, 0.99), "The decay of the moving average of the weights."),
    Dimension("samples", "Training samples", int, (1000, 5000, 20000), "How many samples teach; the others are left "
              "out.", "study"),
    Dimension("network", "Network", str, ("report", "cnn"), "The kind of network.", "study"),
)  # fmt: skip
DIMENSIONS = {dimension.name: dimension for dimension in _ALL}
CNN = tuple(field.name for field in fields(CnnShape))


@dataclass(frozen=True)
class Setup:
    """One configuration, ready to be trained; raises nothing later."""

    config: TrainingConfig
    samples: int | None = None  # that teach; None: all

    def text(self) -> str:
        """As JSON, the same for the same training; the seed is the unit's."""
        config = self.config.to_json()
        del config["seed"]
        return json.dumps({"kind": "training", "config": config, "samples": self.samples}, sort_keys=True)


def setup_of(dataset: str, network: str, settings: Configuration) -> Setup:
    """The training that the settings stand for; raises `InklingError` for what no network can be.

    What is not said stays as the network's recipe has it, but for Adam's rate where only the optimizer is changed.
    """
    settings = dict(settings)
    network = str(settings.pop("network", network))
    samples = settings.pop("samples", None)
    shape = {name: settings.pop(name) for name in CNN if name in settings}
    if network not in ARCHITECTURES:
        raise ExperimentError(f"Unknown network {network!r}; choose one of: {', '.join(ARCHITECTURES)}.")
    if shape and network != "cnn":
        raise ExperimentError(
            f"{', '.join(shape)}: only the network 'cnn' has {'this dimension' if len(shape) == 1 else 'these'}, not "
            f"{network!r}."
        )
    changes: dict[str, Any] = {"dataset": dataset, "threads": 1} | settings
    if network == "cnn":
        changes["cnn"] = CnnShape(**shape)  # type: ignore[arg-type]
    config = recipe(network, **changes)
    if config.optimizer == "adam" and recipe(network).optimizer != "adam" and "learning_rate" not in settings:
        config = replace(config, learning_rate=ADAM_RATE)
    config.spec(10)  # raises where no pixel is left
    if samples is not None and (not isinstance(samples, int) or samples < 10):
        raise ExperimentError(f"samples must be a whole number of at least 10, not {samples!r}.")
    return Setup(config, samples)

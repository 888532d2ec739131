"""The dimensions of a study: what may be varied, under the names that training uses."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import ExperimentError, InklingError
from core.experiments import CLASSICS
from core.networks.spec import ARCHITECTURES, CnnShape
from core.training.config import SCHEDULES
from core.training.recipes import recipe
from core.transfer import METHODS

Value = bool | int | float | str | tuple[int, ...]
Configuration = dict[str, Value]  # a value for every dimension of a study, in the study's order
LEAST_SAMPLES = 10  # that teach
MOST = {"epochs": 1000, "batch_size": 10_000, "samples": 1_000_000}  # more is a slip of the pen
MOST_WORD = 200  # characters of a value that is a word


@dataclass(frozen=True)
class Dimension:
    name: str
    label: str  # for people
    kind: type | None  # of its values; None: filters, a number or one for each layer
    values: tuple[Value, ...]  # to begin with, on the page
    about: str  # one sentence
    of: str = "training"  # or "cnn", "transfer": a dimension of that alone; or "study"
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
    Dimension("network", "Network", str, ("report", "cnn"), "The kind of network, or a classic method beside it.",
              "study"),
    Dimension("source", "Source network", str, ("digits", "report"), "The trained network that letters are taught to; "
              "with it the study is one of transfer.", "transfer"),
    Dimension("letters", "Letters", str, ("alpha, beta, gamma", "omega, epsilon, rho"), "The letters that are taught, "
              "out of the data set.", "transfer"),
    Dimension("method", "Method of transfer", str, ("head", "finetune"), "What of the source network learns.",
              "transfer"),
)  # fmt: skip
DIMENSIONS = {dimension.name: dimension for dimension in _ALL}
CNN = tuple(field.name for field in fields(CnnShape))
TRANSFER = tuple(dimension.name for dimension in _ALL if dimension.of == "transfer")


def checked_value(name: str, value: Any) -> Value:
    """A dimension's value as it is kept; raises `ExperimentError` for one of the wrong kind, or out of all bounds."""
    kind = DIMENSIONS[name].kind
    if kind is None and isinstance(value, list | tuple) and value and all(is_whole(number) for number in value):
        found: Value = tuple(value)
    else:
        kind = kind or int
        fits = is_whole(value) if kind is int else is_number(value) if kind is float else isinstance(value, kind)
        if not fits:
            wanted = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}[kind]
            raise ExperimentError(f"{name} takes {wanted}, not {short(value)}.")
        found = float(value) if kind is float else value
    _check_alone(name, found)
    return found


def _check_alone(name: str, value: Any) -> None:
    """Raises `ExperimentError` for what no configuration could have, whatever its other values."""
    if isinstance(value, str) and not 0 < len(value) <= MOST_WORD:
        raise ExperimentError(f"{name} takes a word of 1 to {MOST_WORD} characters, not {len(value):,}.")
    if name == "samples" and value < LEAST_SAMPLES:
        raise ExperimentError(f"samples must be at least {LEAST_SAMPLES}, not {value!r}.")
    if name in MOST and value > MOST[name]:
        raise ExperimentError(f"{name} may be {MOST[name]:,} at most, not {short(value)}.")
    if name == "network" and value not in (*ARCHITECTURES, *CLASSICS):
        raise ExperimentError(f"Unknown network {value!r}; choose one of: {', '.join((*ARCHITECTURES, *CLASSICS))}.")
    if name == "method" and value not in METHODS:
        raise ExperimentError(f"method must be one of {', '.join(METHODS)}, not {value!r}.")
    try:
        if name in CNN:
            roomy = {} if name in ("conv_layers", "filters") else {"conv_layers": 1}
            replace(CnnShape(conv_layers=8, filters=(8,)), **roomy | {name: value})
        elif DIMENSIONS[name].of == "training":
            recipe("cnn", **{name: value})
    except InklingError as error:
        raise ExperimentError(str(error)) from error


def text_of(value: Value) -> str:
    """A value for people, and for a storage that knows words and numbers only."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def short(value: object, most: int = 80) -> str:
    """What came, for a message: a file may hold anything."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**most:
        return f"a number of more than {most} digits"
    return cut(repr(value), most)


def cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and math.isfinite(value)
    )

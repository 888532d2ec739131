"""What a configuration stands for: a training, a classic method's fit, or letters taught to a trained network."""

import json
from dataclasses import dataclass, replace
from typing import Any

from core.data.alphabet import GREEK
from core.errors import ExperimentError
from core.experiments import CLASSICS
from core.experiments.dimensions import CNN, TRANSFER, Configuration
from core.networks import open_network
from core.networks.spec import ARCHITECTURES, CnnShape
from core.training.config import TrainingConfig
from core.training.recipes import recipe

ADAM_RATE = 1e-3  # Kingma & Ba 2015; a rate that suits SGD makes Adam diverge
GREEK_SETS = ("greek24", "strokes-greek")  # data sets whose letters are known without reading them
TRAINER_OF_TRANSFER = ("epochs", "batch_size", "learning_rate", "schedule")  # what letters are taught with, too
METHODS_WITHOUT_EPOCHS = ("prototypes", "neighbours")


@dataclass(frozen=True)
class Setup:
    """One configuration, ready to be trained; raises nothing later."""

    config: TrainingConfig
    samples: int | None = None  # that teach; None: all

    @property
    def epochs(self) -> int:
        return self.config.epochs

    def text(self) -> str:
        """As JSON, the same for the same training; the seed is the unit's."""
        config = self.config.to_json()
        del config["seed"]
        return json.dumps({"kind": "training", "config": config, "samples": self.samples}, sort_keys=True)


@dataclass(frozen=True)
class _NoNetwork:
    """A trial whose result is no network that the store could keep."""

    dataset: str
    samples: int | None

    @property
    def config(self) -> TrainingConfig:
        """Raises `ExperimentError`: there is no training of a network."""
        raise ExperimentError(f"This trial is {self.what()}; only a network's training can be made a stored network.")

    def what(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class Classic(_NoNetwork):
    """A method of `CLASSICS`; it has no epochs."""

    method: str
    epochs: int = 1

    def what(self) -> str:
        return f"the method {self.method}"

    def text(self) -> str:
        record = {"kind": "classic", "dataset": self.dataset, "samples": self.samples, "method": self.method}
        return json.dumps(record, sort_keys=True)


@dataclass(frozen=True)
class Transfer(_NoNetwork):
    """Letters of a data set, taught to a network of the store."""

    source: str
    source_sha256: str  # of its weights: another network of the same name gives other numbers
    letters: tuple[str, ...]
    method: str
    epochs: int
    batch_size: int | None  # None: what the method is best taught with
    learning_rate: float | None
    schedule: str

    def what(self) -> str:
        return f"letters taught to {self.source!r}"

    def text(self) -> str:
        own = {name: getattr(self, name) for name in self.__dataclass_fields__} | {"letters": list(self.letters)}
        if self.method in METHODS_WITHOUT_EPOCHS:
            own |= dict.fromkeys(TRAINER_OF_TRANSFER)
        return json.dumps({"kind": "transfer"} | own, sort_keys=True)


AnySetup = Setup | Classic | Transfer


def setup_of(dataset: str, network: str, settings: Configuration) -> AnySetup:
    """What the settings stand for; raises `InklingError` for what cannot be.

    What is not said stays as the network's recipe has it, but for Adam's rate where only the optimizer is changed.
    """
    settings = dict(settings)
    network = str(settings.pop("network", network))
    samples: Any = settings.pop("samples", None)
    if "source" in settings:
        return _transfer(dataset, samples, settings)
    if left := [name for name in TRANSFER if name in settings]:
        raise ExperimentError(f"{', '.join(left)}: only transfer has this; name the source network as well.")
    if network in CLASSICS:
        return _classic(dataset, network, samples, settings)
    shape = {name: settings.pop(name) for name in CNN if name in settings}
    if network not in ARCHITECTURES:
        raise ExperimentError(f"Unknown network {network!r}; choose one of: {', '.join((*ARCHITECTURES, *CLASSICS))}.")
    if shape and network != "cnn":
        this = "this dimension" if len(shape) == 1 else "these"
        raise ExperimentError(f"{', '.join(shape)}: only the network 'cnn' has {this}, not {network!r}.")
    changes: dict[str, Any] = {"dataset": dataset, "threads": 1} | settings
    if network == "cnn":
        if "conv_layers" in shape and "filters" not in shape:  # the usual filters, of as many layers as there are
            shape["filters"] = CnnShape().filters[: max(1, int(shape["conv_layers"]))]  # type: ignore[arg-type]
        changes["cnn"] = CnnShape(**shape)  # type: ignore[arg-type]
    config = recipe(network, **changes)
    if config.optimizer == "adam" and recipe(network).optimizer != "adam" and "learning_rate" not in settings:
        config = replace(config, learning_rate=ADAM_RATE)
    _check_fit(config)
    return Setup(config, samples)


def is_table(dataset: str) -> bool:
    return dataset.startswith("heart:")


def _check_fit(config: TrainingConfig) -> None:
    """Raises where the network cannot take the data, or no pixel is left in it."""
    features = ARCHITECTURES[config.network].takes == "features"
    if features != is_table(config.dataset):
        fitting = [name for name, kind in ARCHITECTURES.items() if (kind.takes == "features") != features]
        raise ExperimentError(
            f"The network {config.network!r} takes {'the rows of a table' if features else 'glyphs'}, which the data "
            f"set {config.dataset!r} does not hold; choose one of: {', '.join(fitting)}."
        )
    if features and config.augmentation != "none":
        raise ExperimentError("The rows of a table cannot be augmented; choose the augmentation none.")
    config.spec(2 if features else 10)


def _classic(dataset: str, method: str, samples: int | None, settings: Configuration) -> Classic:
    left = [name for name in settings if name not in ("epochs", "schedule")]  # a grid beside networks may vary epochs
    if left:
        raise ExperimentError(f"{', '.join(left)}: {method} has no such setting; networks have.")
    return Classic(dataset, samples, method)


def _transfer(dataset: str, samples: int | None, settings: dict[str, Any]) -> Transfer:
    known = (*TRANSFER, *TRAINER_OF_TRANSFER)
    if left := [name for name in settings if name not in known]:
        raise ExperimentError(f"{', '.join(left)}: transfer has no such setting; it has samples, {', '.join(known)}.")
    if is_table(dataset):
        raise ExperimentError(f"The data set {dataset!r} holds rows of a table, no letters; choose strokes-greek.")
    source = open_network(settings["source"])
    if not source.passport.reads_glyphs:
        raise ExperimentError(f"The network {source.name!r} takes the rows of a table; choose one that reads glyphs.")
    return Transfer(
        dataset, samples, source.name, source.passport.weights_sha256, _letters(dataset, settings.get("letters", "")),
        settings.get("method", "head"), settings.get("epochs", 8), settings.get("batch_size"),
        settings.get("learning_rate"), settings.get("schedule", "one-cycle"),
    )  # fmt: skip


def _letters(dataset: str, text: str) -> tuple[str, ...]:
    """The names in a text such as "alpha, beta, gamma"; none: all of the data set."""
    names = tuple(text.replace(",", " ").split())
    if len(names) == 1 or len(set(names)) != len(names):
        raise ExperimentError(f'letters are two or more names, each once, as in "alpha, beta, gamma", not {text!r}.')
    unknown = [name for name in names if name not in GREEK] if dataset in GREEK_SETS else []
    if unknown:
        raise ExperimentError(f"The data set {dataset!r} has no letter {unknown[0]!r}; it has {', '.join(GREEK)}.")
    return names

"""Units of transfer: letters of a data set taught to a trained network, measured on the letters of a fold.

Pictures that are the same pixel for pixel stand in the same fold. Who wrote them is not known here, so a hand may stand
in several: other people's letters are read a little less well than the figures say.
"""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import StratifiedGroupKFold

from core.data import Samples, load
from core.errors import ExperimentError
from core.experiments.trainings import whole_of
from core.experiments.unit import Record, Unit, Watched
from core.networks import TrainedNetwork, open_network
from core.networks.base import Network
from core.training.config import TrainingConfig
from core.training.fit import EpochDone, evaluate
from core.transfer.methods import Taught, TransferConfig, features_for, learn, lesson_of
from core.transfer.validation import alike_numbers


@dataclass(frozen=True)
class TunedTransfer(TransferConfig):
    """A method of transfer with a training of one's own; None: as the method is best taught."""

    batch_size: int | None = None
    learning_rate: float | None = None
    schedule: str = "one-cycle"

    def training(self, network: Network) -> TrainingConfig:
        given = {"batch_size": self.batch_size, "learning_rate": self.learning_rate, "schedule": self.schedule}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return replace(super().training(network), threads=1, **chosen)


def config_of(setup: dict[str, Any], seed: int) -> TunedTransfer:
    return TunedTransfer(
        setup["method"], setup["epochs"] or 1, seed, batch_size=setup["batch_size"],
        learning_rate=setup["learning_rate"], schedule=setup["schedule"] or "one-cycle",
    )  # fmt: skip


def source_of(setup: dict[str, Any]) -> TrainedNetwork:
    """Raises `ExperimentError` where another network bears its name now."""
    source = open_network(setup["source"])
    if source.passport.weights_sha256 != setup["source_sha256"]:
        raise ExperimentError(f"The network {source.name!r} is another one than the study was begun with.")
    return source


def teach(unit: Unit, record: Record, watched: Watched) -> Network | None:
    """Teaches the unit's letters and fills in its record after each epoch; None where it was pruned.

    Raises `InklingError`.
    """
    setup = json.loads(unit.setup)
    source, config = source_of(setup), config_of(setup, unit.seed)
    taught, measured = letter_parts(unit, setup)
    torch.set_num_threads(1)
    started = time.perf_counter()
    lesson = lesson_of(taught)
    network = source.module()
    features = features_for(network, lesson, config)
    last: Taught | None = None
    record["planned"] = 1 if setup["epochs"] is None else setup["epochs"]
    for event in learn(network, lesson, config, features, measured, watched):
        if isinstance(event, Taught):
            last = event
        else:
            _add(record, event, time.perf_counter() - started)
            watched.tell(record)
            if event.epoch < config.epochs and watched.should_prune(event.epoch, event.test_accuracy):
                record["state"] = "pruned"
                return None
    assert last is not None  # nobody stops this
    record["parameters"] = last.trainable
    if not record["epochs"]:  # prototypes and neighbours are found in one step
        _add_only(record, last.network, taught, measured, time.perf_counter() - started)
    record["state"] = "finished"
    return last.network


def letter_parts(unit: Unit, setup: dict[str, Any]) -> tuple[Samples, Samples]:
    """The letters that teach, alike many of each where `samples` says how many, and those of the unit's fold."""
    chosen = with_letters(whole_of(unit, setup["dataset"]), setup["letters"])
    labels = chosen.labels.numpy()
    fewest = int(np.bincount(labels, minlength=len(chosen.classes)).min())
    if fewest < unit.folds:
        raise ExperimentError(f"There are {fewest} samples of a letter only; take {max(2, fewest)} folds at most.")
    splitter = StratifiedGroupKFold(unit.folds, shuffle=True, random_state=unit.seed)
    rest, measured = list(splitter.split(labels, labels, alike_numbers(chosen)))[unit.fold]
    if setup["samples"] is not None:
        rest = _drawn(rest, labels, setup["samples"], unit.seed)
    return chosen.take(torch.from_numpy(rest)), chosen.take(torch.from_numpy(measured), "validation")


def all_letters(setup: dict[str, Any], seed: int) -> tuple[Samples, Samples]:
    """The letters that teach where none is held out, alike many of each, and those of the test set."""
    taught = with_letters(load(setup["dataset"], "train"), setup["letters"])
    if setup["samples"] is not None:
        index = _drawn(np.arange(len(taught)), taught.labels.numpy(), setup["samples"], seed)
        taught = taught.take(torch.from_numpy(index))
    return taught, with_letters(load(setup["dataset"], "test"), setup["letters"])


def with_letters(samples: Samples, letters: list[str]) -> Samples:
    """The samples of these classes alone, numbered in their order; none named: all. Raises `ExperimentError`."""
    if not samples.inputs.dtype == torch.uint8:
        raise ExperimentError(f"The data set {samples.name!r} holds no glyphs.")
    names = tuple(letters) or samples.classes
    if unknown := [name for name in names if name not in samples.classes]:
        raise ExperimentError(
            f"The data set {samples.name!r} has no letter {unknown[0]!r}; it has {', '.join(samples.classes)}."
        )
    numbers = torch.tensor([names.index(name) if name in names else -1 for name in samples.classes])
    own = numbers[samples.labels]
    chosen = samples.take((own >= 0).nonzero()[:, 0])
    return replace(chosen, labels=own[own >= 0], classes=names)


def _drawn(index: np.ndarray, labels: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """So many of these positions, the classes in turn."""
    order = np.random.default_rng(seed).permutation(index)
    turn = np.zeros(len(order), int)
    for label in np.unique(labels):
        own = labels[order] == label
        turn[own] = np.arange(own.sum())
    return np.sort(order[np.argsort(turn, kind="stable")][:samples])


def _add(record: Record, event: EpochDone, seconds: float) -> None:
    record["epochs"].append({
        "epoch": event.epoch, "loss": event.test_loss, "accuracy": event.test_accuracy, "train_loss": event.train_loss,
        "train_accuracy": event.train_accuracy, "seconds": seconds,
    })  # fmt: skip


def _add_only(record: Record, network: Network, taught: Samples, measured: Samples, seconds: float) -> None:
    figures = []
    for part in (measured, taught):
        found = evaluate(network, part, TrainingConfig())
        assert found is not None  # nobody stops this
        figures.append(found)
    (loss, accuracy), (train_loss, train_accuracy) = figures
    record["epochs"].append({
        "epoch": 1, "loss": loss, "accuracy": accuracy, "train_loss": train_loss, "train_accuracy": train_accuracy,
        "seconds": seconds,
    })  # fmt: skip

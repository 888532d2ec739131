"""The commonest kind of unit: one training of one network, measured on validation samples after each epoch."""

import json
import socket

import torch

from core.data import Samples, load
from core.errors import ExperimentError
from core.experiments.unit import Record, Unit, Watched
from core.networks.base import build, count_parameters
from core.training.config import TrainingConfig
from core.training.execute import split_validation
from core.training.fit import EpochDone, Trainer, Untrained


def train(unit: Unit, record: Record, watched: Watched) -> None:
    """Trains the unit's network and fills in its record after each epoch; raises `InklingError`."""
    setup = json.loads(unit.setup)
    config = TrainingConfig.from_json(setup["config"] | {"seed": unit.seed})
    taught, validation = _parts(unit, config.dataset, setup["samples"])
    torch.manual_seed(config.seed)
    network = build(config.spec(len(taught.classes)))
    record |= {"parameters": count_parameters(network), "planned": config.all_epochs}
    watched.tell(record)
    for event in Trainer(network, taught, validation, config).run():
        if isinstance(event, Untrained):
            record["before"] = {"loss": event.test_loss, "accuracy": event.test_accuracy}
        if isinstance(event, EpochDone):
            figures = event.to_json()
            record["epochs"].append(
                {name: figures[name] for name in ("epoch", "train_loss", "train_accuracy", "seconds")}
                | {"loss": event.test_loss, "accuracy": event.test_accuracy}
            )
            watched.tell(record)
            if event.epoch < config.all_epochs and watched.should_prune(event.epoch, event.test_accuracy):
                record["state"] = "pruned"
                return
    record["state"] = "finished"


def _parts(unit: Unit, dataset: str, samples: int | None) -> tuple[Samples, Samples]:
    """What teaches and what measures; the test set is not looked at."""
    whole = load(dataset, "train")
    if whole.sha256 != unit.data_sha256:
        raise ExperimentError(
            f"The data set {dataset!r} on {socket.gethostname()} is another one than the study was begun with."
        )
    if unit.folds:
        order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(unit.seed))
        parts = order.chunk(unit.folds)
        measured = parts[unit.fold]
        taught = whole.take(torch.cat([part for number, part in enumerate(parts) if number != unit.fold]))
        validation = whole.take(measured, "validation")
    else:
        taught, validation = split_validation(whole)
    if samples is not None and samples < len(taught):
        drawn = torch.randperm(len(taught), generator=torch.Generator().manual_seed(unit.seed))
        taught = taught.take(drawn[:samples])
    return taught, validation

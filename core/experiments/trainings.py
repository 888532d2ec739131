"""The commonest kind of unit: one training of one network, measured on validation samples after each epoch."""

import json
from dataclasses import replace

import numpy as np
import torch

from core.data import Samples
from core.errors import ExperimentError
from core.experiments.data_cache import samples_of
from core.experiments.unit import Record, Unit, Watched
from core.networks.base import Network, build, count_parameters
from core.training.config import TrainingConfig
from core.training.execute import split_validation
from core.training.fit import EpochDone, Trainer, Untrained


def train(unit: Unit, record: Record, watched: Watched) -> Network:
    """Trains the unit's network, as given back, and fills in its record after each epoch; raises `InklingError`."""
    import torch._dynamo  # torch's optimizers import it at their first step, which would count as training: 2 s

    setup = json.loads(unit.setup)
    config = TrainingConfig.from_json(setup["config"] | {"seed": unit.seed})
    taught, validation = parts(unit, config.dataset, setup["samples"])
    torch.manual_seed(config.seed)
    network = build(config.spec(len(taught.classes)))
    record |= {"parameters": count_parameters(network), "planned": config.all_epochs}
    watched.tell(record)
    trainer = Trainer(network, taught, validation, config)
    for event in trainer.run(watched):
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
                return trainer.measured
    record["state"] = "finished"
    return trainer.measured


def parts(unit: Unit, dataset: str, samples: int | None) -> tuple[Samples, Samples]:
    """What teaches and what measures, of the training samples alone; raises `ExperimentError` for other data.

    Folds are stratified and shuffled by the unit's seed, as scikit-learn's `StratifiedKFold` makes them; otherwise the
    validation part is the twelfth that every trained network has.
    """
    whole = whole_of(unit, dataset)
    if not unit.folds:
        taught, validation = split_validation(whole)
        return scaled(_some(taught, samples, unit.seed), validation)
    from sklearn.model_selection import StratifiedKFold  # takes a second to import

    splitter = StratifiedKFold(unit.folds, shuffle=True, random_state=unit.seed)
    labels = whole.labels.numpy()
    if int(np.bincount(labels).min(initial=len(labels))) < unit.folds:
        raise ExperimentError(f"A class of {dataset!r} has fewer than {unit.folds} samples; take fewer folds.")
    rest, measured = list(splitter.split(labels, labels))[unit.fold]
    taught = _some(whole.take(torch.from_numpy(rest)), samples, unit.seed)
    return scaled(taught, whole.take(torch.from_numpy(measured), "validation"))


def whole_of(unit: Unit, dataset: str) -> Samples:
    """All training samples, from this machine's cache; raises `ExperimentError` where they cannot be had here."""
    return samples_of(dataset, unit.data_sha256)


def teaching(whole: Samples, samples: int | None, seed: int) -> Samples:
    """What teaches where there are no folds, not yet scaled."""
    return _some(split_validation(whole)[0], samples, seed)


def _some(taught: Samples, samples: int | None, seed: int) -> Samples:
    if samples is None or samples >= len(taught):
        return taught
    return taught.take(torch.randperm(len(taught), generator=torch.Generator().manual_seed(seed))[:samples])


def scaled(taught: Samples, measured: Samples) -> tuple[Samples, Samples]:
    """A table's features by the mean and the deviation of what teaches alone; glyphs as they are.

    The medians that stand in for what is unknown are those of all training rows.
    """
    if not taught.is_table:
        return taught, measured
    means, deviations = taught.inputs.mean(0), taught.inputs.std(0, correction=0)
    deviations[deviations == 0] = 1
    return tuple(replace(part, inputs=(part.inputs - means) / deviations) for part in (taught, measured))  # type: ignore

"""`train`: data, network, fit, calibration, passport: from a config to a network in the store."""

import platform
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from core.data import Samples, load
from core.data.mnist import DIGITS
from core.networks import NetworkSpec, TrainedNetwork, check_savable, save_network
from core.networks.base import build, count_parameters
from core.training.calibration import expected_calibration_error, fit_temperature, refusal_threshold
from core.training.config import TrainingConfig
from core.training.fit import EpochDone, Event, TrainingStopped, fit, predict
from core.training.negatives import make_negatives

VALIDATION_SHARE = 1 / 12  # 5,000 of MNIST's 60,000: calibrates and chooses, never teaches
VALIDATION_SEED = 1  # the same samples for every network, so that validation figures compare


@dataclass(frozen=True)
class TrainingResult:
    """The last event of `train`: the network is in the store."""

    network: TrainedNetwork
    test_accuracy: float  # in [0, 1]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.network.name,
            "parameters": self.network.passport.metrics["parameters"],
            "test_accuracy": self.test_accuracy,
            "seconds": self.seconds,
        }


def train(
    config: TrainingConfig, name: str, folder: Path | None = None, stop: threading.Event | None = None
) -> Iterator[Event | TrainingResult]:
    """Trains a network as the config says and keeps it under `name`; yields `fit`'s events, then the result.

    A stopped training ends with `TrainingStopped` and keeps nothing.
    """
    check_savable(name, folder)
    whole, test = load(config.dataset, "train"), load(config.dataset, "test")
    taught, validation = split_validation(whole)
    # a recipe's further sets and its negatives fit its own classes only: `digits` may be asked to learn letters
    also = [other for extra in config.also if (other := load(extra, "train")).classes == whole.classes]
    torch.manual_seed(config.seed)
    network = build(NetworkSpec(config.network, classes=len(whole.classes), dropout=config.dropout))
    with_negatives = config.negatives > 0 and whole.classes == DIGITS
    negatives = make_negatives(config.negatives, taught, config.seed) if with_negatives else None
    seconds = 0.0
    for event in fit(network, join([taught, *also]), test, config, negatives, stop):
        yield event
        if isinstance(event, TrainingStopped):
            return
        if isinstance(event, EpochDone):
            seconds = event.seconds
    network.eval()
    fields, accuracy = _examine(network, validation, test)
    passport = fields | {
        "name": name,
        "classes": whole.classes,
        "data": _data_record(whole, also, validation, test, 0 if negatives is None else len(negatives)),
        "seed": config.seed,
        "training": config.to_json() | {"seconds": round(seconds, 1)},
        "versions": {"python": platform.python_version(), "torch": version("torch"), "numpy": version("numpy")},
    }
    yield TrainingResult(save_network(network, passport, folder), accuracy, seconds)


def split_validation(samples: Samples) -> tuple[Samples, Samples]:
    """The samples without, and the samples of, a fixed random twelfth."""
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(VALIDATION_SEED))
    count = max(1, round(len(samples) * VALIDATION_SHARE))
    return samples.take(order[count:], "train"), samples.take(order[:count], "validation")


def join(parts: list[Samples]) -> Samples:
    """Several sets with the same classes as one."""
    images, labels = torch.cat([p.images for p in parts]), torch.cat([p.labels for p in parts])
    return Samples("+".join(p.name for p in parts), "train", images, labels, parts[0].classes)


def _examine(network: Any, validation: Samples, test: Samples) -> tuple[dict[str, Any], float]:
    """Calibration and threshold from the validation part; then the one look at the test set."""
    logits = predict(network, validation)
    temperature = fit_temperature(logits, validation.labels)
    threshold = refusal_threshold(logits.logsumexp(dim=1))
    test_logits = predict(network, test)
    accuracy = (test_logits.argmax(1) == test.labels).float().mean().item()
    metrics = {
        "parameters": count_parameters(network),
        "validation_accuracy": (logits.argmax(1) == validation.labels).float().mean().item(),
        "test_accuracy": accuracy,
        "test_ece": expected_calibration_error((test_logits / temperature).softmax(1), test.labels),
        "test_ece_uncalibrated": expected_calibration_error(test_logits.softmax(1), test.labels),
        "test_refused": (test_logits.logsumexp(dim=1) < threshold).float().mean().item(),
    }
    return {"metrics": metrics, "temperature": temperature, "refusal_threshold": threshold}, accuracy


def _data_record(
    whole: Samples, also: list[Samples], validation: Samples, test: Samples, negatives: int
) -> dict[str, Any]:
    return {
        "name": whole.name,
        "train": [{"name": s.name, "sha256": s.sha256, "samples": len(s)} for s in [whole, *also]],
        "validation_samples": len(validation),
        "test": {"name": test.name, "sha256": test.sha256, "samples": len(test)},
        "negatives": negatives,
    }

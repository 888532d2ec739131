"""`transfer`: a stored network and a folder of letters → a network in the store that reads them, honestly measured."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.data import Samples
from core.errors import DataError, NetworkError
from core.networks import TrainedNetwork, check_savable, open_network, save_network
from core.networks.base import Network, as_input, count_parameters
from core.training.augment import augment
from core.training.calibration import expected_calibration_error, fit_temperature, refusal_threshold
from core.training.execute import versions
from core.training.fit import EpochDone, StopEvent, predict
from core.transfer.letters import Letters, read_letters
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.validation import CrossValidation, cross_validate

ENOUGH = 10  # cross-validated answers from which a temperature can be fitted
COPIES = 20  # changed copies of each letter that the refusal threshold is set by


@dataclass(frozen=True)
class Prediction:
    """What a picture was read as; `predicted` is empty where no symbol was found on it."""

    image: str
    actual: str
    predicted: str
    confidence: float


@dataclass(frozen=True, eq=False)
class TransferResult:
    """The last event: the network is in the store. Accuracies are in [0, 1], None where there was nothing to measure.

    `per_class` and `predictions` are of the test pictures, or else of the letters by cross-validation.
    """

    network: TrainedNetwork
    trainable: int
    train_accuracy: float  # on what taught: never to be shown alone
    cross_validated: float | None
    test_accuracy: float | None
    per_class: dict[str, float]
    predictions: tuple[Prediction, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.network.name,
            "classes": list(self.network.passport.classes),
            "trainable_parameters": self.trainable,
            "frozen_parameters": self.network.passport.metrics["parameters"] - self.trainable,
            "train_accuracy": self.train_accuracy,
            "cross_validated_accuracy": self.cross_validated,
            "test_accuracy": self.test_accuracy,
            "per_class": self.per_class,
            "predictions": [asdict(prediction) for prediction in self.predictions],
        }


def transfer(
    source: str,
    folder: Path,
    name: str,
    config: TransferConfig = TransferConfig(),
    test_folder: Path | None = None,
    stop: StopEvent | None = None,
) -> Iterator[EpochDone | TransferResult]:
    """Teaches the letters of a folder to a copy of the stored network `source` and keeps it as `name`.

    Yields the epochs' events (their test figures are the letters' own where there is no test folder), then the result.
    """
    check_savable(name)
    trained = open_network(source)
    if not trained.passport.reads_glyphs:
        raise NetworkError(f"The network {source!r} takes the rows of a table; choose one that reads glyphs.")
    letters = read_letters(folder)
    if len(letters.samples.classes) < 2:
        raise DataError(f"{folder} holds one letter only; give at least two, each in a folder of its own.")
    test = None if test_folder is None else _with_labels_of(letters, read_letters(test_folder, "test"))
    module = trained.module()
    taught: Taught | None = None
    for event in teach(module, letters.samples, config, test.samples if test else None, stop):
        if isinstance(event, Taught):
            taught = event
        else:
            yield event
    assert taught is not None
    yield _keep(trained, taught, letters, test, config, name, cross_validate(module, letters.samples, config))


def _with_labels_of(letters: Letters, test: Letters) -> Letters:
    """The test letters numbered as the taught ones are; raises `DataError` where there are others."""
    known = letters.samples.classes
    if strange := [label for label in test.samples.classes if label not in known]:
        raise DataError(
            f"The test folder holds {strange[0]!r}, which is not among the letters taught ({', '.join(known)}); take "
            "that folder out, or teach it too."
        )
    numbers = torch.tensor([known.index(label) for label in test.samples.classes])
    samples = replace(test.samples, labels=numbers[test.samples.labels], classes=known)
    return replace(test, samples=samples)


def _keep(
    source: TrainedNetwork,
    taught: Taught,
    letters: Letters,
    test: Letters | None,
    config: TransferConfig,
    name: str,
    validation: CrossValidation | None,
) -> TransferResult:
    network, samples = taught.network, letters.samples
    fitted = validation is not None and len(samples) >= ENOUGH
    temperature = fit_temperature(validation.logits, validation.labels) if validation and fitted else 1.0
    own = _logits(network, samples)
    accuracy = (own.argmax(1) == samples.labels).float().mean().item()
    metrics: dict[str, Any] = {"parameters": count_parameters(network), "train_accuracy": accuracy}
    if validation is not None:
        metrics["cross_validated_accuracy"] = validation.accuracy
    predictions, logits = _predictions(network, letters, test, validation, temperature)
    if test is not None:
        metrics["test_accuracy"] = sum(p.actual == p.predicted for p in predictions) / len(predictions)
        metrics["test_ece"] = expected_calibration_error((logits / temperature).softmax(1), test.samples.labels)
    fields = {
        "name": name,
        "classes": samples.classes,
        "data": _data_record(letters, test),
        "seed": config.seed,
        "training": asdict(config) | {"from": source.name, "network": network.spec.architecture},
        "metrics": metrics,
        "temperature": temperature,
        "refusal_threshold": refusal_threshold(_logits(network, _changed(samples, config.seed)).logsumexp(1)),
        "versions": versions(),
    }
    kept = save_network(network, fields)
    return TransferResult(
        kept,
        taught.trainable,
        accuracy,
        None if validation is None else validation.accuracy,
        metrics.get("test_accuracy"),
        _per_class(predictions, samples.classes),
        predictions,
    )


def _predictions(
    network: Network, letters: Letters, test: Letters | None, validation: CrossValidation | None, temperature: float
) -> tuple[tuple[Prediction, ...], Tensor]:
    """Of the test pictures, or else of the letters, each by a network that was taught without it where there is one."""
    shown = test or letters
    logits = validation.logits if test is None and validation is not None else _logits(network, shown.samples)
    confidence, answer = (logits / temperature).softmax(1).max(1)
    labels = shown.samples.classes
    found = [
        Prediction(picture, labels[actual], labels[predicted], round(sure, 4))
        for picture, actual, predicted, sure in zip(
            shown.pictures, shown.samples.labels.tolist(), answer.tolist(), confidence.tolist(), strict=True
        )
    ]
    lost = [Prediction(picture, label, "", 0.0) for picture, label in shown.lost]
    return (*found, *lost), logits


def _per_class(predictions: tuple[Prediction, ...], classes: tuple[str, ...]) -> dict[str, float]:
    """The share of each class's pictures that was read rightly; classes without any are left out."""
    right = {label: [p.predicted == label for p in predictions if p.actual == label] for label in classes}
    return {label: sum(hits) / len(hits) for label, hits in right.items() if hits}


def _logits(network: Network, samples: Samples) -> Tensor:
    logits = predict(network, samples)
    assert logits is not None  # nobody stops this
    return logits


def _changed(samples: Samples, seed: int) -> Samples:
    """Copies as other hands would write them: more alike to what will come than the few letters themselves."""
    generator = torch.Generator().manual_seed(seed)
    changed = torch.cat([augment(as_input(samples.images), generator) for _ in range(COPIES)])
    images = (changed[:, 0] * 255).round().to(torch.uint8)
    return replace(samples, inputs=images, labels=samples.labels.repeat(COPIES))


def _data_record(letters: Letters, test: Letters | None) -> dict[str, Any]:
    samples = letters.samples
    record: dict[str, Any] = {
        "name": f"letters {samples.name}",
        "train": [{"name": samples.name, "sha256": samples.sha256, "samples": len(samples)}],
    }
    if test is not None:
        record["test"] = {"name": test.samples.name, "sha256": test.samples.sha256, "samples": len(test.samples)}
    return record

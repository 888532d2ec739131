"""`attempt`: letters taught to a copy of a network, and measured; nothing is kept until `Attempt.keep`."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from core.data import Samples
from core.errors import DataError, NetworkError
from core.networks import TrainedNetwork, check_savable, save_network
from core.networks.base import Network, as_input, count_parameters
from core.training.augment import augment
from core.training.calibration import expected_calibration_error, fit_temperature, refusal_threshold
from core.training.execute import versions
from core.training.fit import EpochDone, StopEvent, predict
from core.training.results import wilson
from core.transfer import KEPT
from core.transfer.forgetting import Forgetting, measure_forgetting
from core.transfer.letters import Letters
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.notes import notes_of
from core.transfer.rehearsal import rehearsal_of
from core.transfer.validation import CrossValidation, Validating, validating

ENOUGH = 10  # cross-validated answers from which a temperature can be fitted
COPIES = 20  # changed copies of each letter that the refusal threshold is set by, where there are few
MOST_COPIES = 2000  # of all letters together


@dataclass(frozen=True)
class Prediction:
    """What a picture was read as; `predicted` is empty where no symbol was found on it."""

    image: str
    actual: str
    predicted: str
    confidence: float


@dataclass(frozen=True, eq=False)
class Attempt:
    """The last event: the letters taught and measured. Accuracies are in [0, 1], None where there was nothing to ask.

    `per_class` and `predictions` are of the test pictures, or else of the letters by cross-validation, or else (no
    letter can be held out) of the letters that taught: `measured_on` says which.
    """

    source: TrainedNetwork
    config: TransferConfig
    letters: Letters
    test: Letters | None
    classes: tuple[str, ...]  # the network's: the letters', or the source's and the letters' where those are kept
    network: Network  # in eval mode
    trainable: int  # parameters that were learned; all others are the source's
    parameters: int
    epochs: tuple[EpochDone, ...]  # none for prototypes and neighbours
    train_accuracy: float  # on what taught: never to be shown alone
    first_perfect_epoch: int | None  # the first after which all letters that teach are read rightly
    validation: CrossValidation | None
    test_accuracy: float | None
    test_interval: tuple[float, float] | None  # 95 %, Wilson's
    predictions: tuple[Prediction, ...]
    measured_on: str  # "test", "cross-validation" or "training"
    per_class: dict[str, float]
    forgetting: Forgetting | None
    temperature: float
    notes: tuple[str, ...]  # sentences: what these letters do not allow to say
    seconds: float

    @property
    def frozen(self) -> int:
        """Parameters that are the source's."""
        return self.parameters - self.trainable

    def keep(self, name: str) -> TrainedNetwork:
        """The network in the store under that name; raises `NetworkError` where it cannot be kept."""
        if self.config.method not in KEPT:
            raise NetworkError(
                "The nearest neighbours are no network that can be kept: they are the letters themselves. Keep what "
                "prototypes make of the same letters."
            )
        check_savable(name)
        return save_network(self.network, self._fields(name))

    def _fields(self, name: str) -> dict[str, Any]:
        metrics: dict[str, Any] = {"parameters": self.parameters, "train_accuracy": self.train_accuracy}
        if self.validation is not None:
            metrics["cross_validated_accuracy"] = self.validation.accuracy
        if self.test is not None:
            logits = _logits(self.network, self.test.samples)
            metrics["test_accuracy"] = self.test_accuracy
            metrics["test_ece"] = expected_calibration_error(
                (logits / self.temperature).softmax(1), _numbered(self.test.samples, self.classes).labels
            )
        if self.forgetting is not None:
            metrics |= {"kept_before": self.forgetting.before.accuracy, "kept_after": self.forgetting.after.accuracy}
        return {
            "name": name,
            "classes": self.classes,
            "data": _data_record(self.letters, self.test, self.forgetting),
            "seed": self.config.seed,
            "training": {name: value for name, value in asdict(self.config).items() if value is not None}
            | {"from": self.source.name, "network": self.network.spec.architecture},
            "metrics": metrics,
            "temperature": self.temperature,
            "refusal_threshold": _threshold(self),
            "versions": versions(),
        }


def attempt(
    source: TrainedNetwork,
    letters: Letters,
    config: TransferConfig = TransferConfig(),
    test: Letters | None = None,
    stop: StopEvent | None = None,
) -> Iterator[EpochDone | Validating | Attempt]:
    """Teaches the letters to a copy of the source and measures; keeps nothing.

    Yields the epochs as they are done (their test figures are the letters' own where there is no `test`), then how far
    the measuring is, then the attempt. After a stop there is none: the last event is then no `Attempt`.

    Raises `NetworkError` for a source that reads no glyphs, `DataError` for letters that cannot be told apart or a
    test with others, `TrainingError` where the source's classes shall be kept and there are no samples of them.
    """
    started = time.perf_counter()
    _check(source, letters, config)
    test = None if test is None else _with_labels_of(letters, test)
    module = source.module()
    rehearsal = rehearsal_of(source, letters.samples, config.seed) if config.keep_classes else None
    classes = rehearsal.classes if rehearsal else letters.samples.classes
    taught: Taught | None = None
    epochs: list[EpochDone] = []
    for event in teach(module, letters.samples, config, test.samples if test else None, stop, rehearsal):
        if isinstance(event, Taught):
            taught = event
        else:
            epochs.append(event)
            yield event
    if taught is None or _is_set(stop):
        return
    validation = None
    if config.validate:
        validation = yield from validating(module, letters.samples, config, stop, rehearsal)
    forgetting = None
    if rehearsal is not None and not _is_set(stop):
        forgetting = yield from measure_forgetting(source, module, taught.network, letters, rehearsal, validation, stop)
    if _is_set(stop):
        return
    yield _measured(source, letters, test, config, classes, taught, tuple(epochs), validation, forgetting, started)


def _measured(
    source: TrainedNetwork,
    letters: Letters,
    test: Letters | None,
    config: TransferConfig,
    classes: tuple[str, ...],
    taught: Taught,
    epochs: tuple[EpochDone, ...],
    validation: CrossValidation | None,
    forgetting: Forgetting | None,
    started: float,
) -> Attempt:
    network = taught.network
    own = _logits(network, letters.samples)
    right = own.argmax(1) == _numbered(letters.samples, classes).labels
    enough = validation is not None and len(validation.labels) >= ENOUGH
    temperature = fit_temperature(validation.logits, validation.labels) if validation and enough else 1.0
    predictions, measured_on = _predictions(network, letters, test, validation, own, classes, temperature)
    hits = sum(p.actual == p.predicted for p in predictions)
    return Attempt(
        source=source,
        config=config,
        letters=letters,
        test=test,
        classes=classes,
        network=network,
        trainable=taught.trainable,
        parameters=count_parameters(network),
        epochs=epochs,
        train_accuracy=right.float().mean().item(),
        first_perfect_epoch=taught.first_perfect_epoch,
        validation=validation,
        test_accuracy=hits / len(predictions) if test else None,
        test_interval=wilson(hits, len(predictions)) if test else None,
        predictions=predictions,
        measured_on=measured_on,
        per_class=_per_class(predictions, letters.samples.classes),
        forgetting=forgetting,
        temperature=temperature,
        notes=notes_of(letters, validation, test is not None, forgetting),
        seconds=time.perf_counter() - started,
    )


def _check(source: TrainedNetwork, letters: Letters, config: TransferConfig) -> None:
    if not source.passport.reads_glyphs:
        raise NetworkError(f"The network {source.name!r} takes the rows of a table; choose one that reads glyphs.")
    if len(letters.samples.classes) < 2 and not config.keep_classes:
        raise DataError(f"{letters.samples.name!r} holds one letter only; give at least two, to be told apart.")


def _with_labels_of(letters: Letters, test: Letters) -> Letters:
    """The test letters numbered as the taught ones are; raises `DataError` where there are others."""
    known = letters.samples.classes
    if strange := [label for label in test.samples.classes if label not in known]:
        raise DataError(
            f"The test letters hold {strange[0]!r}, which is not among the letters taught ({', '.join(known)}); take "
            "it out, or teach it too."
        )
    return replace(test, samples=_numbered(test.samples, known))


def _numbered(samples: Samples, classes: tuple[str, ...]) -> Samples:
    """The same samples, their labels indices into `classes`, which hold theirs."""
    numbers = torch.tensor([classes.index(label) for label in samples.classes])
    return replace(samples, labels=numbers[samples.labels], classes=classes)


def _predictions(
    network: Network,
    letters: Letters,
    test: Letters | None,
    validation: CrossValidation | None,
    own: Tensor,
    classes: tuple[str, ...],
    temperature: float,
) -> tuple[tuple[Prediction, ...], str]:
    """Of the test pictures, or else of the letters, each by a network that was taught without it where there is one."""
    if test is not None:
        shown, index, logits, what = test, list(range(len(test.samples))), _logits(network, test.samples), "test"
    elif validation is not None:
        shown, index, logits, what = letters, validation.index.tolist(), validation.logits, "cross-validation"
    else:
        shown, index, logits, what = letters, list(range(len(letters.samples))), own, "training"
    confidence, answer = (logits / temperature).softmax(1).max(1)
    labels = shown.samples.labels.tolist()
    found = [
        Prediction(shown.pictures[i], shown.samples.classes[labels[i]], classes[predicted], round(sure, 4))
        for i, predicted, sure in zip(index, answer.tolist(), confidence.tolist(), strict=True)
    ]
    lost = [Prediction(picture, label, "", 0.0) for picture, label in shown.lost]
    return (*found, *lost), what


def _per_class(predictions: tuple[Prediction, ...], classes: tuple[str, ...]) -> dict[str, float]:
    """The share of each class's pictures that was read rightly; classes without any are left out."""
    right = {label: [p.predicted == label for p in predictions if p.actual == label] for label in classes}
    return {label: sum(hits) / len(hits) for label, hits in right.items() if hits}


def _logits(network: Network, samples: Samples) -> Tensor:
    logits = predict(network, samples)
    assert logits is not None  # nobody stops this
    return logits


def _threshold(tried: Attempt) -> float:
    """The score that almost all changed copies of the letters reach, and almost all samples of the classes kept."""
    samples = tried.letters.samples
    generator = torch.Generator().manual_seed(tried.config.seed)
    few = samples.images[torch.randperm(len(samples), generator=generator)[:MOST_COPIES]]
    rounds = max(1, min(COPIES, MOST_COPIES // len(few)))
    changed = torch.cat([augment(as_input(few), generator) for _ in range(rounds)])
    images = (changed[:, 0] * 255).round().to(torch.uint8)
    # copies as other hands would write them are more alike to what will come than the few letters themselves
    symbols = [replace(samples, inputs=images, labels=torch.zeros(len(images), dtype=torch.int64))]
    if tried.config.keep_classes:
        symbols.append(rehearsal_of(tried.source, samples, tried.config.seed).samples)
    return min(refusal_threshold(_logits(tried.network, part).logsumexp(1)) for part in symbols)


def _data_record(letters: Letters, test: Letters | None, forgetting: Forgetting | None) -> dict[str, Any]:
    taught = [letters.samples, *([forgetting.rehearsal.samples] if forgetting else [])]
    record: dict[str, Any] = {
        "name": f"letters {letters.samples.name}",
        "train": [{"name": s.name, "sha256": s.sha256, "samples": len(s)} for s in taught],
    }
    if test is not None:
        record["test"] = {"name": test.samples.name, "sha256": test.samples.sha256, "samples": len(test.samples)}
    return record


def _is_set(stop: StopEvent | None) -> bool:
    return stop is not None and stop.is_set()

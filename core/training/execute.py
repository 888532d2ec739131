"""`train` and `execute`: data, network, training, calibration, passport: from a config to a network in the store."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from core.data import Samples, load
from core.data.alphabet import DIGITS, GREEK
from core.errors import InklingError, TrainingError
from core.networks import ARCHITECTURES, TrainedNetwork, save_network
from core.networks.base import Network, build, count_parameters
from core.training.calibration import expected_calibration_error, fit_temperature, refusal_threshold
from core.training.config import TrainingConfig
from core.training.fit import Event, StopEvent, Trainer, TrainingDiverged, TrainingStopped, predict
from core.training.negatives import make_negatives
from core.training.recorder import Recorder
from core.training.runs import Run, create_run

VALIDATION_SHARE = 1 / 12  # 5,000 of MNIST's 60,000: calibrates and chooses, never teaches
VALIDATION_SEED = 1  # the same samples for every network, so that validation figures compare


@dataclass(frozen=True)
class TrainingResult:
    """The last event of a training: the network is in the store."""

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


@dataclass(frozen=True, eq=False)
class _Data:
    """What a training learns from and is measured with."""

    whole: Samples
    taught: Samples
    also: list[Samples]
    validation: Samples
    test: Samples


def train(
    config: TrainingConfig, name: str, shelf: Path | None = None, stop: StopEvent | None = None
) -> Iterator[Event | TrainingResult]:
    """Trains a network as the config says and keeps it under `name`: `execute` on a new run."""
    check_fit(config, load(config.dataset, "train"))  # what cannot work is told before anything is written
    yield from execute(create_run(config, name, shelf), stop)


def execute(run: Run, stop: StopEvent | None = None) -> Iterator[Event | TrainingResult]:
    """Carries a run out from its last whole epoch to its end; yields the training's events, then the result.

    A stopped training ends with `TrainingStopped`, after which the network of the last whole epoch, if there is one,
    is kept as well. Every end, good or bad, is written into the run's history before an error goes on to the caller.
    """
    with run.lock:
        recorder = Recorder(run)
        recorder.say("running", "Loading the data …")
        try:
            yield from _execute(run, recorder, stop)
        except TrainingDiverged as error:
            recorder.diverged(error, len(recorder.history.epochs))
            raise
        except InklingError as error:
            recorder.say("failed", str(error))
            raise
        except (OSError, RuntimeError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300] or type(error).__name__
            remedy = " It can go on from its last whole epoch." if run.checkpoint_file.is_file() else ""
            message = f"The training broke off: {reason}.{remedy}"
            _say_if_possible(recorder, message)
            raise TrainingError(message) from error


def _say_if_possible(recorder: Recorder, message: str) -> None:
    try:
        recorder.say("failed", message)
    except OSError:  # a full disk: the run is then shown as interrupted, and the caller has the message
        return


def _execute(run: Run, recorder: Recorder, stop: StopEvent | None) -> Iterator[Event | TrainingResult]:
    config = run.config
    data = _load_data(config)
    check_fit(config, data.whole)
    run = _check_data(run, data)
    torch.manual_seed(config.seed)
    network = build(config.spec(len(data.whole.classes)))
    with_negatives = config.negatives > 0 and set(data.whole.classes) <= {*DIGITS, *GREEK}  # there may be other things
    negatives = make_negatives(config.negatives, data.taught, config.seed) if with_negatives else None
    trainer = Trainer(network, join([data.taught, *data.also]), data.test, config, negatives)
    recorder.begin(trainer)
    stopped = False
    try:
        for event in trainer.run(stop):
            recorder.take(event, trainer)
            stopped = isinstance(event, TrainingStopped)
            yield event
    except TrainingDiverged:
        if trainer.epoch:
            _keep(run, trainer, recorder, data, "diverged")
        raise
    if trainer.epoch:
        result = _keep(run, trainer, recorder, data, "stopped" if stopped else "finished")
        if not stopped:
            yield result


def check_fit(config: TrainingConfig, samples: Samples) -> None:
    """Raises `TrainingError` or `NetworkError` where the network cannot learn from these samples, or not here."""
    spec = config.spec(len(samples.classes))
    if (spec.takes == "features") != samples.is_table:
        wanted = [name for name, kind in ARCHITECTURES.items() if (kind.takes == "features") == samples.is_table]
        raise TrainingError(
            f"The network {config.network!r} takes {spec.takes}, which the data set {config.dataset!r} does not hold; "
            f"choose one of: {', '.join(wanted)}."
        )
    if samples.is_table and config.augmentation != "none":
        raise TrainingError("The rows of a table cannot be augmented; choose the augmentation none.")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("This machine has no graphics processor that torch can use; choose the device cpu.")


def _load_data(config: TrainingConfig) -> _Data:
    whole, test = load(config.dataset, "train"), load(config.dataset, "test")
    taught, validation = split_validation(whole)
    # a recipe's further sets fit its own classes only: `digits` may be asked to learn letters
    also = [other for extra in config.also if (other := load(extra, "train")).classes == whole.classes]
    return _Data(whole, taught, also, validation, test)


def _check_data(run: Run, data: _Data) -> Run:
    """The run with its data's hash written down; what was begun on other data cannot go on."""
    found = data.whole.sha256
    if run.data_sha256 not in (None, found):
        raise TrainingError(
            f"The data set {run.config.dataset!r} has changed since this training began; train anew under another name."
        )
    run = replace(run, data_sha256=found)
    run.write()
    return run


def _keep(run: Run, trainer: Trainer, recorder: Recorder, data: _Data, state: str) -> TrainingResult:
    """The network of the last whole epoch goes into the store."""
    if state != "finished":
        recorder.begin_again(trainer)
    network = trainer.measured.cpu().eval()
    seconds = round(trainer.seconds, 1)
    figures, accuracy = _examine(network, data.validation, data.test)
    passport = figures | {
        "name": run.name,
        "classes": data.whole.classes,
        "data": _data_record(data, 0 if trainer.negatives is None else len(trainer.negatives)),
        "seed": run.config.seed,
        "training": run.config.to_json() | {"seconds": seconds, "epochs_done": trainer.epoch, "state": state},
        "versions": versions(),
    }
    if data.whole.is_table:
        passport["preprocessing"] = data.whole.preparation
    kept = save_network(network, passport, run.folder.parent)
    recorder.history.kept = True
    if state != "diverged":
        recorder.say(state, recorder.history.message if state == "stopped" else "")
    return TrainingResult(kept, accuracy, trainer.seconds)


def split_validation(samples: Samples) -> tuple[Samples, Samples]:
    """The samples without, and the samples of, a fixed random twelfth."""
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(VALIDATION_SEED))
    count = max(1, round(len(samples) * VALIDATION_SHARE))
    return samples.take(order[count:], "train"), samples.take(order[:count], "validation")


def join(parts: list[Samples]) -> Samples:
    """Several sets with the same classes as one."""
    inputs, labels = torch.cat([p.inputs for p in parts]), torch.cat([p.labels for p in parts])
    return replace(parts[0], name="+".join(p.name for p in parts), inputs=inputs, labels=labels)


def _examine(network: Network, validation: Samples, test: Samples) -> tuple[dict[str, Any], float]:
    """Calibration and threshold from the validation part; then the one look at the test set."""
    logits, test_logits = predict(network, validation), predict(network, test)
    assert logits is not None  # nobody stops this
    assert test_logits is not None
    temperature = fit_temperature(logits, validation.labels)
    threshold = refusal_threshold(logits.logsumexp(dim=1))
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


def _data_record(data: _Data, negatives: int) -> dict[str, Any]:
    return {
        "name": data.whole.name,
        "train": [{"name": s.name, "sha256": s.sha256, "samples": len(s)} for s in [data.whole, *data.also]],
        "validation_samples": len(data.validation),
        "test": {"name": data.test.name, "sha256": data.test.sha256, "samples": len(data.test)},
        "negatives": negatives,
    }


def versions() -> dict[str, str]:
    """What besides config and data decides the weights, bit for bit."""
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }

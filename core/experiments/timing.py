"""How long trainings take: a few batches of each kind of network are timed, and the others told from these."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from core.data import Samples
from core.experiments.unit import KINDS, Record, Unit
from core.networks.base import Network, build, count_parameters
from core.training.config import TrainingConfig
from core.training.fit import EVALUATION_BATCH, BatchDone, Trainer, predict

BATCHES = 40  # that are timed at most, after one to warm up
ENOUGH_S = 0.3  # of one kind's steps
LONG_S = 0.25  # a step so long needs no warming up
EVALUATED = 3e9  # multiply-adds of a timed evaluation, about
BIASES = ("cnn", "network", "batch_size", "optimizer", "augmentation", "averaging", "precision", "loss")
SHORT_EPOCHS = 2  # of a timed transfer


@dataclass(frozen=True)
class Cost:
    """Seconds on one core of one training."""

    step_s: float
    evaluation_s: float  # of one sample
    start_s: float = 0.0  # before the first step


@dataclass(frozen=True)
class Kind:
    """Trainings whose steps take alike long, and what the length depends on."""

    key: str
    config: TrainingConfig
    features: tuple[float, ...]  # of a step: 1, multiply-adds of the batch, activations of the batch, parameters
    forward: tuple[float, ...]  # of a sample: 1, multiply-adds, activations


def key_of(config: dict[str, Any]) -> str:
    """The same for trainings whose steps take alike long: rates, dropout, seeds and epochs do not matter."""
    shape = {name: value for name, value in (config["cnn"] or {}).items() if name != "second_dropout"}
    about = {name: config[name] for name in BIASES} | {"cnn": shape, "averaging": config["averaging"] > 0}
    return json.dumps(about, sort_keys=True)


def kind_of(config: dict[str, Any], classes: int) -> Kind:
    known = TrainingConfig.from_json(config | {"seed": 0})
    products, activations, parameters = work_of(known, classes)
    size = known.batch_size
    return Kind(
        key_of(config), known, (1.0, products * size, activations * size, parameters), (1.0, products, activations)
    )


def work_of(config: TrainingConfig, classes: int) -> tuple[int, int, int]:
    """Multiply-adds and activations of one sample's forward pass, and parameters."""
    network = build(config.spec(classes))
    return (*_counted(network), count_parameters(network))


def _counted(network: Network) -> tuple[int, int]:
    sums = [0, 0]

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d | nn.Linear):
            sums[0] += output[0].numel() * module.weight[0].numel()
        sums[1] += output[0].numel()

    leaves = [module for module in network.modules() if not list(module.children())]
    handles = [module.register_forward_hook(count) for module in leaves]
    try:
        with torch.inference_mode():
            network.eval().logits(type(network).example())
    finally:
        for handle in handles:
            handle.remove()
    return sums[0], sums[1]


def time_kind(kind: Kind, taught: Samples, validation: Samples) -> Cost:
    """Real steps on real samples, by one thread; seconds of the processor's time, which nobody else's work changes."""
    config = kind.config
    network = build(config.spec(len(taught.classes)))
    size = int(min(EVALUATION_BATCH, len(validation), max(16, EVALUATED / max(kind.forward[1], 1))))
    shown = validation.take(torch.arange(size))
    few = taught.take(torch.arange(min(len(taught), BATCHES * config.batch_size)))
    times: list[float] = []
    last = time.process_time()
    for event in Trainer(network, few, validation.take(torch.arange(1)), config).run():
        if isinstance(event, BatchDone):
            times.append(time.process_time() - last)
            if times[0] > LONG_S or (len(times) > 1 and sum(times[1:]) > ENOUGH_S):
                break
        last = time.process_time()
    predict(network, shown.take(torch.arange(min(size, 8))))
    started = time.process_time()
    predict(network, shown)
    evaluation_s = (time.process_time() - started) / size
    warm = times if times[0] > LONG_S or len(times) == 1 else times[1:]
    return Cost(sum(warm) / len(warm), evaluation_s)


class Model:
    """Tells the times of kinds that were not timed: a non-negative sum of what a step or a forward pass does."""

    def __init__(self, timed: Sequence[tuple[Kind, Cost]]) -> None:
        self._timed = {kind.key: cost for kind, cost in timed}
        self._step = _fitted([kind.features for kind, _ in timed], [cost.step_s for _, cost in timed])
        self._forward = _fitted([kind.forward for kind, _ in timed], [cost.evaluation_s for _, cost in timed])

    def cost(self, kind: Kind) -> Cost:
        if kind.key in self._timed:
            return self._timed[kind.key]
        return Cost(float(np.dot(self._step, kind.features)), float(np.dot(self._forward, kind.forward)))


def _fitted(features: Sequence[tuple[float, ...]], seconds: Sequence[float]) -> np.ndarray:
    """Least squares of the relative errors, no coefficient below 0 (Lawson & Hanson 1974)."""
    rows = np.array(features) / np.array(seconds)[:, None]
    scale = rows.max(0)
    scale[scale == 0] = 1
    found: np.ndarray = nnls(rows / scale, np.ones(len(rows)))[0]
    return found / scale


def spread(count: int) -> Iterator[int]:
    """0 to count − 1: first and last, then ever finer in between, so that the first few stand for all."""
    seen: set[int] = set()
    pieces = 1
    while len(seen) < count:
        for i in range(pieces + 1):
            place = round(i * (count - 1) / pieces)
            if place not in seen:
                seen.add(place)
                yield place
        pieces *= 2


def training_s(config: TrainingConfig, cost: Cost, taught: int, validated: int) -> float:
    """Of one training from its first step to its last evaluation; the untrained network is evaluated too."""
    steps = math.ceil(taught / config.batch_size)
    # a last batch that is smaller takes less, but for what each step costs anyway; half of it is about right
    last = taught % config.batch_size
    short = 0.5 * (1 - last / config.batch_size) if last else 0.0
    epochs = config.all_epochs
    return cost.start_s + epochs * (steps - short) * cost.step_s + (epochs + 1) * validated * cost.evaluation_s


class Silent:
    """A worker's way to the storage, where nobody watches."""

    def tell(self, record: Record, at_once: bool = False) -> None: ...

    def should_prune(self, epoch: int, accuracy: float) -> bool:
        return False

    def is_set(self) -> bool:
        return False


def time_unit(unit: Unit) -> tuple[float, float]:
    """(seconds before the first epoch's end without it, seconds an epoch) of a transfer or a classic method."""
    setup = json.loads(unit.setup)
    if setup.get("epochs", 1) not in (1, None):
        setup["epochs"] = SHORT_EPOCHS
    short = Unit(json.dumps(setup, sort_keys=True), unit.data_sha256, unit.seed, unit.fold, unit.folds)
    started, worked = time.perf_counter(), time.process_time()
    record = record_of(short)
    quick = (time.process_time() - worked) / max(time.perf_counter() - started, 1e-9)
    whole = time.process_time() - worked
    times = [epoch["seconds"] for epoch in record["epochs"]]
    an_epoch = quick * (times[-1] - times[-2]) if len(times) > 1 else 0.0
    return max(0.0, whole - an_epoch * len(times)), an_epoch


def record_of(unit: Unit) -> Record:
    """The unit's record, made in this process."""
    record: Record = {"epochs": []}
    module, function = KINDS[json.loads(unit.setup)["kind"]].split(":")
    getattr(import_module(module), function)(unit, record, Silent())
    return record

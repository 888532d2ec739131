"""`Trainer`: one training as a stream of small events; it can be put aside after an epoch and taken up again."""

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data import Samples
from core.errors import TrainingError
from core.networks.base import Network, as_input
from core.training.augment import augment, jitter
from core.training.config import TrainingConfig
from core.training.optimizer import make_average, make_optimizer, make_schedule

GENTLE_SHARE = (
    0.2  # the last fifth of a one-cycle's epochs sees half-strength augmentation, closer to what will be read
)
EVALUATION_BATCH = 500
HOPELESS_LOSS = 1000.0  # no useful training comes near: log-losses start at the logarithm of the number of classes


@dataclass(frozen=True)
class Untrained:
    """The figures before the first step: what chance gives."""

    test_loss: float
    test_accuracy: float


@dataclass(frozen=True)
class BatchDone:
    epoch: int  # counted from 1
    step: int  # batches since the start
    examples: int  # seen since the start
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """The figures of a whole epoch; losses are means over the samples, accuracies in [0, 1]."""

    epoch: int
    examples: int
    train_loss: float  # mean over the epoch's batches, as they were when they were learned from
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    seconds: float  # since the start

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TrainingStopped:
    """The caller's stop event was set; the network holds the weights of that moment."""

    epoch: int
    examples: int


Event = Untrained | BatchDone | EpochDone | TrainingStopped


class StopEvent(Protocol):
    """Whatever says that a training should end: a `threading.Event`, a file that appears."""

    def is_set(self) -> bool: ...


class TrainingDiverged(TrainingError):
    """The loss ran away; `step` is the batch that it happened at."""

    def __init__(self, step: int, loss: float, learning_rate: float) -> None:
        super().__init__(
            f"The training diverged at step {step:,}: its loss is {loss:.4g}. Take a smaller learning rate than "
            f"{learning_rate:g}."
        )
        self.step = step


def fit(
    network: Network,
    train: Samples,
    test: Samples,
    config: TrainingConfig,
    negatives: Tensor | None = None,
    stop: StopEvent | None = None,
) -> Iterator[Event]:
    """Trains `network` in place from its first step to its last; ends with the weights that were measured."""
    trainer = Trainer(network, train, test, config, negatives)
    yield from trainer.run(stop)
    if trainer.measured is not network:
        network.load_state_dict(trainer.measured.state_dict())


class Trainer:
    """One training of `network`, in place, on whole tensors.

    `negatives`: `(M, 1, 28, 28) uint8` glyphs of no class. They are learned as an extra class whose logit is fixed at
    zero, so the log-sum-exp of the other logits becomes the log-odds of "is a symbol" at no cost in parameters.
    `test` is only measured: nothing is chosen by it, the last weights (or their moving average) are kept.

    With `state` and `restore` a training that is taken up after a whole epoch goes on as if it had never paused, bit
    for bit with one thread.
    """

    def __init__(
        self, network: Network, train: Samples, test: Samples, config: TrainingConfig, negatives: Tensor | None = None
    ) -> None:
        if not len(train) or not len(test):
            raise TrainingError("A training needs at least one training and one test sample.")
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)  # dropout draws from torch's global generator
        self.network, self.train, self.test, self.config, self.negatives = network, train, test, config, negatives
        self.epoch, self.examples, self.seconds = 0, 0, 0.0  # done so far
        self.batches = -(-len(train) // config.batch_size)  # an epoch
        self._generator = torch.Generator().manual_seed(config.seed)
        network.to(config.device).to(memory_format=torch.channels_last)
        self._optimizer = make_optimizer(network, config)
        self._average = make_average(network, config)

    @property
    def measured(self) -> Network:
        """The network whose figures the events tell: the moving average where there is one."""
        return self.network if self._average is None else cast(Network, self._average.module)

    @property
    def step(self) -> int:
        return self.epoch * self.batches

    def run(self, stop: StopEvent | None = None) -> Iterator[Event]:
        """The training from where it stands to the end of its plan; yields an event each batch and each epoch."""
        stop = stop or threading.Event()
        if self.epoch == 0 and (before := evaluate(self.network, self.test, self.config, stop)):
            yield Untrained(*before)
        for start, epochs in self._legs():
            schedule = make_schedule(
                self._optimizer, self.config, epochs * self.batches, (self.epoch - start) * self.batches
            )
            while self.epoch < start + epochs:
                gentle = self.config.schedule == "one-cycle" and self.epoch - start >= epochs * (1 - GENTLE_SHARE)
                yield from self._run_epoch(schedule, 0.5 if gentle else 1.0, stop)
                if stop.is_set():
                    return

    def _legs(self) -> Iterator[tuple[int, int]]:
        """(first epoch, epochs) of each schedule of the plan that is not done yet."""
        start = 0
        for epochs in (self.config.epochs, *self.config.more_epochs):
            if start + epochs > self.epoch:
                yield start, epochs
            start += epochs

    def _run_epoch(
        self, schedule: torch.optim.lr_scheduler.LRScheduler, strength: float, stop: StopEvent
    ) -> Iterator[Event]:
        started = time.perf_counter()
        self.network.train()
        order = torch.randperm(len(self.train), generator=self._generator)
        loss_sum = right = 0.0
        for number, chosen in enumerate(order.split(self.config.batch_size), 1):
            if stop.is_set():
                yield TrainingStopped(self.epoch + 1, self.examples)
                return
            loss, hits = self._learn(chosen, strength, self.step + number)
            schedule.step()
            self.examples += len(chosen)
            loss_sum, right = loss_sum + loss * len(chosen), right + hits
            yield BatchDone(self.epoch + 1, self.step + number, self.examples, loss)
        figures = evaluate(self.measured, self.test, self.config, stop)
        if figures is None:
            yield TrainingStopped(self.epoch + 1, self.examples)
            return
        self._check(figures[0], self.step + self.batches)
        self.epoch += 1
        self.seconds += time.perf_counter() - started
        n = len(self.train)
        yield EpochDone(self.epoch, self.examples, loss_sum / n, right / n, *figures, self.seconds)

    def _learn(self, chosen: Tensor, strength: float, step: int) -> tuple[float, int]:
        """One step; the batch's loss and how many of it were answered right."""
        inputs, labels = self._batch(chosen, strength)
        with torch.autocast(self.config.device, torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            logits = self.network.logits(inputs)
        logits = logits.float()
        loss = self._loss(logits, labels)
        loss_now = loss.item()
        self._check(loss_now, step)  # before the step: the weights that are kept are the last good ones
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self.network)
        return loss_now, int((logits[: len(chosen)].argmax(1) == labels[: len(chosen)]).sum())

    def _check(self, loss: float, step: int) -> None:
        if not math.isfinite(loss) or loss > HOPELESS_LOSS:
            raise TrainingDiverged(step, loss, self.config.learning_rate)

    def _batch(self, chosen: Tensor, strength: float) -> tuple[Tensor, Tensor]:
        inputs, labels = self.train.inputs[chosen], self.train.labels[chosen]
        if self.negatives is not None:
            # as many negatives a batch as there are for each positive in the whole
            count = max(1, round(len(chosen) * len(self.negatives) / len(self.train)))
            drawn = torch.randint(len(self.negatives), (count,), generator=self._generator)
            inputs = torch.cat([inputs, self.negatives[drawn, 0]])
            labels = torch.cat([labels, torch.full((count,), len(self.train.classes))])
        inputs = as_input(inputs)
        if self.config.augmentation == "handwriting":
            inputs = augment(inputs, self._generator, strength)
        elif self.config.augmentation == "pictures":
            inputs = jitter(inputs, self._generator)
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return inputs.to(self.config.device), labels.to(self.config.device)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.config.loss == "mse":
            return F.mse_loss(logits.softmax(1), F.one_hot(labels, logits.shape[1]).float())
        # the class "none" has the fixed logit 0
        return F.cross_entropy(logits if self.negatives is None else F.pad(logits, (0, 1)), labels)

    def state(self) -> dict[str, Tensor]:
        """All that the rest of the training depends on, as named tensors."""
        state = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        if self._average is not None:
            state |= {f"average.{key}": value for key, value in self._average.state_dict().items()}
        for position, values in self._optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{position}.{key}": value for key, value in values.items() if value is not None}
        state["random.generator"], state["random.torch"] = self._generator.get_state(), torch.get_rng_state()
        state["done.counts"] = torch.tensor([self.epoch, self.examples])
        state["done.seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        return {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Goes back to where `state` was taken; raises `TrainingError` for the state of another training."""
        try:
            self.network.load_state_dict(_part(state, "network"))
            if self._average is not None:
                self._average.load_state_dict(_part(state, "average"))
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in _part(state, "optimizer").items():
                position, name = key.split(".", 1)
                slots.setdefault(int(position), {})[name] = value
            groups = self._optimizer.state_dict()["param_groups"]
            self._optimizer.load_state_dict({"state": slots, "param_groups": groups})
            self._generator.set_state(state["random.generator"])
            torch.set_rng_state(state["random.torch"])
            self.epoch, self.examples = (int(count) for count in state["done.counts"])
            self.seconds = float(state["done.seconds"])
        except (KeyError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise TrainingError(f"The state does not fit this training ({reason}); start it anew.") from error


def _part(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def evaluate(
    network: Network, samples: Samples, config: TrainingConfig, stop: StopEvent | None = None
) -> tuple[float, float] | None:
    """Mean loss (the config's) and accuracy of the network, in eval mode, on all samples; None when stopped."""
    logits = predict(network, samples, stop)
    if logits is None:
        return None
    if config.loss == "mse":
        loss = F.mse_loss(logits.softmax(1), F.one_hot(samples.labels, logits.shape[1]).float())
    else:
        loss = F.cross_entropy(logits, samples.labels)
    return loss.item(), (logits.argmax(1) == samples.labels).float().mean().item()


def predict(network: Network, samples: Samples, stop: StopEvent | None = None) -> Tensor | None:
    """The network's logits for all samples, `(N, C)` on the processor, in eval mode; None when stopped."""
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    logits = []
    with torch.inference_mode():
        for part in samples.inputs.split(EVALUATION_BATCH):
            if stop is not None and stop.is_set():
                break
            logits.append(network.logits(as_input(part).to(device)).cpu())
    network.train(was_training)
    return None if stop is not None and stop.is_set() else torch.cat(logits)

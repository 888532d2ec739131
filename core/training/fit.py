"""`fit`: one training as a stream of small events."""

import copy
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data import Samples
from core.errors import TrainingError
from core.networks.base import Network
from core.training.augment import augment
from core.training.config import TrainingConfig

GENTLE_SHARE = 0.2  # the last fifth of the epochs sees half-strength augmentation, closer to what will be read
EVALUATION_BATCH = 1000


@dataclass(frozen=True)
class BatchDone:
    epoch: int  # counted from 1
    examples: int  # seen since the start
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """The figures of a whole epoch; losses are mean negative log-likelihoods, accuracies in [0, 1]."""

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


Event = BatchDone | EpochDone | TrainingStopped


def fit(
    network: Network,
    train: Samples,
    test: Samples,
    config: TrainingConfig,
    negatives: Tensor | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Event]:
    """Trains `network` in place on whole tensors; yields a `BatchDone` each batch and an `EpochDone` each epoch.

    `negatives`: `(M, 1, 28, 28) uint8` glyphs of no class. They are learned as an extra class whose logit is fixed at
    zero, so the log-sum-exp of the other logits becomes the log-odds of "is a symbol" at no cost in parameters.
    `test` is only measured: nothing is chosen by it, the last weights (or their moving average) are kept.
    """
    if not len(train) or not len(test):
        raise TrainingError("A training needs at least one training and one test sample.")
    torch.set_num_threads(config.threads)
    generator = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)  # dropout draws from torch's global generator
    network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        _parameter_groups(network, config),
        lr=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.momentum > 0,
    )
    batches = -(-len(train) // config.batch_size)
    schedule = _schedule(optimizer, config, config.epochs * batches)
    average = _moving_average(network, config)
    started, examples = time.perf_counter(), 0
    for epoch in range(1, config.epochs + 1):
        network.train()
        strength = 0.5 if epoch > config.epochs * (1 - GENTLE_SHARE) else 1.0
        order = torch.randperm(len(train), generator=generator)
        loss_sum = right = 0.0
        for chosen in order.split(config.batch_size):
            if stop is not None and stop.is_set():
                yield TrainingStopped(epoch, examples)
                return
            glyphs, labels = _batch(train, chosen, negatives, config, strength, generator)
            loss, logits = _loss(network, glyphs, labels, config, with_none=negatives is not None)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if average is not None:
                average.update_parameters(network)
            examples += len(chosen)
            loss_now = _finite(loss.item(), config)
            loss_sum += loss_now * len(chosen)
            right += (logits[: len(chosen)].argmax(1) == train.labels[chosen]).sum().item()
            yield BatchDone(epoch, examples, loss_now)
        if average is not None and epoch == config.epochs:
            network.load_state_dict(average.module.state_dict())
        measured = network if average is None else cast(Network, average.module)
        test_loss, test_accuracy = evaluate(measured, test)
        _finite(test_loss, config)
        seconds = time.perf_counter() - started
        yield EpochDone(epoch, examples, loss_sum / len(train), right / len(train), test_loss, test_accuracy, seconds)


def _finite(loss: float, config: TrainingConfig) -> float:
    if not math.isfinite(loss):
        raise TrainingError(
            f"The training ran away: its loss is {loss}. Take a smaller learning rate than {config.learning_rate}."
        )
    return loss


def evaluate(network: Network, samples: Samples) -> tuple[float, float]:
    """Mean negative log-likelihood and accuracy of the network, in eval mode, on all samples."""
    logits = predict(network, samples)
    loss = F.cross_entropy(logits, samples.labels).item()
    return loss, (logits.argmax(1) == samples.labels).float().mean().item()


def predict(network: Network, samples: Samples) -> Tensor:
    """The network's logits for all samples, `(N, C)`, in eval mode."""
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        batches = [network.logits(to_glyphs(part)) for part in samples.images.split(EVALUATION_BATCH)]
    network.train(was_training)
    return torch.cat(batches)


def to_glyphs(images: Tensor) -> Tensor:
    """`(N, 28, 28) uint8` → `(N, 1, 28, 28) float32` in [0, 1]."""
    return images.reshape(-1, 1, 28, 28).to(torch.float32).div_(255)


def _batch(
    train: Samples,
    chosen: Tensor,
    negatives: Tensor | None,
    config: TrainingConfig,
    strength: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    images, labels = train.images[chosen][:, None], train.labels[chosen]
    if negatives is not None:
        # as many negatives a batch as there are for each positive in the whole
        count = max(1, round(len(chosen) * len(negatives) / len(train)))
        drawn = torch.randint(len(negatives), (count,), generator=generator)
        images = torch.cat([images, negatives[drawn]])
        labels = torch.cat([labels, torch.full((count,), len(train.classes))])
    glyphs = to_glyphs(images)
    if config.augmentation == "handwriting":
        glyphs = augment(glyphs, generator, strength)
    return glyphs, labels


def _loss(
    network: Network, glyphs: Tensor, labels: Tensor, config: TrainingConfig, with_none: bool
) -> tuple[Tensor, Tensor]:
    with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
        logits = network.logits(glyphs.contiguous(memory_format=torch.channels_last))
    logits = logits.float()
    scores = F.pad(logits, (0, 1)) if with_none else logits  # the class "none" has the fixed logit 0
    return F.cross_entropy(scores, labels), logits.detach()


def _parameter_groups(network: Network, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weight decay for kernels and matrices only; biases and normalisation stay free."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _schedule(
    optimizer: torch.optim.Optimizer, config: TrainingConfig, steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if config.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=steps, cycle_momentum=False
    )


def _moving_average(network: Network, config: TrainingConfig) -> torch.optim.swa_utils.AveragedModel | None:
    if config.averaging == 0:
        return None
    return torch.optim.swa_utils.AveragedModel(
        copy.deepcopy(network),
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(config.averaging),
        use_buffers=True,
    )

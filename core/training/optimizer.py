"""What moves the weights: optimizer, learning-rate schedule, moving average; each from the config."""

import copy
import warnings
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.networks.base import Network
from core.training.config import TrainingConfig


def make_optimizer(network: Network, config: TrainingConfig) -> torch.optim.Optimizer:
    groups = _parameter_groups(network, config)
    if config.optimizer == "adam":
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)


def _parameter_groups(network: Network, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weight decay for kernels and matrices only; biases and normalisation stay free, what is frozen stays out."""
    trainable = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in trainable if p.ndim > 1]
    vectors = [p for p in trainable if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def make_schedule(
    optimizer: torch.optim.Optimizer, config: TrainingConfig, steps: int, done: int = 0
) -> torch.optim.lr_scheduler.LRScheduler:
    """The schedule of `steps` steps, `done` of them made already; it begins with the config's learning rate anew."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate
    if config.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.learning_rate, total_steps=steps, cycle_momentum=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the steps that it misses were made before this process began
        for _ in range(done):
            schedule.step()
    return schedule


def make_average(network: Network, config: TrainingConfig) -> AveragedModel | None:
    if config.averaging == 0:
        return None
    return AveragedModel(copy.deepcopy(network), multi_avg_fn=_average_fn(config.averaging), use_buffers=True)


def _average_fn(decay: float) -> Any:
    """A moving average that forgets quickly at first: else the untrained weights would spoil it for an epoch or two.

    The early decay (1 + n) / (10 + n) after n steps is TensorFlow's (`tf.train.ExponentialMovingAverage`).
    """

    def update(averaged: Any, current: Any, steps: Any) -> None:
        done = int(steps)
        get_ema_multi_avg_fn(min(decay, (1 + done) / (10 + done)))(averaged, current, steps)

    return update

"""Truncated networks: what comes out after any layer, for one picture or as the mean over many."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.inspection.attention import ATTENTION
from core.inspection.subject import Layer, Subject
from core.networks.summary import is_block

BATCH = 50  # inputs that run at once
WITH_WEIGHTS = nn.Conv2d | nn.Linear


def stages(subject: Subject) -> tuple[Layer, ...]:
    """Where to look first: the last layer before each new convolution or dense layer.

    Of a network of blocks (residual, transformer): the last layer before each block. What flattening makes stands for
    nothing of its own, so the layer before it counts.
    """
    by_block = any(_block(subject, layer) for layer in subject.layers)
    ends: list[Layer] = []
    started = ""
    for before, layer in zip(subject.layers, subject.layers[1:], strict=False):
        if by_block:
            block = _block(subject, layer)
            new = bool(layer.path) and block != started and before.number > 1
            started = block if layer.path else started
        else:
            new = bool(layer.path) and isinstance(subject.module.get_submodule(layer.path), WITH_WEIGHTS)
        if new and _made_by_weights(subject, before):
            ends.append(subject.layers[before.number - 2] if before.label == "flatten" else before)
    return tuple(dict.fromkeys(ends)) or subject.layers[-1:]


def _block(subject: Subject, layer: Layer) -> str:
    """The path of the block that a layer belongs to; empty outside of blocks.

    Of blocks within blocks the outermost that stands among others of its kind, as one of a transformer's; else the
    outermost.
    """
    parts = layer.path.split(".") if layer.path else []
    outer = ""
    for i in range(1, len(parts)):
        path, block = ".".join(parts[:i]), subject.module.get_submodule(".".join(parts[:i]))
        if not is_block(block):
            continue
        outer = outer or path
        beside = subject.module.get_submodule(".".join(parts[: i - 1])).children()
        if sum(type(other) is type(block) for other in beside) > 1:
            return path
    return outer


def _made_by_weights(subject: Subject, layer: Layer) -> bool:
    """Whether any weights stand before or in a layer: else it is only the picture."""
    for other in subject.layers[: layer.number]:
        if other.path and any(True for _ in subject.module.get_submodule(other.path).parameters()):
            return True
    return False


def default_pair(subject: Subject) -> tuple[Layer, Layer]:
    """What to set side by side: the outputs after the first stage and after the first two."""
    first, *more = stages(subject)
    return first, more[0] if more else [layer for layer in subject.layers if layer.path][-1]


def included(subject: Subject, layer: Layer) -> tuple[Layer, ...]:
    """The layers of the truncated network that ends with this one, without the input."""
    return subject.layers[1 : layer.number]


def mean_activations(subject: Subject, inputs: Tensor, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Layer's name → the mean of its output over `(N, …)` inputs, without the batch, float32."""
    sums: dict[str, Tensor] = {}
    for part in inputs.split(BATCH):
        for name, made in subject.activations(part, names).items():
            total = made.sum(0, dtype=torch.float64)
            sums[name] = sums[name] + total if name in sums else total
    return {name: (total / len(inputs)).float().numpy() for name, total in sums.items()}


def kind_of(shape: tuple[int, ...]) -> str:
    """How an output without its batch is shown: "maps", "vector" or "tokens"; "many" where it has too many axes."""
    return {1: "vector", 2: "tokens", 3: "maps"}.get(len(shape), "many")


def channels_last(shape: tuple[int, ...]) -> bool:
    """Whether maps `(h, w, C)` come with their channels last, as in networks of windows: told by their square sides."""
    return len(shape) == 3 and shape[0] == shape[1] != shape[2]


def in_words(layer: Layer) -> str:
    """The shape of what comes out, said: "[N, 20, 4, 4]: 20 channels of 4 × 4"."""
    shape, sizes = f"[N, {', '.join(map(str, layer.shape))}]", layer.shape
    match kind_of(sizes):
        case "maps" if layer.label == ATTENTION:
            return f"{shape}: {sizes[0]} heads, each {sizes[1]} tokens of {sizes[2]} numbers"
        case "maps":
            count, high, wide = (sizes[2], *sizes[:2]) if channels_last(sizes) else sizes
            return f"{shape}: {count} {'channel' if count == 1 else 'channels'} of {high} × {wide}"
        case "tokens":
            return f"{shape}: {sizes[0]} {'rows' if layer.label == 'flatten' else 'tokens'} of {sizes[1]} numbers"
        case "vector":
            return f"{shape}: {sizes[0]} numbers"
    return f"{shape}: {' × '.join(map(str, sizes))} numbers"


def inactive(values: np.ndarray) -> int | None:
    """How many channels, or nodes, of a rectified output are zero everywhere; None where it holds negative numbers."""
    if values.min() < 0 or values.ndim == 2:
        return None
    return int((values.reshape(len(values), -1) <= 0).all(1).sum())

"""The filters of a layer as pictures: of a convolution, or of a dense layer that reads a picture."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from core.inspection.chain import RECTIFIERS, activation_after, source
from core.inspection.subject import Layer, Subject

NORM, PATTERN = "norm", "pattern"  # what may be shown of filters that read several channels, beside one channel
BATCH = 64


@dataclass(frozen=True, eq=False)
class Bank:
    """All filters of a layer."""

    layer: Layer
    weights: np.ndarray  # (K, C, h, w) float32; C: the channels that one filter reads
    bias: np.ndarray | None  # (K,) float32
    dense: bool = False  # each filter is as large as what it reads, and makes one number
    groups: int = 1

    @property
    def count(self) -> int:
        return len(self.weights)

    @property
    def channels(self) -> int:
        return self.weights.shape[1]

    @property
    def norms(self) -> np.ndarray:
        """`(K,)` lengths of the filters: the root of their squared weights' sum."""
        return np.linalg.norm(self.weights.reshape(self.count, -1).astype(float), axis=1)

    @property
    def in_words(self) -> str:
        """The shape of the weights, said: "[10, 1, 5, 5]: 10 filters, each …"."""
        k, c, h, w = self.weights.shape
        channels = "1 channel" if c == 1 else f"{c} channels"
        what = "rows of weights" if self.dense else "filters"
        of = f", {channels} of its own group (1 of {self.groups})" if self.groups > 1 else f" over {channels}"
        size = (
            "one pixel"
            if h == w == 1
            else f"{h} {'row' if h == 1 else 'rows'} by {w} {'column' if w == 1 else 'columns'}"
        )
        return f"[{k}, {c}, {h}, {w}]: {k} {what}, each{of}, {size}"


def filter_layers(subject: Subject) -> tuple[Layer, ...]:
    """The layers whose filters are pictures: all convolutions; without any, dense layers that read a picture."""
    if subject.convolutions:
        return subject.convolutions
    return tuple(layer for layer in dense_layers(subject) if _read_picture(subject, layer) is not None)


def dense_layers(subject: Subject) -> tuple[Layer, ...]:
    return tuple(x for x in subject.layers if x.path and isinstance(subject.module.get_submodule(x.path), nn.Linear))


def bank_of(subject: Subject, layer: Layer) -> Bank:
    """The filters of one of `filter_layers`; those of a dense layer in the shape of the picture that it reads."""
    module = subject.module.get_submodule(layer.path)
    assert isinstance(module, nn.Conv2d | nn.Linear)
    weights = module.weight.detach().float().numpy().copy()
    bias = None if module.bias is None else module.bias.detach().float().numpy().copy()
    if isinstance(module, nn.Conv2d):
        return Bank(layer, weights, bias, groups=module.groups)
    shape = _read_picture(subject, layer)
    assert shape is not None
    return Bank(layer, weights.reshape(len(weights), *shape), bias, dense=True)


def _read_picture(subject: Subject, layer: Layer) -> tuple[int, ...] | None:
    """The shape `(C, h, w)` of the picture that a dense layer reads flattened."""
    flat = source(subject, layer)
    if len(flat.shape) != 1 or flat.label != "flatten":
        return None
    shape = source(subject, flat).shape
    return shape if len(shape) == 3 else None


def flat_kernels(bank: Bank, shown: int | str) -> np.ndarray:
    """`(K, h, w)`: one channel by its number from 0, the norm over the channels, or the pattern that they share most.

    The pattern is the first right singular vector of a filter's `(C, h·w)` weights, times its singular value; with the
    sign that most of the channels' weight gives it.
    """
    if shown == NORM:
        return np.linalg.norm(bank.weights, axis=1)
    if shown == PATTERN:
        return np.stack([_shared(kernel) for kernel in bank.weights])
    return bank.weights[:, int(shown)]


def _shared(kernel: np.ndarray) -> np.ndarray:
    channels, h, w = kernel.shape
    if channels == 1:
        return kernel[0]
    left, values, right = np.linalg.svd(kernel.reshape(channels, h * w).astype(float), full_matrices=False)
    return (right[0] * values[0] * (-1 if left[:, 0].sum() < 0 else 1)).reshape(h, w).astype(np.float32)


def colours(bank: Bank) -> np.ndarray:
    """`(K, h, w, 3) float32` in [0, 1] of filters that read red, green and blue: 0.5 is a weight of zero.

    One scale for the whole bank: its largest absolute weight is 0 or 1.
    """
    largest = float(np.abs(bank.weights).max()) or 1.0
    return (bank.weights / (2 * largest) + 0.5).transpose(0, 2, 3, 1)


def never_active(subject: Subject, layer: Layer, inputs: Tensor) -> tuple[int, ...] | None:
    """Numbers from 0 of the filters that the layer's ReLU never lets through, on any of `(N, …)` inputs.

    None where no ReLU follows before the next weights.
    """
    link = activation_after(subject, layer)
    if link is None or link.kind not in RECTIFIERS:
        return None
    active = np.zeros(layer.shape[0], bool)
    for part in inputs.split(BATCH):
        made = subject.activations(part, [link.layer.name])[link.layer.name]
        active |= (made > 0).transpose(0, 1).flatten(1).any(1).numpy()
    return tuple(np.flatnonzero(~active).tolist())

"""One number of a layer, step by step: what it is the sum of, and what the operations after the layer make of it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import NetworkError
from core.inspection.chain import Link, chain, source
from core.inspection.effect import padding
from core.inspection.subject import Layer, Subject

FUNCTIONS = {
    "relu": ("max(0, x)", torch.relu),
    "relu6": ("min(6, max(0, x))", nn.functional.relu6),
    "sigmoid": ("1 / (1 + e⁻ˣ)", torch.sigmoid),
    "tanh": ("tanh x", torch.tanh),
    "gelu": ("x · Φ(x)", nn.functional.gelu),
    "silu": ("x / (1 + e⁻ˣ)", nn.functional.silu),
    "hardswish": ("x · min(6, max(0, x + 3)) / 6", nn.functional.hardswish),
}


@dataclass(frozen=True)
class Step:
    """One operation after the sum."""

    label: str  # "max-pool 2×2"
    formula: str  # the sum in numbers
    value: float
    layer: str  # name of the layer whose number this is
    place: tuple[int, ...]  # where in its output


@dataclass(frozen=True, eq=False)
class Sum:
    """Patch × kernel + bias: one number of a convolution's output."""

    layer: Layer
    place: tuple[int, int, int]  # channel, row, column in the layer's output
    read: Layer  # what the layer reads
    channels: tuple[int, ...]  # of it, those that the filter reads
    corner: tuple[int, int]  # row and column in what it reads of the patch's upper left; negative within the padding
    step: tuple[int, int]  # pixels between the patch's rows and columns: 1 without dilation
    patch: np.ndarray  # (C, h, w) float32, 0 where the layer pads
    kernel: np.ndarray  # (C, h, w)
    bias: float
    value: float  # the sum
    steps: tuple[Step, ...]

    @property
    def products(self) -> np.ndarray:
        return self.patch * self.kernel

    @property
    def by_channel(self) -> np.ndarray:
        """`(C,)` what each channel brings."""
        return self.products.sum((1, 2), dtype=np.float64)

    @property
    def outline(self) -> tuple[float, float, float, float]:
        """Where the patch lies on what the layer reads: left, top, right, bottom, in pixels from the first's middle."""
        (top, left), (h, w) = self.corner, self.patch.shape[1:]
        return left - 0.5, top - 0.5, left + self.step[1] * (w - 1) + 0.5, top + self.step[0] * (h - 1) + 0.5


@dataclass(frozen=True, eq=False)
class Weighing:
    """Weights × inputs + bias: one number of a dense layer's output."""

    layer: Layer
    place: tuple[int, ...]  # node, or token and node
    read: Layer
    inputs: np.ndarray  # (F,)
    weights: np.ndarray  # (F,)
    bias: float
    value: float
    steps: tuple[Step, ...]

    @property
    def products(self) -> np.ndarray:
        return self.inputs.astype(float) * self.weights

    def largest(self, count: int) -> tuple[np.ndarray, float]:
        """Numbers of the inputs that count most, by absolute product, and the sum of all other products."""
        products = self.products
        order = np.argsort(-np.abs(products), kind="stable")[:count]
        return order, float(np.delete(products, order).sum())


def sum_up(subject: Subject, layer: Layer, inputs: Tensor, place: tuple[int, int, int]) -> Sum:
    """How a convolution makes the number at `(channel, row, column)` of its output for `(1, …)` inputs.

    Raises `NetworkError` where the output has no such place, or the convolution pads with other than zeros.
    """
    conv, read = subject.convolution(layer), source(subject, layer)
    _check(layer, place)
    if conv.padding_mode != "zeros":
        raise NetworkError(f"{layer.label} pads with {conv.padding_mode}, not zeros: its sums are not shown.")
    channel, row, column = place
    links = chain(subject, layer)
    made = _made(subject, inputs, [read, layer], links)
    width = conv.in_channels // conv.groups
    first = channel // (conv.out_channels // conv.groups) * width
    corner = tuple(at * s - p for at, s, p in zip((row, column), conv.stride, padding(conv), strict=True))
    patch = _patch(made[read.name][first : first + width], corner, tuple(conv.kernel_size), tuple(conv.dilation))
    kernel = conv.weight[channel].detach().numpy()
    bias = float(conv.bias.detach()[channel]) if conv.bias is not None else 0.0
    value = float((patch.astype(float) * kernel).sum() + bias)
    return Sum(
        layer, place, read, tuple(range(first, first + width)), (corner[0], corner[1]),
        (conv.dilation[0], conv.dilation[1]), patch, kernel, bias, value, _follow(layer, value, place, links, made),
    )  # fmt: skip


def weigh(subject: Subject, layer: Layer, inputs: Tensor, place: tuple[int, ...]) -> Weighing:
    """How a dense layer makes the number at `place` of its output: (node,), or (token, node) of a transformer."""
    module, read = subject.module.get_submodule(layer.path), source(subject, layer)
    assert isinstance(module, nn.Linear)
    _check(layer, place)
    links = chain(subject, layer)
    made = _made(subject, inputs, [read, layer], links)
    given = made[read.name][place[:-1]]
    weights = module.weight[place[-1]].detach().numpy()
    bias = float(module.bias.detach()[place[-1]]) if module.bias is not None else 0.0
    value = float(given.astype(float) @ weights + bias)
    return Weighing(layer, place, read, given, weights, bias, value, _follow(layer, value, place, links, made))


def _check(layer: Layer, place: tuple[int, ...]) -> None:
    if len(place) != len(layer.shape) or not all(0 <= at < size for at, size in zip(place, layer.shape, strict=True)):
        shape = " × ".join(map(str, layer.shape))
        raise NetworkError(f"{layer.label} makes {shape} numbers, counted from 0; it has none at {place}.")


def _made(subject: Subject, inputs: Tensor, layers: list[Layer], links: tuple[Link, ...]) -> dict[str, np.ndarray]:
    names = [x.name for x in layers] + [link.layer.name for link in links] + [x.other.name for x in links if x.other]
    return {name: values[0].numpy() for name, values in subject.activations(inputs, names).items()}


def _patch(
    channels: np.ndarray, corner: tuple[int, ...], size: tuple[int, ...], dilation: tuple[int, ...]
) -> np.ndarray:
    """`(C, H, W)` → `(C, h, w)` from the corner on, with zeros beyond the border."""
    rows, columns = (corner[i] + dilation[i] * np.arange(size[i]) for i in (0, 1))
    _, high, wide = channels.shape
    inside = ((rows >= 0) & (rows < high))[:, None] & ((columns >= 0) & (columns < wide))[None, :]
    return channels[:, rows.clip(0, high - 1)][:, :, columns.clip(0, wide - 1)] * inside


def _follow(
    layer: Layer, value: float, place: tuple[int, ...], links: tuple[Link, ...], made: dict[str, np.ndarray]
) -> tuple[Step, ...]:
    """The number through the operations that follow, each by its own formula; ends where a pool leaves it out."""
    steps: list[Step] = []
    before = layer.name  # whose number `value` is
    for link in links:
        if link.kind in ("max-pool", "average pool"):
            pooled = _pool(link, made[before], place)
            if pooled is None:
                break
            formula, value, place = pooled
        else:
            formula, value = _apply(link, value, place, made)
        steps.append(Step(link.layer.label, formula, value, link.layer.name, place))
        before = link.layer.name
    return tuple(steps)


def _apply(link: Link, x: float, place: tuple[int, ...], made: dict[str, np.ndarray]) -> tuple[str, float]:
    if link.kind == "batch norm":
        return _normalise(link.module, x, place[0])
    if link.kind == "add":
        assert link.other is not None
        other = float(made[link.other.name][place])
        return f"{number(x)} + {number(other)} from {link.other.label}, layer {link.other.number}", x + other
    words, function = FUNCTIONS[link.kind]
    if link.kind == "gelu" and getattr(link.module, "approximate", "none") != "none":
        raise NetworkError("A GELU by its approximation is not shown step by step.")
    y = float(function(torch.tensor(x, dtype=torch.float64)))
    return f"{words} at x = {number(x)}", y


def _normalise(module: nn.Module | None, x: float, channel: int) -> tuple[str, float]:
    """Batch norm as a network that answers does it: by the mean and variance that training kept."""
    assert isinstance(module, nn.BatchNorm2d)
    assert module.running_mean is not None
    assert module.running_var is not None
    mean, spread = float(module.running_mean[channel]), float((module.running_var[channel] + module.eps) ** 0.5)
    scale = float(module.weight.detach()[channel]) if module.affine else 1.0
    offset = float(module.bias.detach()[channel]) if module.affine else 0.0
    words = f"({number(x)} − mean {number(mean)}) / spread {number(spread)} × {number(scale)} + {number(offset)}"
    return words, (x - mean) / spread * scale + offset


def _pool(link: Link, channels: np.ndarray, place: tuple[int, ...]) -> tuple[str, float, tuple[int, int, int]] | None:
    """The number of the first window that the place lies in; None where it lies in none, or the pool is not plain."""
    size, stride, pad, dilation = _pool_settings(link)
    _, high, wide = link.layer.shape
    if dilation != (1, 1) or (link.kind == "average pool" and pad != (0, 0)):
        return None
    window = []
    for at, k, s, p, count in zip(place[1:], size, stride, pad, (high, wide), strict=True):
        first = max(0, -(-(at + p - k + 1) // s))
        if first >= count or first * s > at + p:
            return None
        window.append((first, max(0, first * s - p), first * s - p + k))
    (row, top, bottom), (column, left, right) = window
    values = channels[place[0], top:bottom, left:right]
    pooled = float(values.max() if link.kind == "max-pool" else values.astype(float).mean())
    what = "the largest" if link.kind == "max-pool" else "the mean"
    listed = ", ".join(number(float(x)) for x in values.ravel()[:9]) + (", …" if values.size > 9 else "")
    return f"{what} of {listed}", pooled, (place[0], row, column)


def _pool_settings(link: Link) -> tuple[tuple[int, int], ...]:
    """Size, stride, padding and dilation of a pool, rows and columns each."""
    if link.module is not None:
        found = [getattr(link.module, name, 1) for name in ("kernel_size", "stride", "padding", "dilation")]
    else:
        given = dict(zip(("input", "kernel_size", "stride", "padding", "dilation"), link.node.args, strict=False))
        given |= {name: value for name, value in link.node.kwargs.items() if value is not None}
        size = given["kernel_size"]
        found = [size, given.get("stride") or size, given.get("padding", 0), given.get("dilation", 1)]
    return tuple((x, x) if isinstance(x, int) else (x[0], x[1]) for x in found)


def number(value: float) -> str:
    """A number as a step shows it: four digits, with a minus sign as people write it."""
    return f"{value:.4g}".replace("-", "−")

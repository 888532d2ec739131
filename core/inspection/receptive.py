"""Receptive fields: which pixels of the input a unit's output can depend on at all."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, fx, nn

from core.inspection.subject import Subject

TRIALS = 24  # random inputs: max-pools and ReLUs let only some of the pixels through at a time
# Operations that leave every position to itself; what is neither here nor a window depends on everything.
POINTWISE = {
    "relu", "relu_", "gelu", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "relu6", "leaky_relu", "add",
    "iadd", "sub", "mul", "imul", "truediv", "cat", "dropout", "contiguous", "clone", "neg", "exp", "abs",
}  # fmt: skip
POINTWISE_MODULES = (
    nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardswish, nn.Hardsigmoid, nn.LeakyReLU,
    nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.Identity,
)  # fmt: skip
POOLS = (nn.MaxPool2d, nn.AvgPool2d)

Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels of the input; the last two are one beyond


@dataclass(frozen=True)
class Field:
    """What the position (0, 0) of a layer's maps sees, and how far the next position's window lies from it."""

    first: tuple[int, int]  # row and column of its first pixel; negative where it lies in the padding
    size: tuple[int, int]
    step: tuple[int, int]

    def box(self, row: int, column: int, shape: tuple[int, int]) -> Box:
        """What the position sees of an input of this height and width."""
        top, left = (f + p * s for f, p, s in zip(self.first, (row, column), self.step, strict=True))
        bottom, right = top + self.size[0], left + self.size[1]
        return max(top, 0), max(left, 0), min(bottom, shape[0]), min(right, shape[1])


PIXEL = Field((0, 0), (1, 1), (1, 1))


def fields(subject: Subject) -> dict[str, Field | None]:
    """The field of every layer, by its name; None where each unit may depend on the whole input.

    Computed from kernels, strides, padding and dilation (Araujo et al. 2019), over every path that leads there.
    """
    found: dict[str, Field | None] = {}
    for node in subject.graph.graph.nodes:
        if node.op == "placeholder":
            found[node.name] = PIXEL
        elif node.op == "get_attr":
            continue
        else:
            sources = [found[source.name] for source in node.all_input_nodes if source.name in found]
            found[node.name] = _after(node, subject.graph, _union(sources)) if sources else None
    return {layer.name: found.get(layer.name) for layer in subject.layers}


def _union(sources: list[Field | None]) -> Field | None:
    """What is seen over several paths."""
    known = [field for field in sources if field is not None]
    if len(known) < len(sources) or len({field.step for field in known}) != 1:
        return None
    first = tuple(min(field.first[axis] for field in known) for axis in (0, 1))
    last = tuple(max(field.first[axis] + field.size[axis] for field in known) for axis in (0, 1))
    return Field((first[0], first[1]), (last[0] - first[0], last[1] - first[1]), known[0].step)


def _after(node: fx.Node, graph: fx.GraphModule, source: Field | None) -> Field | None:
    """What the operation's output sees, given what its inputs see."""
    if source is None:
        return None
    if node.op == "call_module":
        module = graph.get_submodule(str(node.target))
        if isinstance(module, nn.Conv2d):
            padding = (0, 0) if isinstance(module.padding, str) else module.padding
            if module.padding == "same":
                padding = tuple(d * (k - 1) // 2 for d, k in zip(module.dilation, module.kernel_size, strict=True))
            return _window(source, module.kernel_size, module.stride, padding, module.dilation)
        if isinstance(module, POOLS):
            dilation = getattr(module, "dilation", 1)
            stride = module.stride or module.kernel_size
            return _window(source, _pair(module.kernel_size), _pair(stride), _pair(module.padding), _pair(dilation))
        if not list(module.children()) and isinstance(module, POINTWISE_MODULES):
            return source
        return None
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if name in ("max_pool2d", "avg_pool2d"):
        return _function_window(node, source)
    return source if name in POINTWISE else None


def _function_window(node: fx.Node, source: Field) -> Field:
    named = dict(zip(("kernel_size", "stride", "padding"), node.args[1:4], strict=False)) | node.kwargs
    kernel = _pair(named["kernel_size"])
    stride = _pair(named.get("stride") or kernel)
    return _window(source, kernel, stride, _pair(named.get("padding") or 0), _pair(named.get("dilation") or 1))


def _pair(value: object) -> tuple[int, int]:
    numbers = tuple(value) if isinstance(value, tuple | list) else (value, value)
    return int(str(numbers[0])), int(str(numbers[1]))


def _window(
    source: Field,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Field:
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    first = [f - p * s for f, p, s in zip(source.first, padding, source.step, strict=True)]
    size = [n + r * s for n, r, s in zip(source.size, reach, source.step, strict=True)]
    step = [s * t for s, t in zip(source.step, stride, strict=True)]
    return Field((first[0], first[1]), (size[0], size[1]), (step[0], step[1]))


def measured(
    part: nn.Module, shape: tuple[int, ...], unit: int, position: tuple[int, ...], seed: int = 0
) -> np.ndarray:
    """`(h, w) bool`: the pixels that change the unit's output at `position`, found by its gradients on random inputs.

    `part` is the network up to the layer, `shape` that of one input `(C, h, w)`. Works for any architecture, but finds
    only pixels that mattered in one of the trials; `fields` is exact and at once where it knows all operations.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand((TRIALS, *shape), generator=generator).requires_grad_()
    with torch.enable_grad():
        made: Tensor = part(inputs)
        at_unit: Tensor = made[:, unit]
        for place in position:
            at_unit = at_unit[:, place]
        at_unit.sum().backward()
    assert inputs.grad is not None
    return (inputs.grad != 0).any(0).any(0).numpy()

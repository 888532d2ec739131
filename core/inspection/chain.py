"""What an operation reads, and what follows it: the way from a convolution to the next one."""

import operator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import fx, nn

from core.errors import NetworkError
from core.inspection.subject import Layer, Subject

# Kinds of operations, by the module's class and by the function's or method's name.
_MODULES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((nn.Dropout, nn.Dropout2d, nn.Identity), "nothing"),
    (nn.BatchNorm2d, "batch norm"),
    (nn.ReLU, "relu"),
    (nn.ReLU6, "relu6"),
    (nn.Sigmoid, "sigmoid"),
    (nn.Tanh, "tanh"),
    (nn.GELU, "gelu"),
    (nn.SiLU, "silu"),
    (nn.Hardswish, "hardswish"),
    (nn.MaxPool2d, "max-pool"),
    (nn.AvgPool2d, "average pool"),
)
_FUNCTIONS = {
    "relu": "relu",
    "relu_": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "gelu": "gelu",
    "silu": "silu",
    "avg_pool2d": "average pool",
}
RECTIFIERS = {"relu", "relu6"}  # what they leave of a negative number is 0
ACTIVATIONS = RECTIFIERS | {"sigmoid", "tanh", "gelu", "silu", "hardswish"}


@dataclass(frozen=True, eq=False)
class Link:
    """An operation that follows another one directly."""

    layer: Layer
    kind: str  # "batch norm", "relu", "max-pool", "add", …
    node: fx.Node
    module: nn.Module | None  # None where it is a function
    other: Layer | None = None  # of "add": the layer whose output is added


def source(subject: Subject, layer: Layer) -> Layer:
    """The layer whose output this one reads; raises `NetworkError` where none of the subject's layers is it."""
    node = _node(subject, layer).all_input_nodes[0]
    names = {x.name: x for x in subject.layers}
    while node.name not in names:
        if _kind(subject, node) != "nothing":
            raise NetworkError(f"What {layer.label} of {subject.name!r} reads is not shown as a layer of its own.")
        node = node.all_input_nodes[0]
    return names[node.name]


def chain(subject: Subject, layer: Layer) -> tuple[Link, ...]:
    """The operations after a layer that take its output on, number by number, up to where it branches or is mixed.

    Batch norm, activations, pooling, dropout (which does nothing when a network answers, and is left out), and adding
    what a shortcut brings.
    """
    links, node = [], _node(subject, layer)
    names = {x.name: x for x in subject.layers}
    while len(node.users) == 1:
        before, node = node, next(iter(node.users))
        kind = _kind(subject, node)
        if kind == "nothing":
            continue
        if not kind or node.name not in names:
            break
        other = None
        if kind == "add":
            others = [x for x in node.all_input_nodes if x is not before]
            if len(others) != 1 or others[0].name not in names:
                break
            other = names[others[0].name]
            if other.shape != names[node.name].shape:
                break
        module = _module(subject, node)
        links.append(Link(names[node.name], kind, node, module, other))
    return tuple(links)


def activation_after(subject: Subject, layer: Layer) -> Link | None:
    """The first activation in the chain of a layer; None where there is none before the next weights."""
    return next((link for link in chain(subject, layer) if link.kind in ACTIVATIONS), None)


def _node(subject: Subject, layer: Layer) -> fx.Node:
    return next(node for node in subject.graph.graph.nodes if node.name == layer.name)


def _module(subject: Subject, node: fx.Node) -> nn.Module | None:
    return subject.graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def _kind(subject: Subject, node: fx.Node) -> str:
    """Empty for all that does not work number by number or window by window."""
    if (module := _module(subject, node)) is not None:
        return next((kind for types, kind in _MODULES if isinstance(module, types)), "")
    if node.op == "call_function" and node.target in (operator.add, operator.iadd):
        return "add" if len(node.all_input_nodes) == 2 else ""
    if node.target in (F.max_pool2d, torch.max_pool2d):  # by themselves: torch gives all of its pools one name
        return "max-pool"
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return _FUNCTIONS.get(name, "") if node.op in ("call_function", "call_method") else ""

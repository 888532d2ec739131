"""A network's operations one after another, as its diagram shows them."""

import operator
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp, TensorMetadata

from core.networks.base import count_parameters
from core.networks.summary import block_name, copy_to_look_at, is_block, one_input, state_of

ACTIVATIONS = {
    "relu": "ReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "log_softmax": "log-softmax",
}
ARITHMETIC = {
    operator.add: "add", operator.iadd: "add", operator.sub: "subtract", operator.isub: "subtract",
    operator.mul: "multiply", operator.imul: "multiply", operator.truediv: "divide", operator.itruediv: "divide",
}  # fmt: skip
FUNCTIONS = {  # torch's names that would be misread: "cat" is no animal
    "cat": "concatenate", "concat": "concatenate", "iadd": "add", "isub": "subtract", "sub": "subtract",
    "imul": "multiply", "mul": "multiply", "truediv": "divide", "itruediv": "divide", "div": "divide",
    "floordiv": "divide and round down", "pow": "power", "matmul": "matrix product", "bmm": "matrix product",
    "einsum": "sum of products", "eq": "compare", "unsqueeze": "add an axis", "squeeze": "drop an axis",
    "swapaxes": "swap axes", "hardswish": "Hardswish", "hardsigmoid": "Hardsigmoid", "relu6": "ReLU6",
    "leaky_relu": "leaky ReLU", "elu": "ELU", "multiheadattention": "multi-head attention",
    "localresponsenorm": "local response norm",
}  # fmt: skip
STANDARDISE = "standardise"


@dataclass(frozen=True)
class Step:
    """One box of the diagram."""

    label: str  # "conv 10@5×5, ReLU"
    detail: str  # "260 parameters", or empty
    shape: str  # of what comes out, without the batch: "10 × 24 × 24"
    state: str  # as of a `LayerRow`
    path: str = ""  # of the box's first module, as its weights are named; empty where it is a function
    node: str = ""  # of the graph, that makes what comes out


def trace_steps(network: nn.Module, example: torch.Tensor | None = None) -> list[Step]:
    """Every operation from the input to the log-probabilities, with the shape of what it makes.

    `example`: inputs to find shapes by; a `Network` has its own.

    Activations and batch norms stand in the box of the layer before them, equal blocks in a row in one box; dropout
    at rate 0 is left out. The given network is not changed.
    """
    inner = copy_to_look_at(network)
    traced = fx.GraphModule(inner, _Tracer().trace(inner))
    with torch.no_grad():
        ShapeProp(traced).propagate(one_input(inner, example))
    boxes: list[_Box] = []
    drawn: fx.Node | None = None  # the operation that the last box ends with
    for node in traced.graph.nodes:
        if node.op in ("get_attr", "output") or not isinstance(node.meta.get("tensor_meta"), TensorMetadata):
            continue  # what makes no tensor: sizes, checks, several parts at once
        box, follows = _box(node, traced), drawn in node.all_input_nodes
        if not (box.role == "nothing" and follows) and not (follows and boxes[-1].takes_in(box, first=len(boxes) == 1)):
            boxes.append(box)
        drawn = node
    return [box.step() for box in boxes]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_block(m) or super().is_leaf_module(m, module_qualified_name)


@dataclass
class _Box:
    """A step while it grows."""

    label: str
    role: str  # "joins": belongs into the box before; "block": equal ones are counted; "nothing": changes nothing
    shape: str
    layers: nn.ModuleList
    path: str = ""
    node: str = ""
    times: int = 1

    def takes_in(self, box: "_Box", first: bool) -> bool:
        """Whether the operation that follows only carries this box on, and so became part of it."""
        same = (self.role, self.label, self.shape) == (box.role, box.label, box.shape)
        if box.role == "block" and same:
            self.times += 1
        elif box.role == "joins" and self.times == 1 and not first:
            self.label += f", {box.label}"
        elif not (box.label == STANDARDISE and same):
            return False
        self.layers.extend(box.layers)
        self.path = self.path or box.path
        self.shape, self.node = box.shape, box.node
        return True

    def step(self) -> Step:
        count, state = count_parameters(self.layers), state_of(self.layers)
        label = self.label if self.times == 1 else f"{self.times} × {self.label}"
        detail = f"{count:,} parameters" if count else ""
        return Step(label, detail, self.shape, state, self.path, self.node)


def _box(node: fx.Node, traced: fx.GraphModule) -> _Box:
    shape = " × ".join(map(str, node.meta["tensor_meta"].shape[1:]))
    if node.op == "call_module":
        layer = traced.get_submodule(str(node.target))
        return _Box(*describe_layer(layer), shape, nn.ModuleList([layer]), str(node.target), node.name)
    if node.op == "placeholder":
        return _Box("input", "", shape, nn.ModuleList(), node=node.name)
    return _Box(*describe_function(node), shape, nn.ModuleList(), node=node.name)


def describe_layer(layer: nn.Module) -> tuple[str, str]:
    """The label and the role of a layer's box."""
    if is_block(layer):
        return block_name(layer), "block"
    match layer:
        case nn.Conv2d():
            return _describe_convolution(layer), ""
        case nn.Linear():
            return f"dense {layer.out_features}", ""
        case nn.MaxPool2d():
            return f"max-pool {_square(layer.kernel_size)}", ""
        case nn.AvgPool2d():
            return f"average pool {_square(layer.kernel_size)}", ""
        case nn.AdaptiveAvgPool2d():
            return f"average pool to {_square(layer.output_size)}", ""
        case nn.Dropout() | nn.Dropout2d():
            what = " of whole channels" if isinstance(layer, nn.Dropout2d) else ""
            return f"dropout {layer.p:g}{what}", "" if layer.p else "nothing"
        case nn.Identity():
            return "identity", "nothing"
        case nn.BatchNorm2d() | nn.BatchNorm1d():
            return "batch norm", "joins"
        case nn.LayerNorm():
            return "layer norm", ""
        case nn.Flatten():
            return "flatten", ""
    kind = type(layer).__name__
    return _describe_name(kind.lower(), otherwise=kind)


def _describe_convolution(layer: nn.Conv2d) -> str:
    parts = [f"conv {layer.out_channels}@{_square(layer.kernel_size)}"]
    parts += [f"stride {layer.stride[0]}"] * (layer.stride[0] > 1)
    parts += [f"padding {layer.padding[0]}"] * (layer.padding[0] not in (0, "v"))
    parts += [f"{layer.groups} groups"] * (layer.groups > 1)
    return ", ".join(parts)


def describe_function(node: fx.Node) -> tuple[str, str]:
    """The label and the role of the box of a function or a tensor's method."""
    if node.target in ARITHMETIC:
        return STANDARDISE if _scales_input(node) else ARITHMETIC[node.target], ""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    if "pool2d" in name:
        size = node.args[1] if len(node.args) > 1 else node.kwargs.get("kernel_size", node.kwargs.get("output_size"))
        return f"{'max-pool' if 'max' in name else 'average pool'} {_square(size)}", ""
    return _describe_name(name, otherwise=name.replace("_", " "))


def _scales_input(node: fx.Node) -> bool:
    """Whether only numbers were added to the input and multiplied with it so far."""
    if node.op == "placeholder":
        return True
    return node.target in ARITHMETIC and len(node.all_input_nodes) == 1 and _scales_input(node.all_input_nodes[0])


def _describe_name(name: str, otherwise: str) -> tuple[str, str]:
    return (ACTIVATIONS[name], "joins") if name in ACTIVATIONS else (FUNCTIONS.get(name, otherwise.strip()), "")


def _square(size: object) -> str:
    """The sides of a window: 2 or (2, 2) → "2×2"."""
    sides = size if isinstance(size, tuple) else (size, size)
    return "×".join(map(str, sides))

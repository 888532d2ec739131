"""What is looked into: a network, at one moment of its training, with all its layers and what each of them makes."""

import copy
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, fx, nn

from core.errors import NetworkError
from core.inspection.specimen import Specimen
from core.networks import TrainedNetwork
from core.networks.base import Network
from core.networks.steps import ARITHMETIC, STANDARDISE, Step, describe_function, describe_layer
from core.networks.summary import is_block
from core.training.replay import load_snapshot
from core.training.runs import Snapshot

M = TypeVar("M", bound=nn.Module)
SIDE = 28  # pixels of a glyph
# What only passes numbers on or sorts them anew within a layer; looking at it shows nothing that its neighbours do not.
PASSING = {"permute", "unbind", "unflatten", "transpose", "chunk", "view", "reshape", "contiguous", "size", "expand"}


@dataclass(frozen=True)
class Layer:
    """One operation of a network, by which its output is asked for."""

    name: str  # unique in the network
    label: str  # "conv 10@5×5"
    path: str  # of the module that does it, as its weights are named; empty where it is a function
    shape: tuple[int, ...]  # of its output, without the batch
    number: int  # from 1, in the order in which they run

    @property
    def title(self) -> str:
        where = f" ({self.path})" if self.path else ""
        return f"{self.number}. {self.label}{where} → {' × '.join(map(str, self.shape))}"


@dataclass(frozen=True, eq=False)
class Subject:
    """A network under examination; its module is shared, so whoever hooks or changes it takes `own_copy()` first."""

    name: str
    module: nn.Module  # on the CPU, in eval mode
    takes: str  # "glyphs", "features" or "photos"
    classes: tuple[str, ...]  # empty for the features of a network whose output layer is missing
    example: Tensor  # (1, …) inputs, to find shapes by
    temperature: float = 1.0  # logits are divided by it for calibrated probabilities
    threshold: float | None = None  # a log-sum-exp of the logits below it is refused
    moment: str = ""  # of its training, in words; empty for the end
    columns: tuple[str, ...] = ()  # names of a table's features
    prepare_photo: Callable[[np.ndarray], Tensor] | None = None  # (H, W, 3) uint8 → (1, 3, h, w)
    mean: tuple[float, ...] = (0.0,)  # of each input channel, and its spread: input × spread + mean is what people see
    spread: tuple[float, ...] = (1.0,)

    def inputs(self, specimen: Specimen) -> Tensor:
        """What goes in, `(1, …) float32`; raises `NetworkError` where the specimen is of another kind."""
        if specimen.kind != self.takes:
            raise NetworkError(
                f"The network {self.name!r} takes {self.takes}, but {specimen.name} is one of the {specimen.kind}; "
                f"choose another one."
            )
        if self.takes == "photos":
            assert self.prepare_photo is not None
            return self.prepare_photo(specimen.pixels)
        batch = torch.from_numpy(np.array(specimen.pixels, np.float32))[None]
        return batch[:, None] if self.takes == "glyphs" else batch

    def seen(self, inputs: Tensor) -> np.ndarray:
        """The first input as people see it: `(h, w)` or `(h, w, 3) float32` in [0, 1]."""
        channels = inputs[0].detach() * torch.tensor(self.spread)[:, None, None]
        picture = (channels + torch.tensor(self.mean)[:, None, None]).clamp(0, 1).permute(1, 2, 0).numpy()
        return picture[:, :, 0] if picture.shape[2] == 1 else picture

    def logits(self, inputs: Tensor) -> Tensor:
        """`(N, C)`, in one batch."""
        with torch.inference_mode():
            return logits(self.module, inputs)

    def probabilities(self, inputs: Tensor) -> np.ndarray:
        """`(N, C)` calibrated probabilities."""
        return (self.logits(inputs) / self.temperature).softmax(1).numpy()

    def own_copy(self) -> nn.Module:
        """The network's module, to be hooked or changed."""
        return copy.deepcopy(self.module)

    def with_module(self, module: nn.Module) -> "Subject":
        """The same subject with other weights."""
        return replace(self, module=module.eval())

    @cached_property
    def graph(self) -> fx.GraphModule:
        """Every operation, with the module's own weights."""
        return fx.GraphModule(self.module, fx.Tracer().trace(self.module))

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every operation whose output is worth a look, in the order in which they run."""
        shapes = _Recorder(self.graph, None).record(self.example, lambda made: tuple(made.shape[1:]))
        layers: list[Layer] = []
        for node in self.graph.graph.nodes:
            if node.name in shapes and (label := _label(node, self.graph)):
                if layers and label == layers[-1].label == STANDARDISE:
                    layers.pop()  # two operations, one idea
                path = str(node.target) if node.op == "call_module" else ""
                layers.append(Layer(node.name, label, path, shapes[node.name], len(layers) + 1))
        return tuple(layers)

    def layer(self, name: str) -> Layer:
        """The layer of that name or path; raises `NetworkError` when there is none."""
        for layer in self.layers:
            if name in (layer.name, layer.path):
                return layer
        raise NetworkError(f"The network {self.name!r} has no layer {name!r}; it has: {self._names()}.")

    def layer_after(self, step: Step) -> Layer | None:
        """The layer whose output leaves a box of the network's diagram; None where there is no such layer.

        Where blocks are drawn as one box, the functions beside them cannot be told from those within.
        """
        if not any(is_block(module) for path, module in self.module.named_modules() if path):
            return next((layer for layer in self.layers if layer.name == step.node), None)
        within = [x for x in self.layers if step.path and f"{x.path}.".startswith(f"{step.path}.")]
        return within[-1] if within else None

    def _names(self) -> str:
        return ", ".join(layer.name for layer in self.layers)

    @cached_property
    def convolutions(self) -> tuple[Layer, ...]:
        """The layers that are two-dimensional convolutions."""
        return tuple(x for x in self.layers if x.path and isinstance(self.module.get_submodule(x.path), nn.Conv2d))

    def convolution(self, layer: Layer) -> nn.Conv2d:
        module = self.module.get_submodule(layer.path)
        assert isinstance(module, nn.Conv2d)
        return module

    def activations(self, inputs: Tensor, names: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Layer's name → its output `(N, …)` for these inputs; of all layers unless some are named.

        The operations run one by one, and their outputs are kept on the way: nothing is hooked.
        """
        wanted = {layer.name for layer in self.layers} if names is None else {self.layer(n).name for n in names}
        with torch.inference_mode():
            return _Recorder(self.graph, wanted).record(inputs, Tensor.clone)  # some operations write over their input


def logits(module: nn.Module, inputs: Tensor) -> Tensor:
    """The output before any softmax, `(N, C)`; of our own networks and of torchvision's."""
    return module.logits(inputs) if isinstance(module, Network) else module(inputs)


def open_subject(trained: TrainedNetwork, snapshot: Snapshot | None = None) -> Subject:
    """A stored network, as it is or as it was at a snapshot of its run."""
    module, passport = trained.module(), trained.passport
    moment = ""
    if snapshot is not None:
        load_snapshot(module, snapshot.file)
        moment = describe_moment(snapshot)
    columns = () if passport.reads_glyphs else tuple(passport.preprocessing["columns"])
    return Subject(
        trained.name,
        module.eval(),
        passport.spec.takes,
        passport.classes,
        module.example()[:1],
        passport.temperature,
        passport.refusal_threshold if snapshot is None else None,
        moment,
        columns,
    )


def describe_moment(snapshot: Snapshot) -> str:
    """When a snapshot was taken, in words."""
    if not snapshot.step:
        return "before any training"
    batches = "1 batch" if snapshot.step == 1 else f"{snapshot.step:,} batches"
    return f"after {batches}" + (f", epoch {snapshot.epoch}" if snapshot.epoch else "")


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps what its nodes make."""

    def __init__(self, graph: fx.GraphModule, wanted: set[str] | None) -> None:
        super().__init__(graph)
        self.wanted = wanted
        self.kept: dict[str, Any] = {}

    def record(self, inputs: Tensor, keep: Callable[[Tensor], Any]) -> dict[str, Any]:
        self.keep, self.kept = keep, {}
        with torch.no_grad():
            self.run(inputs)
        return self.kept

    def run_node(self, n: fx.Node) -> object:
        made = super().run_node(n)
        if isinstance(made, Tensor) and n.op != "output" and (self.wanted is None or n.name in self.wanted):
            self.kept[n.name] = self.keep(made)
        return made


def _label(node: fx.Node, graph: fx.GraphModule) -> str:
    """What the operation is called; empty where there is nothing to look at."""
    if node.op == "placeholder":
        return "input"
    if node.op == "call_module":
        layer = graph.get_submodule(str(node.target))
        return "" if isinstance(layer, nn.Dropout | nn.Dropout2d | nn.Identity) else describe_layer(layer)[0]
    if node.op not in ("call_function", "call_method") or node.target is operator.getitem:
        return ""
    if node.target in ARITHMETIC:
        return describe_function(node)[0]
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return "" if name in PASSING else describe_function(node)[0]

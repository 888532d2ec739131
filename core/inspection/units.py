"""What a unit wants: the samples, or the patches of one photo, that excite it most."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, fx, nn

from core.inspection.receptive import Box, Field
from core.inspection.subject import Layer, Subject
from core.networks.base import as_input
from core.networks.steps import STANDARDISE

Progress = Callable[[int, int], None]  # (done, of how many)

SAMPLES = 2000  # that are looked through: enough for every unit to find its kind, in about a second for small networks
TOP = 12  # of them that are kept for each unit
BATCH = 100  # samples in one run: all layers' outputs are in memory at a time
# Layers whose units are those of a layer beside them: nothing of their own is to be seen.
OF_OTHERS = {"input", STANDARDISE, "flatten", "log-softmax", "pad"}


@dataclass(frozen=True, eq=False)
class Excitement:
    """The samples that excite each unit of a layer most; `T` is at most `TOP`."""

    values: np.ndarray  # (T, U): the unit's output where it is largest on the sample, falling
    samples: np.ndarray  # (T, U): which sample
    places: np.ndarray  # (T, U): where in the unit's map, row by row; 0 for a single node
    active: np.ndarray  # (U,): share of all samples on which the unit's largest output is above 0

    def never_active(self, unit: int) -> bool:
        """Whether the unit gives the same, 0 or less, to all samples: nothing excites it."""
        return bool(self.values[0, unit] <= 0 and self.values[0, unit] == self.values[-1, unit])


def unit_layers(subject: Subject) -> tuple[Layer, ...]:
    """The layers that have units of their own."""
    return tuple(layer for layer in subject.layers if layer.label not in OF_OTHERS and layer.shape)


def unit_count(layer: Layer) -> int:
    """Channels of maps `(C, h, w)`, numbers of each of a transformer's tokens `(T, U)`, nodes `(U,)`."""
    return layer.shape[1] if len(layer.shape) == 2 else layer.shape[0]


def unit_names(subject: Subject, layer: Layer) -> tuple[str, ...] | None:
    """The classes where the layer is the output; None elsewhere."""
    last = unit_layers(subject)[-1]
    return subject.classes if layer.name == last.name and layer.shape == (len(subject.classes),) else None


def by_unit(output: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A layer's output `(N, …)` → `(N, U, P)`: each unit's values at all its places."""
    if len(shape) == 2:
        return output.transpose(1, 2)
    return output.reshape(len(output), output.shape[1], -1)


def excite(subject: Subject, inputs: Tensor, progress: Progress | None = None) -> dict[str, Excitement]:
    """Layer's name → its units' most exciting samples; all layers in one go over `inputs`, uint8 glyphs or rows."""
    layers = {layer.name: layer for layer in unit_layers(subject)}
    best: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    active = {name: torch.zeros(unit_count(layer)) for name, layer in layers.items()}
    for start in range(0, len(inputs), BATCH):
        batch = as_input(inputs[start : start + BATCH])
        for name, output in subject.activations(batch, tuple(layers)).items():
            values, places = by_unit(output, layers[name].shape).max(2)
            active[name] += (values > 0).sum(0)
            samples = torch.arange(start, start + len(batch))[:, None].expand_as(values)
            best[name] = _keep_best(best.get(name), (values, samples, places))
        if progress is not None:
            progress(min(start + BATCH, len(inputs)), len(inputs))
    return {
        name: Excitement(values.numpy(), samples.numpy(), places.numpy(), (active[name] / len(inputs)).numpy())
        for name, (values, samples, places) in best.items()
    }


def _keep_best(
    before: tuple[Tensor, Tensor, Tensor] | None, now: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    values, samples, places = now if before is None else (torch.cat(parts) for parts in zip(before, now, strict=True))
    order = values.argsort(dim=0, descending=True, stable=True)[:TOP]
    return values.gather(0, order), samples.gather(0, order), places.gather(0, order)


def seen_box(layer: Layer, field: Field | None, place: int, shape: tuple[int, int]) -> Box | None:
    """What the unit sees at a place of its map, of an input of this height and width; None for all of it."""
    if field is None or len(layer.shape) != 3:
        return None
    row, column = divmod(int(place), layer.shape[2])
    return field.box(row, column, shape)


def strongest_places(
    subject: Subject, inputs: Tensor, layer: Layer, unit: int, field: Field | None, count: int = 9
) -> list[tuple[float, Box | None]]:
    """Where in one picture the unit is excited most: values, falling, with what it sees there.

    A place whose view has its middle within a view that is already listed is left out, so that no patch comes twice.
    """
    output = subject.activations(inputs, (layer.name,))[layer.name]
    values = by_unit(output, layer.shape)[0, unit]
    height, width = inputs.shape[2:]
    found: list[tuple[float, Box | None]] = []
    for place in values.argsort(descending=True).tolist():
        box = seen_box(layer, field, place, (height, width))
        if box is None:
            return [(float(values[place]), None)]
        if not any(_middle_within(box, other) for _, other in found if other):
            found.append((float(values[place]), box))
        if len(found) == count:
            break
    return found


def _middle_within(box: Box, other: Box) -> bool:
    row, column = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return other[0] <= row < other[2] and other[1] <= column < other[3]


def part_up_to(subject: Subject, layer: Layer) -> nn.Module:
    """An own copy of the network that ends with this layer: inputs → the layer's output."""
    part = copy.deepcopy(subject.graph)
    graph = part.graph
    for node in list(graph.nodes):
        if node.op == "output":
            graph.erase_node(node)
    (end,) = (node for node in graph.nodes if node.name == layer.name)
    with graph.inserting_after(end):
        graph.output(end)
    _remove_what_follows(graph)
    part.recompile()
    part.delete_all_unused_submodules()
    for module in part.modules():
        if getattr(module, "inplace", False):
            vars(module)["inplace"] = False
    return part.eval().requires_grad_(False)


def _remove_what_follows(graph: fx.Graph) -> None:
    """Nothing after the output is needed; an operation there might write over what is asked for."""
    nodes = list(graph.nodes)
    end = next(i for i, node in enumerate(nodes) if node.op == "output")
    for node in reversed(nodes[end + 1 :]):
        graph.erase_node(node)
    graph.eliminate_dead_code()

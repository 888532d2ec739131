"""What a network is made of: the table of its layers, and its totals.

A module of several layers that is a class of its own is one row here, and one box in the diagram, under the name
that its attribute `drawn_as` says or else its class has.
"""

import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import nn

from core.networks.base import Network, count_parameters

T = TypeVar("T", bound=nn.Module)


@dataclass(frozen=True)
class LayerRow:
    name: str
    kind: str  # the layer's class, or what its block is drawn as
    output_shape: str  # "N × 10 × 24 × 24"
    parameters: int
    state: str  # "trainable", "frozen", "partly frozen", or "–" where there is nothing to train


@dataclass(frozen=True)
class Totals:
    parameters: int
    trainable: int
    frozen: int
    multiply_adds: int  # of one input's way through the network: convolutions, dense layers and attention


def summarise(network: nn.Module, example: torch.Tensor | None = None) -> list[LayerRow]:
    """The layers in the order in which they run; the given network is not changed.

    `example`: inputs to find shapes by; a `Network` has its own.
    """
    import torchinfo

    inner = copy_to_look_at(network)
    layers = torchinfo.summary(inner, input_data=one_input(inner, example), mode="eval", verbose=0).summary_list
    return [
        LayerRow(
            name=_path(layer),
            kind=block_name(layer.module) if is_block(layer.module) else layer.class_name,
            output_shape=" × ".join(["N", *map(str, layer.output_size[1:])]),
            parameters=0 if layer.is_recursive else layer.num_params,  # a layer that runs twice has its weights once
            state=state_of(layer.module),
        )
        for layer in layers
        if (layer.is_leaf_layer or (is_block(layer.module) and layer.parent_info)) and not _within_block(layer)
    ]


def count_totals(network: nn.Module, example: torch.Tensor | None = None) -> Totals:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    inner = copy_to_look_at(network)
    counter = FlopCounterMode(display=False)  # torchinfo's count leaves out attention and all tokens but the first
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        inner(one_input(inner, example))
    parameters = count_parameters(network)
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return Totals(parameters, trainable, parameters - trainable, counter.get_total_flops() // 2)


def one_input(network: nn.Module, example: torch.Tensor | None) -> torch.Tensor:
    """An input to find shapes by: the given one's first, or the network's own example's."""
    return (network.example() if isinstance(network, Network) else example)[:1]  # type: ignore[index]


def is_block(module: nn.Module) -> bool:
    return not isinstance(module, Network) and not type(module).__module__.startswith("torch.nn")


def block_name(block: nn.Module) -> str:
    return getattr(block, "drawn_as", type(block).__name__.lower())


def copy_to_look_at(network: T) -> T:
    return copy.deepcopy(network).cpu().eval()


def _path(layer: Any) -> str:
    """`features.0.1`: the layer's name from the network down, as its weights are named."""
    names = []
    while layer.parent_info is not None:
        names.append(layer.var_name)
        layer = layer.parent_info
    return ".".join(reversed(names))


def _within_block(layer: Any) -> bool:
    outer = layer.parent_info
    if outer is None or outer.parent_info is None:  # the network itself is no block of its own
        return False
    return is_block(outer.module) or _within_block(outer)


def state_of(module: nn.Module) -> str:
    """ "trainable", "frozen", "partly frozen", or "–" where there is nothing to train."""
    states = {p.requires_grad for p in module.parameters()}
    if not states:
        return "–"
    return "partly frozen" if len(states) == 2 else "trainable" if states.pop() else "frozen"

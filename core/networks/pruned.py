"""Networks with fewer filters than their architecture: which layers can lose some, and how they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import fx, nn

from core.errors import NetworkError
from core.networks.base import Network, build

# What hands each channel on by itself, so that one can go without the others noticing.
CHANNELWISE_LAYERS = (
    nn.BatchNorm2d, nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d,
    nn.Dropout, nn.Dropout2d, nn.Identity, nn.Flatten,
)  # fmt: skip
CHANNELWISE_FUNCTIONS = (
    "relu", "sigmoid", "tanh", "gelu", "max_pool2d", "avg_pool2d", "dropout", "flatten",
    "boolean_dispatch",  # what torch.fx calls F.max_pool2d
)  # fmt: skip


@dataclass(frozen=True)
class Outlet:
    """Where a convolution's channels go: the one layer that takes them in, over batch norms and the like."""

    layer: str  # path of the convolution whose channels they are
    taker: str  # path of the convolution or dense layer that takes them in
    norm: str | None  # path of the batch norm right behind the convolution
    taker_norm: str | None  # path of the batch norm right behind the taker


def outlets(network: nn.Module) -> dict[str, Outlet]:
    """Path → outlet of every convolution that can lose filters without any other layer losing some too.

    Not those whose channels are added to others, as around residual blocks and in transformers.
    """
    graph = fx.GraphModule(network, fx.Tracer().trace(network))
    found = {}
    for node in graph.graph.nodes:
        layer = _module(node, graph)
        if isinstance(layer, nn.Conv2d) and layer.groups == 1 and (taker := _taker(node, graph)):
            path = str(node.target)
            found[path] = Outlet(path, str(taker.target), _norm(node, graph), _norm(taker, graph))
    return found


def following_norm(network: nn.Module, path: str) -> nn.BatchNorm2d | None:
    """The batch norm right behind a convolution."""
    graph = fx.GraphModule(network, fx.Tracer().trace(network))
    for node in graph.graph.nodes:
        if node.op == "call_module" and node.target == path and (norm := _norm(node, graph)):
            return network.get_submodule(norm)  # type: ignore[return-value]
    return None


def _module(node: fx.Node, graph: fx.GraphModule) -> nn.Module | None:
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def _norm(node: fx.Node, graph: fx.GraphModule) -> str | None:
    users = list(node.users)
    return str(users[0].target) if len(users) == 1 and isinstance(_module(users[0], graph), nn.BatchNorm2d) else None


def _taker(node: fx.Node, graph: fx.GraphModule) -> fx.Node | None:
    """The only convolution or dense layer that a node's channels reach; None where they meet others on the way."""
    while len(node.users) == 1:
        (node,) = node.users
        layer = _module(node, graph)
        if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1):
            return node
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        handed_on = isinstance(layer, CHANNELWISE_LAYERS) if layer else name in CHANNELWISE_FUNCTIONS
        if not handed_on or len(node.all_input_nodes) != 1:
            return None
    return None


def remove_filters(network: Network, layer: str, filters: Sequence[int]) -> None:
    """Takes filters out of a convolution, and what belongs to them out of all layers behind it.

    By torch-pruning's dependency graph (Fang et al., DepGraph, CVPR 2023). Raises `NetworkError` for a layer that
    cannot lose filters by itself, and where none would be left.
    """
    if layer not in outlets(network):
        raise NetworkError(
            f"The layer {layer!r} of the network {network.spec.architecture!r} cannot be pruned: it is no convolution, "
            "or its channels are added to another layer's."
        )
    convolution = network.get_submodule(layer)
    assert isinstance(convolution, nn.Conv2d)
    gone = sorted(set(filters))
    if not gone:
        return
    if len(gone) >= convolution.out_channels or gone[0] < 0 or gone[-1] >= convolution.out_channels:
        raise NetworkError(
            f"The layer {layer!r} has {convolution.out_channels} filters, numbered from 0, of which at least one must "
            f"stay; {_some(gone)} cannot be taken out."
        )
    import torch_pruning

    frozen = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
    training = network.training
    network.requires_grad_(True)  # the graph is found by following gradients
    with torch.enable_grad():
        graph = torch_pruning.DependencyGraph().build_dependency(network.eval(), network.example(), verbose=False)
        graph.get_pruning_group(convolution, torch_pruning.prune_conv_out_channels, idxs=gone).prune()
    for name in frozen:
        network.get_parameter(name).requires_grad_(False)
    network.train(training)
    network.spec = replace(network.spec, pruned=kept_filters(network))


def _some(filters: Sequence[int]) -> str:
    return ", ".join(map(str, filters[:10])) + (", …" if len(filters) > 10 else "")


def shrink(network: Network, pruned: Mapping[str, int]) -> None:
    """Gives each named convolution that many filters, for the weights of a pruned network to fit in.

    Raises `NetworkError` for a layer that there is not, that cannot be pruned, or that is asked to have more filters.
    """
    for layer, filters in pruned.items():
        convolution = dict(network.named_modules()).get(layer)
        if not isinstance(convolution, nn.Conv2d):
            raise NetworkError(f"The network {network.spec.architecture!r} has no convolution {layer!r} to be pruned.")
        if filters >= convolution.out_channels:
            raise NetworkError(
                f"The convolution {layer!r} has {convolution.out_channels} filters; pruned of some, it cannot have "
                f"{filters}."
            )
        remove_filters(network, layer, range(filters, convolution.out_channels))


def kept_filters(network: Network) -> dict[str, int] | None:
    """Convolution → filters, of those that have fewer than the architecture gives them; None where all are whole."""
    with torch.random.fork_rng(devices=[]):
        whole = dict(build(replace(network.spec, pruned=None)).named_modules())
    kept = {
        path: module.out_channels
        for path, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.out_channels < whole[path].out_channels  # type: ignore[operator]
    }
    return kept or None

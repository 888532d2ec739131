"""What each token of a transformer attends to: the weights that attention gathers by."""

import torch
from torch import Tensor, fx, nn

from core.errors import NetworkError
from core.inspection.subject import Layer, Subject

ATTENTION = "scaled dot product attention"


def attention_layers(subject: Subject) -> tuple[Layer, ...]:
    """The layers that gather by attention; none in a network without it."""
    return tuple(layer for layer in subject.layers if layer.label == ATTENTION)


def attention_weights(subject: Subject, layer: Layer, inputs: Tensor) -> Tensor:
    """`(N, heads, tokens, tokens)`: how much each token (row) takes from each (column); every row sums to 1.

    softmax(QKᵀ / √d) of Vaswani et al. (2017), from what the layer before made: query, key and value beside each
    other, each of all heads.
    """
    heads, _, size = layer.shape
    projection = _projection(subject, layer)
    made = subject.activations(inputs, [projection.name])[projection.name]
    query, key, _ = made.unflatten(2, (3, heads, size)).permute(2, 0, 3, 1, 4).unbind(0)
    return (query @ key.transpose(2, 3) / size**0.5).softmax(-1)


def grid_side(layer: Layer) -> int:
    """Patches a side of the square picture whose patches are the tokens; raises `NetworkError` for other tokens."""
    side = round(layer.shape[1] ** 0.5)
    if side * side != layer.shape[1]:
        raise NetworkError(f"The {layer.shape[1]} tokens of {layer.label} are not the patches of a square picture.")
    return side


def _projection(subject: Subject, layer: Layer) -> Layer:
    """The dense layer that makes query, key and value in one."""
    nodes = {node.name: node for node in subject.graph.graph.nodes}
    node: fx.Node = nodes[layer.name]
    while node.all_input_nodes:
        node = node.all_input_nodes[0]
        if node.op == "call_module" and isinstance(subject.graph.get_submodule(str(node.target)), nn.Linear):
            found = subject.layer(node.name)
            heads, _, size = layer.shape
            if found.shape[-1] == 3 * heads * size:
                return found
            break
    raise NetworkError(f"What {layer.label} of {subject.name!r} attends by is not one dense layer for all three.")


def as_maps(weights: Tensor, side: int, patch: int | None) -> Tensor:
    """`(heads, tokens, tokens)` → `(heads, side, side)`: what one patch takes, or the mean over all patches."""
    rows = weights.mean(1) if patch is None else weights[:, patch]
    return torch.reshape(rows, (len(rows), side, side))

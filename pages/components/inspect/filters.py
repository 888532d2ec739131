"""Filters: the first layer's, or any other's, as pictures with what they pass; and what they make of a picture."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.inspection import bank as banks
from core.inspection.bank import NORM, PATTERN, Bank
from core.inspection.filters import SAME, dead_filters, duplicate_filters
from core.inspection.kernel_shape import KernelShape, describe_kernel, frequency_response
from core.inspection.subject import Layer
from core.report.activation_figures import token_heat
from core.report.filter_figures import filter_close_up, filter_grid, weight_table
from core.report.tile_figure import brief
from pages.components.figure import show_figure
from pages.components.inspect.filter_effect import show_effect
from pages.components.inspect.view import View, does_not_apply
from pages.components.screen import is_narrow

LAYER, ORDER, CHANNEL, PART, ONE = (f"inspect_filter_{x}" for x in ("layer", "order", "channel", "part", "one"))
ORDERS = ("As they come", "By norm", "By orientation")
COLOUR = "colour"
AT_ONCE = 64  # filters in one figure
SAMPLES = 200  # test samples on which a filter may be active


@dataclass(frozen=True, eq=False)
class _Looks:
    """What is measured of a bank's filters as they are shown."""

    kernels: np.ndarray  # (K, h, w)
    shapes: list[KernelShape]  # empty of a norm, which has no sign
    dead: tuple[int, ...]
    twins: dict[int, int]  # duplicate → the filter that it is like


@st.fragment
def filters_panel(view: View) -> None:
    """All filters of a layer, one close up, and their effect on what is shown."""
    layers, narrow = banks.filter_layers(view.subject), is_narrow()
    if not layers:
        _table_weights(view, narrow)
        return
    layer = _choose_layer(view, layers)
    bank = banks.bank_of(view.subject, layer)
    _say_what_they_are(view, bank)
    if bank.weights.shape[2:] == (1, 1):
        _show_mixing(bank)
        show_effect(view, layer, bank, narrow)
        return
    shown = _choose_channel(bank)
    looks = _looks(view.key, layer.name, shown, bank, view)
    order = _choose_order(bank, looks)
    silent = _silent(view, bank)
    _show_all(bank, looks, order, shown, silent, narrow)
    _show_table(bank, looks, order, silent)
    _show_one(bank, looks, shown, narrow)
    show_effect(view, layer, bank, narrow)


def _choose_layer(view: View, layers: tuple[Layer, ...]) -> Layer:
    titles = [layer.title for layer in layers]
    given = view.subject.layer(view.layer).title if view.layer else None
    first = titles.index(given) if given in titles else 0
    title = st.selectbox("Layer", titles, index=first, key=f"{LAYER}_{view.subject.name}_{first}")
    return layers[titles.index(title)]


def _say_what_they_are(view: View, bank: Bank) -> None:
    number = view.subject.layers.index(bank.layer)
    colour = number <= 2 and view.subject.takes == "photos" and bank.channels == 3
    st.markdown(
        f"**`{view.subject.name}`, {bank.layer.label}** – weights {bank.in_words}."
        + (" The 3 channels are red, green and blue." if colour else "")
        + ("" if bank.bias is not None else " No biases.")
    )


def _choose_channel(bank: Bank) -> int | str:
    """What is shown of filters that read several channels: colours, one channel, their norm or what they share."""
    if bank.channels == 1:
        return 0
    ways = {"One channel": 0, "Norm over the channels": NORM, "What the channels share": PATTERN}
    if _reads_colours(bank):
        ways = {"In colour": COLOUR, **ways}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "What to show of each filter", list(ways), default=next(iter(ways)) if _reads_colours(bank) else
            "What the channels share", required=True, wrap=True, key=f"{CHANNEL}_way_{bank.layer.name}",
            help="A filter has one kernel for each channel that it reads. Norm: how strong its weights are at each "
            "pixel, over all channels. What they share: the one pattern that, weighted for each channel, comes "
            "closest to all its kernels (a singular value decomposition).",
        )  # fmt: skip
        if way == "One channel":
            number = st.number_input(
                f"Channel, 1 to {bank.channels}", 1, bank.channels, key=f"{CHANNEL}_{bank.layer.name}", width=150
            )
            return int(number) - 1
    return ways[way]


def _reads_colours(bank: Bank) -> bool:
    return bank.channels == 3 and bank.groups == 1


@st.cache_data(max_entries=64, show_spinner="Looking at the filters …")
def _looks(key: str, layer: str, shown: int | str, _bank: Bank, _view: View) -> _Looks:
    kernels = banks.flat_kernels(_bank, PATTERN if shown == COLOUR else shown)
    shapes = [] if shown == NORM or _bank.dense else [describe_kernel(kernel) for kernel in kernels]
    if _bank.dense:
        return _Looks(kernels, shapes, (), {})
    conv = _view.subject.convolution(_bank.layer)
    twins = {duplicate: kept for kept, duplicate in duplicate_filters(conv)}
    return _Looks(kernels, shapes, dead_filters(conv), twins)


def _choose_order(bank: Bank, looks: _Looks) -> list[int]:
    """The filters' numbers as they are shown."""
    ways = ORDERS if looks.shapes else ORDERS[:2]
    way = st.segmented_control(
        "Order", ways, default=ways[0], required=True, wrap=True, key=f"{ORDER}_{len(ways)}",
        help="As they come keeps every filter's place while you move through the training.",
    )  # fmt: skip
    numbers = list(range(bank.count))
    if way == ORDERS[1]:
        numbers.sort(key=lambda i: -bank.norms[i])
    elif way == ORDERS[2]:
        numbers.sort(key=lambda i: looks.shapes[i].order)
    if bank.count <= AT_ONCE:
        return numbers
    parts = [f"{i + 1}–{min(i + AT_ONCE, bank.count)}" for i in range(0, bank.count, AT_ONCE)]
    part = st.selectbox(f"Which of the {bank.count}, in this order", parts, key=f"{PART}_{bank.count}", width=260)
    first = parts.index(part) * AT_ONCE
    return numbers[first : first + AT_ONCE]


def _show_mixing(bank: Bank) -> None:
    """Kernels of one pixel: how much of each channel each filter takes."""
    show_figure(
        token_heat(
            bank.weights[:, :, 0, 0],
            f"{brief(bank.layer.label, is_narrow())}: weights",
            "channel that it reads",
            "filter",
            "weight",
        ),
        "inspect_mixing",
        "Kernels of one pixel have no shape: each filter only mixes the channels that it reads, as its row says.",
    )


def _show_all(
    bank: Bank, looks: _Looks, order: list[int], shown: int | str, silent: tuple[int, ...] | None, narrow: bool
) -> None:
    with_response = not bank.dense and shown != NORM
    kernels = looks.kernels[order]
    colour = (banks.colours(bank)[order], bank.weights[order]) if shown == COLOUR else None
    responses = frequency_response(kernels) if with_response else None
    largest = float(np.abs(looks.kernels).max()) or 1.0
    captions = [_caption(looks, i, silent or ()) for i in order]
    what = "rows of weights" if bank.dense else "filters"
    which = f"All {bank.count}" if len(order) == bank.count else f"{len(order)} of the {bank.count}"
    figure = filter_grid(
        kernels,
        order,
        captions,
        responses,
        f"{which} {what} of {brief(bank.layer.label, narrow)}",
        largest,
        narrow,
        colour,
    )
    show_figure(figure, "inspect_filters", _what_to_see(shown, with_response))


def _caption(looks: _Looks, i: int, silent: tuple[int, ...]) -> str:
    words = str(i + 1)
    if i in looks.dead:
        return f"{words} ✗ dead"
    if i in looks.twins:
        return f"{words} = {looks.twins[i] + 1}"
    if i in silent:
        return f"{words} ✗ silent"
    if not looks.shapes:
        return words
    shape = looks.shapes[i]
    return f"{words} {shape.kind} {shape.degrees}°" if shape.angle is not None else f"{words} {shape.kind}"


def _what_to_see(shown: int | str, with_response: bool) -> str:
    scale = "one colour scale for all, symmetric about zero (clear)"
    if shown == COLOUR:
        scale = "mid grey is a weight of zero, one scale for all"
    elif shown == NORM:
        scale = "each pixel's norm over the channels, which has no sign"
    text = f"Weights: {scale}; point at one for its number."
    if with_response:
        text += (
            " Beside each, in blue, its frequency response: which waves it passes, slow ones in the middle, "
            "0.5 cycles per pixel at the border; each as a share of its own strongest."
        )
        text += " It is that of what a filter's channels share." if shown in (COLOUR, PATTERN) else ""
    return text


def _show_table(bank: Bank, looks: _Looks, order: list[int], silent: tuple[int, ...] | None) -> None:
    rows = {
        "filter": [i + 1 for i in order],
        "what it looks like": [looks.shapes[i].words if looks.shapes else "" for i in order],
        "norm": bank.norms[order],
        "sum of weights": bank.weights.reshape(bank.count, -1).sum(1)[order],
        "bias": bank.bias[order] if bank.bias is not None else [None] * len(order),
        "mark": [_mark(looks, i, silent) for i in order],
    }
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, width="stretch", key="inspect_filters_table",
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in list(rows)[2:5]},
        )  # fmt: skip
    _say_marks(bank, looks, silent)


def _mark(looks: _Looks, i: int, silent: tuple[int, ...] | None) -> str:
    marks = ["dead by its weights"] * (i in looks.dead) + ["never active"] * (i in (silent or ()))
    if i in looks.twins:
        marks.append(f"like filter {looks.twins[i] + 1}")
    return ", ".join(marks)


def _say_marks(bank: Bank, looks: _Looks, silent: tuple[int, ...] | None) -> None:
    said = []
    if not bank.dense:
        said.append(f"Dead by their weights (nearly zero beside the others): {_listed(looks.dead)}.")
        pairs = [f"{i + 1} like {kept + 1}" for i, kept in looks.twins.items()]
        said.append(
            f"Near-duplicates (weights and bias point the same way: cosine at least {SAME}): "
            f"{', '.join(pairs[:12]) or 'none'}."
        )
    if silent is not None:
        said.append(f"Never active (✗ silent) after the ReLU on {SAMPLES} test samples: {_listed(silent)}.")
    if looks.shapes:
        said.append(
            "The angle is that of the edge or line itself: 0° lies flat, 45° rises to the right, 90° stands upright. "
            "An edge has positive weights on one side and negative ones on the other; a line has one sign between "
            "two bands of the other; a blob is a spot; mixed means that no such pattern stands out. "
            "What a filter looks like is told from its spectrum and symmetry: a rule of thumb, least sure at 3×3."
        )
    if said:
        st.caption(" ".join(said))


def _listed(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return "none"
    more = f" and {len(numbers) - 12} more" if len(numbers) > 12 else ""
    return ", ".join(str(i + 1) for i in numbers[:12]) + more


def _silent(view: View, bank: Bank) -> tuple[int, ...] | None:
    if view.trained is None:
        return None
    try:
        return _never_active(view.key, bank.layer.name, view)
    except InklingError:  # without test samples nothing is said of them
        return None


@st.cache_data(max_entries=64, show_spinner="Trying the filters on test samples …")
def _never_active(key: str, layer: str, _view: View) -> tuple[int, ...] | None:
    from core.networks.base import as_input
    from pages.components.train.tested import samples_of

    assert _view.trained is not None
    inputs = as_input(samples_of(_view.trained).inputs[:SAMPLES])
    return banks.never_active(_view.subject, _view.subject.layer(layer), inputs)


def _show_one(bank: Bank, looks: _Looks, shown: int | str, narrow: bool) -> None:
    st.subheader("One filter close up" if not bank.dense else "One row of weights close up")
    number = int(st.number_input(f"Number, 1 to {bank.count}", 1, bank.count, key=f"{ONE}_{bank.count}", width=180)) - 1
    kernel = looks.kernels[number]
    what = looks.shapes[number].words if looks.shapes else "weights" if bank.dense else "norm over its channels"
    response = None
    if not bank.dense and shown != NORM:
        magnitudes, frequencies = frequency_response(kernel[None])
        response = magnitudes[0], frequencies
    largest = float(np.abs(looks.kernels).max()) or 1.0
    bias = "" if bank.bias is None else f", bias {bank.bias[number]:.4f}".replace("-", "−")
    part = "What its channels share. " if shown in (COLOUR, PATTERN) and bank.channels > 1 else ""
    show_figure(
        filter_close_up(kernel, response, f"Filter {number + 1}: {what}", largest, narrow),
        "inspect_filter_one",
        f"{part}Norm {bank.norms[number]:.3f}{bias}. The network multiplies the pixels under it by these weights"
        + (
            "."
            if response is None
            else "; its frequency response says which waves that lets through, even grey in the middle."
        ),
    )
    with st.expander("Its weights as a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame(
                kernel, index=[f"row {i + 1}" for i in range(len(kernel))],
                columns=[f"column {i + 1}" for i in range(kernel.shape[1])],
            ).round(5), width="stretch", key="inspect_filter_weights",
        )  # fmt: skip


def _table_weights(view: View, narrow: bool) -> None:
    """A network that reads no picture: its first dense layer, features by nodes."""
    dense = banks.dense_layers(view.subject)
    if not dense:
        does_not_apply("This network has neither convolutions nor dense layers that read a picture.")
        return
    layer = dense[0]
    weights = view.subject.module.get_submodule(layer.path).weight.detach().numpy()
    names = view.subject.columns or [f"feature {i + 1}" for i in range(weights.shape[1])]
    does_not_apply(
        f"A network for tables has no filters: its first layer ({layer.label}) weighs every feature for every node. "
        f"Its weights are [{', '.join(map(str, weights.shape))}]: {weights.shape[0]} nodes of {weights.shape[1]} "
        "features each."
    )
    show_figure(
        weight_table(weights, names, f"First layer of {view.subject.name}", narrow),
        "inspect_weight_table",
        "Green raises a node with the feature, orange lowers it; features are scaled, so weights can be compared.",
    )
    table = pd.DataFrame(weights.T, index=list(names), columns=[f"node {i + 1}" for i in range(len(weights))])
    with st.expander("The weights as a table", icon=":material/table:"):
        st.dataframe(table.round(5), width="stretch", key="inspect_weights")

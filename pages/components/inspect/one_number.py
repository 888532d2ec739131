"""One number of a layer, chosen by a click: what it is the sum of, and what becomes of it."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.inspection.bank import dense_layers
from core.inspection.effect import padding
from core.inspection.one_number import Step, Sum, Weighing, number, sum_up, weigh
from core.inspection.subject import Layer
from core.report.activation_figures import contribution_bars, one_map, product_tables
from core.report.tile_figure import brief
from pages.components.figure import CONFIG, show_figure
from pages.components.inspect.view import View, does_not_apply

KEY = "inspect_number"
LARGEST = 10  # inputs of a dense layer that are named
COLOURS = ("red", "green", "blue")
AXES = ((), ("Token",), ("Row", "Column"), ("Window", "Token", "Part"))  # of a dense layer's output, before its nodes
MOST_BARS = 24  # channels whose sums are bars


def show_one_number(view: View, narrow: bool) -> None:
    """The layer, the channel and the place; then the sum and the steps that follow."""
    st.subheader("One number, step by step")
    dense = dense_layers(view.subject)
    layers = sorted({*view.subject.convolutions, *dense}, key=lambda layer: layer.number)
    titles = [layer.title for layer in layers]
    first = next((i for i, layer in enumerate(layers) if layer.name == view.layer), 0)
    title = st.selectbox("Of layer", titles, index=first, key=f"{KEY}_layer_{view.subject.name}_{first}")
    layer = layers[titles.index(title)]
    try:
        if layer in dense:
            _show_weighing(view, layer, narrow)
        else:
            _show_sum(view, layer, narrow)
    except InklingError as error:
        does_not_apply(str(error))


def _show_sum(view: View, layer: Layer, narrow: bool) -> None:
    channels, high, wide = layer.shape
    own = f"{KEY}_{view.subject.name}_{layer.name}"
    row_key, column_key = f"{own}_row", f"{own}_column"
    st.session_state.setdefault(row_key, high // 2 + 1)
    st.session_state.setdefault(column_key, wide // 2 + 1)
    with st.container(horizontal=True):
        channel = st.number_input(f"Channel, 1 to {channels}", 1, channels, key=f"{own}_channel", width=150) - 1
        row = st.number_input(f"Row, 1 to {high}", 1, high, key=row_key, width=130) - 1
        column = st.number_input(f"Column, 1 to {wide}", 1, wide, key=column_key, width=130) - 1
    found = _sum(view.keys, layer.name, (channel, row, column), view)
    inner = _choose_inner(found, own)
    made, read = _maps(view.keys, layer.name, found.read.name, view)
    left, right = st.columns(2, gap="large")
    with left:
        _click_map(made[channel], layer, (row, column), own, (row_key, column_key))
    with right:
        figure = one_map(
            read[found.channels[inner]], f"What it reads: {brief(found.read.label, True)}", outline=found.outline
        )
        st.plotly_chart(figure, key=f"{KEY}_read", config=CONFIG)
        conv = view.subject.convolution(layer)
        beyond = "; beyond the border the layer pads with zeros" if any(padding(conv)) else ""
        st.caption(f"Framed: the patch that the filter lies on{beyond}.")
    if len(found.channels) > 1:
        _show_channel_sums(view, found)
    show_figure(
        product_tables(found.patch[inner], found.kernel[inner], _tables_title(found, inner), narrow),
        f"{KEY}_tables",
        "Each pixel times the weight over it; all products of all channels are added up, and the bias with them.",
    )
    _show_steps(_first_line(found), found.value, found.steps, view, layer, (channel, row, column), narrow)


def _click_map(values: np.ndarray, layer: Layer, chosen: tuple[int, int], own: str, keys: tuple[str, str]) -> None:
    """A click on the map writes the row and the column into their fields."""
    chart = f"{KEY}_map_{own}"

    def clicked() -> None:
        points = st.session_state[chart]["selection"]["points"]
        if points:
            st.session_state[keys[0]] = round(points[0]["y"]) + 1
            st.session_state[keys[1]] = round(points[0]["x"]) + 1

    st.plotly_chart(
        one_map(values, f"What it makes: {brief(layer.label, True)}", chosen), key=chart, config=CONFIG,
        on_select=clicked, selection_mode="points",
    )  # fmt: skip
    st.caption("The number that is looked at is framed; click on another one.")


def _choose_inner(found: Sum, own: str) -> int:
    """Which of the channels that the filter reads is shown number by number, counted among them."""
    if len(found.channels) == 1:
        return 0
    strongest = int(np.abs(found.by_channel).argmax())
    first, last = found.channels[0] + 1, found.channels[-1] + 1
    chosen = st.number_input(
        f"Channel that it reads, {first} to {last}", first, last, first + strongest,
        key=f"{own}_inner_{found.place}", width=240, help="At first the one that brings most.",
    )  # fmt: skip
    return chosen - first


@st.cache_data(max_entries=128, show_spinner=False)
def _sum(keys: tuple[str, str], layer: str, place: tuple[int, int, int], _view: View) -> Sum:
    assert _view.specimen is not None
    return sum_up(_view.subject, _view.subject.layer(layer), _view.subject.inputs(_view.specimen), place)


@st.cache_data(max_entries=64, show_spinner=False)
def _maps(keys: tuple[str, str], layer: str, read: str, _view: View) -> tuple[np.ndarray, np.ndarray]:
    assert _view.specimen is not None
    made = _view.subject.activations(_view.subject.inputs(_view.specimen), [layer, read])
    return made[layer][0].numpy(), made[read][0].numpy()


def _tables_title(found: Sum, inner: int) -> str:
    of = "" if len(found.channels) == 1 else f", channel {found.channels[inner] + 1} of what it reads"
    return f"Patch × kernel{of}"


def _show_channel_sums(view: View, found: Sum) -> None:
    sums = found.by_channel
    order = np.argsort(-np.abs(sums), kind="stable")[:MOST_BARS]
    order = np.sort(order) if len(sums) <= MOST_BARS else order
    names = [_channel(view, found, i) for i in order]
    values = [float(sums[i]) for i in order]
    if len(sums) > MOST_BARS:
        names.append(f"{len(sums) - MOST_BARS} others")
        values.append(float(np.delete(sums, order).sum()))
    show_figure(
        contribution_bars([*names, "bias"], [*values, found.bias], f"What each of the {len(sums)} channels brings"),
        f"{KEY}_channels",
        f"The sum of patch × kernel in each channel, and the bias: together {number(found.value)}.",
    )


def _channel(view: View, found: Sum, inner: int) -> str:
    """What a channel that a filter reads is called."""
    name = f"channel {found.channels[inner] + 1}"
    colours = view.subject.takes == "photos" and found.read.number == 1 and found.read.shape[0] == len(COLOURS)
    return f"{name} ({COLOURS[found.channels[inner]]})" if colours else name


def _first_line(found: Sum) -> str:
    products = float(found.products.sum(dtype=np.float64))
    many = "" if len(found.channels) == 1 else f" of {len(found.channels)} channels"
    return f"sum of {found.patch.size:,} products{many} {number(products)} + bias {number(found.bias)}"


def _show_weighing(view: View, layer: Layer, narrow: bool) -> None:
    own = f"{KEY}_{view.subject.name}_{layer.name}"
    with st.container(horizontal=True):
        place = tuple(
            st.number_input(f"{name}, 1 to {size}", 1, size, key=f"{own}_at_{name}", width=150) - 1
            for name, size in zip((*AXES[len(layer.shape) - 1], "Node"), layer.shape, strict=True)
        )
    found = _weighing(view.keys, layer.name, place, view)
    order, rest = found.largest(LARGEST)
    columns = view.subject.columns if found.read.number == 1 else ()
    names = [str(columns[i]) if columns else f"input {i + 1}" for i in order]
    values = [float(found.products[i]) for i in order]
    others = len(found.inputs) - len(order)
    rows = [*names, *([f"{others} {'other' if others == 1 else 'others'}"] if others else []), "bias"]
    what = "what goes in" if found.read.number == 1 else f"what {found.read.label} (layer {found.read.number}) makes"
    show_figure(
        contribution_bars(
            rows, [*values, *([rest] if others else []), found.bias], f"Node {place[-1] + 1}: input × weight"
        ),
        f"{KEY}_weighing",
        f"The {len(order)} inputs that bring most, all others together, and the bias: in all {number(found.value)}. "
        f"The inputs are {what}.",
    )
    with st.expander("The inputs that bring most, as a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame({
                "input": names, "its number": found.inputs[order], "weight": found.weights[order], "product": values,
            }), hide_index=True, width="stretch", key=f"{KEY}_products",
        )  # fmt: skip
    line = f"sum of {len(found.inputs):,} products {number(found.value - found.bias)} + bias {number(found.bias)}"
    _show_steps(line, found.value, found.steps, view, layer, place, narrow)


@st.cache_data(max_entries=128, show_spinner=False)
def _weighing(keys: tuple[str, str], layer: str, place: tuple[int, ...], _view: View) -> Weighing:
    assert _view.specimen is not None
    return weigh(_view.subject, _view.subject.layer(layer), _view.subject.inputs(_view.specimen), place)


def _show_steps(
    line: str, value: float, steps: tuple[Step, ...], view: View, layer: Layer, place: tuple[int, ...], narrow: bool
) -> None:
    """What becomes of the number, beside what the network itself computed."""
    names = tuple({layer.name: 0} | {step.layer: 0 for step in steps})
    own = _own_numbers(view.keys, names, ((layer.name, place), *((step.layer, step.place) for step in steps)), view)
    rows = [(layer.label, line, value), *((step.label, step.formula, step.value) for step in steps)]
    if narrow:
        st.markdown(
            "\n".join(
                f"{i}. {label}: {how} = **{number(made)}** (the network’s own: {number(theirs)})"
                for i, ((label, how, made), theirs) in enumerate(zip(rows, own, strict=True), 1)
            )
        )
    else:
        _step_table(rows, own)
    st.caption("Worked out here by hand, operation by operation, beside the number that the network itself computed.")


def _step_table(rows: list[tuple[str, str, float]], own: list[float]) -> None:
    labels, how, numbers = zip(*rows, strict=True)
    st.dataframe(
        pd.DataFrame({"operation": labels, "how": how, "number": numbers, "the network’s own": own}),
        hide_index=True, width="stretch", key=f"{KEY}_steps",
        column_config={
            "number": st.column_config.NumberColumn(format="%.5f", width="small"),
            "the network’s own": st.column_config.NumberColumn(format="%.5f", width="small"),
            "how": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip


@st.cache_data(max_entries=128, show_spinner=False)
def _own_numbers(
    keys: tuple[str, str], names: tuple[str, ...], places: tuple[tuple[str, tuple[int, ...]], ...], _view: View
) -> list[float]:
    assert _view.specimen is not None
    made = _view.subject.activations(_view.subject.inputs(_view.specimen), names)
    return [float(made[name][0][place]) for name, place in places]

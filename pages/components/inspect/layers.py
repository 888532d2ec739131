"""Layers: what comes out after any layer, two side by side; attention; and one number, step by step."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.errors import InklingError
from core.inspection.attention import ATTENTION, as_maps, attention_layers, attention_weights, grid_side
from core.inspection.bank import dense_layers
from core.inspection.subject import Layer
from core.inspection.truncation import (
    channels_last,
    default_pair,
    in_words,
    inactive,
    included,
    kind_of,
    mean_activations,
)
from core.reading import written
from core.report.activation_figures import MOST_CHANNELS, attention_figure, channel_maps, number_strip, token_heat
from core.report.tile_figure import brief, step_for
from pages.components.figure import show_figure
from pages.components.inspect.one_number import show_one_number
from pages.components.inspect.view import View, does_not_apply, missing_specimen
from pages.components.screen import is_narrow

SIDES = ("left", "right")
ONE, CLASS_MEAN = "one", "class"
SAMPLES = 200  # test samples of a class that are averaged, at most


@dataclass(frozen=True, eq=False)
class _Source:
    """What goes in: the specimen, or the test samples of a class."""

    words: str  # "test sample 1", "the mean of 200 test samples of 7"
    label: int | None = None  # of the class that is averaged


@st.fragment
def layers_panel(view: View) -> None:
    """Two truncated networks, attention maps where there are any, and one number."""
    if missing_specimen(view):
        return
    try:
        _show(view, is_narrow())
    except InklingError as error:
        st.error(str(error), icon=":material/error:")


def _show(view: View, narrow: bool) -> None:
    st.subheader("Truncated networks")
    st.caption("The network is cut off after a layer: what it makes up to there is its output.")
    source = _choose_source(view)
    if source is not None:
        for side, column, layer in zip(SIDES, st.columns(2, gap="large"), _pair(view), strict=True):
            with column:
                _show_side(view, side, layer, source, narrow)
    if attention_layers(view.subject):
        _show_attention(view, narrow)
    show_one_number(view, narrow)


def _choose_source(view: View) -> _Source | None:
    assert view.specimen is not None
    single = _Source(view.specimen.name)
    if view.trained is None:
        st.caption("For photos there are no test samples here, so only one picture can be shown, not a class's mean.")
        return single
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Of what",
            (ONE, CLASS_MEAN),
            default=ONE,
            required=True,
            key="inspect_layers_of",
            format_func={ONE: f"Only {view.specimen.name}", CLASS_MEAN: "The mean of a class"}.get,
        )
        if way == ONE:
            return single
        labels = range(len(view.subject.classes))
        truth = view.specimen.label
        first = view.subject.classes.index(truth) if truth in view.subject.classes else 0
        label = st.selectbox(
            "Class", labels, index=first, format_func=lambda i: written(view.subject.classes[i]), width=160,
            key=f"inspect_layers_class_{view.subject.name}",
        )  # fmt: skip
    try:
        count = len(_of_class(view, label))
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None
    if not count:
        st.info("There are no test samples of this class.", icon=":material/info:")
        return None
    samples = "test sample" if count == 1 else "test samples"
    return _Source(f"the mean of {count} {samples} of “{written(view.subject.classes[label])}”", label)


def _of_class(view: View, label: int) -> np.ndarray:
    """Numbers of the class's first test samples."""
    from pages.components.train.tested import samples_of

    assert view.trained is not None
    return np.flatnonzero(samples_of(view.trained).labels.numpy() == label)[:SAMPLES]


def _clicked(view: View) -> Layer | None:
    return view.subject.layer(view.layer) if view.layer else None


def _pair(view: View) -> tuple[Layer, Layer]:
    """What is shown first: the layer that was clicked in the diagram, if one was, and beside it one to compare with."""
    first, second = default_pair(view.subject)
    clicked = _clicked(view)
    if clicked is None:
        return first, second
    return clicked, first if clicked.number > first.number else second


def _show_side(view: View, side: str, default: Layer, source: _Source, narrow: bool) -> None:
    layers = view.subject.layers
    names = [layer.title for layer in layers]
    title = st.selectbox(
        "After layer" if side == "left" else "and after layer", names, index=default.number - 1,
        key=f"inspect_{side}_{view.subject.name}_{default.number}",
    )  # fmt: skip
    layer = layers[names.index(title)]
    if side == "left" and layer == _clicked(view):
        st.caption(":material/ads_click: Clicked in the diagram.")
    values = _values(view, layer, source)
    st.markdown(f"`{in_words(layer)}`")
    _draw(values, view, layer, f"inspect_map_{side}", source, narrow)
    steps = [x.label for x in included(view.subject, layer)]
    if len(steps) > 8:
        steps = [*steps[:3], f"… {len(steps) - 6} more …", *steps[-3:]]
    st.caption("Up to here: " + (" → ".join(steps) or "nothing yet, this is the input") + "." + _counted(view, layer))


def _counted(view: View, layer: Layer) -> str:
    """Layers as a course counts them: those with kernels or dense weights."""
    counted = {x.name for x in (*view.subject.convolutions, *dense_layers(view.subject))}
    count = sum(x.name in counted for x in included(view.subject, layer))
    if not count:
        return ""
    parts = " + ".join(map(str, range(1, count + 1))) if count <= 4 else f"1 to {count}"
    return f" Counting only convolutions and dense layers: after {'layer' if count == 1 else 'layers'} {parts}."


def _values(view: View, layer: Layer, source: _Source) -> np.ndarray:
    if source.label is None:
        return _activation(view.keys, layer.name, view)
    return _class_mean(view.key, layer.name, source.label, view)


@st.cache_data(max_entries=256, show_spinner=False)
def _activation(keys: tuple[str, str], layer: str, _view: View) -> np.ndarray:
    assert _view.specimen is not None
    inputs = _view.subject.inputs(_view.specimen)
    return _view.subject.activations(inputs, [layer])[layer][0].numpy()


@st.cache_data(max_entries=64, show_spinner="Averaging over test samples …")
def _class_mean(key: str, layer: str, label: int, _view: View) -> np.ndarray:
    from core.networks.base import as_input
    from pages.components.train.tested import samples_of

    assert _view.trained is not None
    inputs = samples_of(_view.trained).inputs[_of_class(_view, label)]
    return mean_activations(_view.subject, as_input(inputs), [layer])[layer]


def _draw(values: np.ndarray, view: View, layer: Layer, key: str, source: _Source, narrow: bool) -> None:
    title, kind, of = (
        f"After layer {layer.number}, {brief(layer.label, narrow)}",
        kind_of(layer.shape),
        f"of {source.words}",
    )
    if kind == "many":
        does_not_apply(f"The output of {layer.label} has {len(layer.shape)} axes; choose another layer to see maps.")
    elif layer.label == ATTENTION and kind == "maps":
        heads, tokens, size = values.shape
        gathered = values.transpose(1, 0, 2).reshape(tokens, heads * size)
        words = f"One row for each token, {of}: what {heads} heads gathered for it."
        show_figure(token_heat(gathered, title, "number, head after head"), key, words)
    elif kind == "maps" and values.size > max(values.shape):
        _draw_maps(values.transpose(2, 0, 1) if channels_last(layer.shape) else values, title, key, of, narrow)
    elif kind == "tokens" and layer.label != "flatten":
        show_figure(token_heat(values, title), key, f"One row for each patch of the picture, {of}.")
    elif kind == "tokens":
        show_figure(token_heat(values, title, "place", "channel"), key, f"One row for each channel, {of}.")
    else:
        what = "feature" if layer.number == 1 else "number" if layer.label == "flatten" else "node"
        figure = number_strip(values.reshape(-1), title, _names(view, layer), what)
        show_figure(figure, key, f"One cell or bar for each {what}, {of}; zero: it is silent.{_silent(values)}")


def _draw_maps(values: np.ndarray, title: str, key: str, of: str, narrow: bool) -> None:
    figure = channel_maps(values[:MOST_CHANNELS], title, "half", narrow)
    shown = "each channel"
    if len(values) > MOST_CHANNELS:
        shown = f"each of the first {MOST_CHANNELS} of {len(values)} channels"
    show_figure(figure, key, f"One map for {shown}, {of}; clear is zero.{_silent(values)}{_thinned(values)}")


def _thinned(values: np.ndarray) -> str:
    step = step_for(values[:MOST_CHANNELS])
    return f" One of {step} pixels each way is shown." if step > 1 else ""


def _names(view: View, layer: Layer) -> tuple[str, ...] | None:
    """Of a vector's numbers: the classes' of the output, a table's columns' of its input."""
    if layer.number == 1 and view.subject.columns:
        return view.subject.columns
    classes = view.subject.classes
    if layer is view.subject.layers[-1] and layer.shape == (len(classes),):
        return tuple(written(label) for label in classes)
    return None


def _silent(values: np.ndarray) -> str:
    count = inactive(values)
    if count is None:  # no activation has cut its negative numbers off
        return ""
    if not count:
        return " None is inactive."
    return f" Inactive{' (✗)' if values.ndim == 3 else ''}, zero everywhere: {count} of {len(values)}."


def _show_attention(view: View, narrow: bool) -> None:
    st.subheader("Attention")
    layers = attention_layers(view.subject)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        block = st.segmented_control(
            "Block", range(len(layers)), default=0, required=True, format_func=lambda i: str(i + 1),
            key="inspect_attention_block",
        )  # fmt: skip
        side = grid_side(layers[block])
        mean = st.toggle("Mean over all patches", key="inspect_attention_mean")
        row = st.number_input(
            "Patch in row", 1, side, side // 2 + 1, key="inspect_attention_row", disabled=mean, width=130
        )
        column = st.number_input(
            "Patch in column", 1, side, side // 2 + 1, key="inspect_attention_column", disabled=mean, width=130
        )
    patch = None if mean else (row - 1) * side + column - 1
    weights = _attention(view.keys, layers[block].name, view)
    assert view.specimen is not None
    who = "each patch, on average," if patch is None else "the framed patch"
    maps = as_maps(weights, side, patch).numpy()
    show_figure(
        attention_figure(maps, view.specimen.pixels, patch, f"What is attended to in block {block + 1}", narrow),
        "inspect_attention",
        f"From which patches {who} gathers, by each head: softmax(QKᵀ / √d), 100 % over a head's map. "
        "An even map takes a little of everything.",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _attention(keys: tuple[str, str], layer: str, _view: View):
    assert _view.specimen is not None
    return attention_weights(_view.subject, _view.subject.layer(layer), _view.subject.inputs(_view.specimen))[0]

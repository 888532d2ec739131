"""What each filter makes of the chosen picture: by OpenCV's filter2D, and by the layer itself."""

import streamlit as st

from core.errors import InklingError
from core.inspection.bank import Bank
from core.inspection.effect import Effect, differences, effect_of, layer_reads_picture
from core.inspection.subject import Layer
from core.report.filter_figures import effect_grid
from core.report.tile_figure import brief, step_for
from pages.components.figure import show_figure
from pages.components.inspect.view import View, does_not_apply, missing_specimen

AT_ONCE = 10


def show_effect(view: View, layer: Layer, bank: Bank, narrow: bool) -> None:
    """The filter, filter2D's map, the layer's own output and what the activation leaves of it, in a row."""
    st.subheader("What the filters do")
    if missing_specimen(view):
        return
    if bank.dense:
        does_not_apply(
            f"Each row of weights of {layer.label} is as large as the picture: it is laid on it once and makes one "
            "number, not a map. The section Layers shows such a number step by step."
        )
        return
    first = 0
    if bank.count > AT_ONCE:
        parts = [f"{i + 1}–{min(i + AT_ONCE, bank.count)}" for i in range(0, bank.count, AT_ONCE)]
        part = st.selectbox(
            f"Which of the {bank.count} filters", parts, key=f"inspect_effect_{layer.name}_{bank.count}", width=260
        )
        first = parts.index(part) * AT_ONCE
    chosen = tuple(range(first, min(first + AT_ONCE, bank.count)))
    try:
        _show(view, layer, bank, _effect(view.keys, layer.name, chosen, view), narrow)
    except InklingError as error:
        does_not_apply(str(error))


@st.cache_data(max_entries=64, show_spinner=False)
def _effect(keys: tuple[str, str], layer: str, chosen: tuple[int, ...], _view: View) -> Effect:
    assert _view.specimen is not None
    return effect_of(_view.subject, _view.subject.layer(layer), _view.subject.inputs(_view.specimen), chosen)


def _show(view: View, layer: Layer, bank: Bank, effect: Effect, narrow: bool) -> None:
    chosen = list(effect.filters)
    kernels = bank.weights[chosen]
    shown = kernels[:, 0] if bank.channels == 1 else kernels.mean(1)
    parts = [("filter", shown), ("filter2D", effect.by_filter2d), ("layer", effect.output)]
    if effect.activated is not None:
        parts.append(("activated", effect.activated))
    what = "the picture" if layer_reads_picture(view.subject, layer) else "what the layer reads"
    assert view.specimen is not None
    mean = "" if bank.channels == 1 else " The filter is shown as the mean over its channels."
    step = step_for(effect.by_filter2d)
    every = f" Of the large maps one of {step} pixels each way is shown." if step > 1 else ""
    after = f" Activated: after {effect.after}." if effect.activated is not None else ""
    show_figure(
        effect_grid(parts, chosen, f"{brief(layer.label, narrow)} on {view.specimen.name}", narrow),
        "inspect_effect",
        f"Left to right: the filter, filter2D of {what}, the layer's own output.{after} Green is above zero, orange "
        f"below; each column has a scale of its own.{mean}{every}",
    )
    st.markdown("**Why filter2D and the layer differ here**")
    st.markdown("\n".join(f"- {sentence}" for sentence in differences(view.subject, layer)))

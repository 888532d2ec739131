"""Structure: the network as a drawing, as a table and as PyTorch prints it; a click leads to a layer."""

import pandas as pd
import streamlit as st

from core.networks.steps import trace_steps
from core.networks.summary import count_totals, summarise
from core.report.diagram import diagram_html
from pages.components.diagram import show_diagram
from pages.components.inspect.view import LAYER, SECTION, View
from pages.components.structure import layer_table, totals_tiles
from pages.components.tiles import show_tiles


def structure_panel(view: View) -> None:
    """The diagram first, then totals, the table and the printed model."""
    drawing, table, totals = _structure(view.key, view)
    show_diagram(drawing, _go_to)
    st.caption(
        "Boxes are what is computed, arrows carry the shape of what flows: channels × height × width. Click a box to "
        "see what comes out of it."
    )
    show_tiles(totals)
    st.dataframe(table, hide_index=True, width="stretch", key="inspect_summary")
    with st.expander("As PyTorch prints it", icon=":material/code:"):
        st.code(repr(view.subject.module), language=None)


def _go_to(layer: str) -> None:
    st.session_state[LAYER] = layer
    st.session_state[SECTION] = "Layers"


@st.cache_data(max_entries=32, show_spinner="Drawing the network …")
def _structure(key: str, _view: View) -> tuple[str, pd.DataFrame, dict[str, str]]:
    module, example = _view.subject.module, _view.subject.example
    steps = trace_steps(module, example)
    after = [_view.subject.layer_after(step) for step in steps]
    drawing = diagram_html(steps, [layer.name if layer else "" for layer in after])
    return drawing, layer_table(summarise(module, example)), totals_tiles(count_totals(module, example))

"""Pointing at a sample of the map shows its glyph; a click chooses it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from core.report.sample_figures import picture_address

KEY = "embedding_pointer"
CHART = "embedding_map"  # of the container that holds the chart
_component = st.components.v2.component(
    "inkling_map_pointer", js=Path(__file__).with_name("pointer.js").read_text("utf-8")
)


@st.fragment
def pointer(
    map_key: str,
    drawn: Sequence[np.ndarray],
    glyphs: np.ndarray,
    describe: Callable[[int], str],
    on_click: Callable[[int], None],
) -> None:
    """Listens to the map. `drawn`: the samples of each of its traces; `describe` says what a sample is."""
    state = st.session_state.get(KEY) or {}
    clicked = sample_of(state.get("clicked"), drawn)
    if clicked is not None:
        on_click(clicked)
        st.rerun()
    data = {"map": map_key, "chart": CHART, "traces": len(drawn), "sample": "", "glyph": "", "text": ""}
    pointed = state.get("pointed")
    index = sample_of(pointed, drawn)
    if index is not None:
        data |= {"sample": pointed, "glyph": picture_address(glyphs[index], 3), "text": describe(index)}
    _component(
        key=KEY, data=data, on_pointed_change=lambda: None, on_clicked_change=lambda: None, height="content"
    )  # without a callback no value is kept


def sample_of(name: object, drawn: Sequence[np.ndarray]) -> int | None:
    """ "trace:point", as the browser names a point → the sample; None for what is none."""
    trace, colon, point = str(name or "").partition(":")
    if not colon or not trace.isdigit() or not point.isdigit():
        return None
    if int(trace) >= len(drawn) or int(point) >= len(drawn[int(trace)]):
        return None
    return int(drawn[int(trace)][int(point)])

"""Dimensions together: two on a map, all in one figure, and which of them matter."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.experiments.dimensions import DIMENSIONS
from core.experiments.effects import levels
from core.experiments.importance import importance, importance_problem
from core.experiments.study import Study
from core.report.experiment_figures import heat_figure, importance_figure, parallel_figure
from pages.components.figure import show_figure
from pages.components.kept import kept
from pages.components.screen import is_narrow

if TYPE_CHECKING:
    from core.experiments.storage import Storage

# Plotly puts a halo round these labels in the colour of a page that it takes for white.
NO_HALO = "<style>.st-key-experiment_parallel text { text-shadow: none !important; }</style>"


def pairs(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    if not (table["state"] == "complete").any():
        st.info("No trial was completed, so there is nothing to draw; the table says why.", icon=":material/info:")
        return
    if problem := importance_problem(study, table):
        _pair(study, table)
        st.info(problem, icon=":material/info:")
    else:
        left, right = st.columns(2, gap="large")
        with left:
            _pair(study, table)
        with right:
            _importance(study, table)
    _parallel(study, table)


def _pair(study: Study, table: pd.DataFrame) -> None:
    names = list(study.dimensions)
    if len(names) < 2:
        st.info("A map takes two dimensions; this study varies one.", icon=":material/info:")
        return
    labels = {name: DIMENSIONS[name].label for name in names}
    with st.container(horizontal=True):
        across = st.selectbox("Across", names, format_func=labels.get, key="experiment_across")
        down = st.selectbox(
            "Down", [name for name in names if name != across], format_func=labels.get, key="experiment_down"
        )
    show_figure(
        heat_figure(table, levels(study, table, across), levels(study, table, down), (labels[across], labels[down])),
        "experiment_heat",
        "The stronger the green, the more accurate the cell's trials are on average. Rows that are not alike but for a "
        "shift mean that the effect of one dimension depends on the other.",
    )  # fmt: skip


def _importance(study: Study, table: pd.DataFrame) -> None:
    key = ("importance", *table.attrs["sign"])
    with st.spinner("Weighing the dimensions …", show_time=True):
        found = kept(key, lambda: importance(study, table))
    labels = {name: DIMENSIONS[name].label for name in found.shares}
    show_figure(
        importance_figure(
            {labels[name]: share for name, share in found.shares.items()},
            {labels[name]: share for name, share in found.chance.items()}, found.method,
        ), "experiment_importance",
        f"{found.about} The mark is what each reaches when the accuracies are dealt out by chance: a bar that does not "
        "pass its mark (grey) says nothing. It tells how much a dimension matters, not which value is better.",
    )  # fmt: skip


def _parallel(study: Study, table: pd.DataFrame) -> None:
    names = list(study.dimensions)
    st.html(NO_HALO)
    if is_narrow():
        st.caption("On a wide screen a figure with all dimensions at once is shown here.")
        return
    show_figure(
        parallel_figure(
            table, {name: levels(study, table, name) for name in names},
            {name: DIMENSIONS[name].label for name in names},
        ), "experiment_parallel",
        "A line is a trial; the greener, the more accurate. Draw along an axis to see only the lines through that "
        "part; click it to see all again.",
    )  # fmt: skip

"""Accuracy against each dimension: every trial, each value's mean, and the differences between values."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.experiments.dimensions import DIMENSIONS
from core.experiments.effects import effects, levels, means
from core.experiments.study import Study
from core.report.experiment_figures import dimension_figure
from pages.components.figure import show_figure
from pages.components.markup import plain

if TYPE_CHECKING:
    from core.experiments.storage import Storage


def dimensions(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    names = list(study.dimensions)
    for start in range(0, len(names), 2):
        for name, column in zip(names[start : start + 2], st.columns(2, gap="large"), strict=False):
            with column:
                _dimension(study, table, name)


def _dimension(study: Study, table: pd.DataFrame, name: str) -> None:
    found, average = levels(study, table, name), means(study, table, name)
    show_figure(
        dimension_figure(table, found, average, DIMENSIONS[name].label), f"experiment_dimension_{name}",
        "Each point is a trial, beside its value so that all are seen; each diamond is the mean of its value's trials, "
        "with a 95 % interval over them unless that is too wide to draw. The other "
        "dimensions make the points spread, so intervals that overlap may hide a difference that the pairs below show.",
    )  # fmt: skip
    had = [value for value in found.cat.categories if (found == value).any()]
    if len(had) < 2:
        return
    reference = had[0]
    if len(had) > 2:
        reference = st.selectbox("Compared with", had, key=f"experiment_reference_{name}", format_func=plain)
    compared = effects(study, table, {name: str(reference)})
    for effect in compared.of(name):
        icon = ":green[:material/check_circle:]" if effect.decided else ":grey[:material/balance:]"
        st.markdown(f"{icon} {plain(effect.verdict)}")

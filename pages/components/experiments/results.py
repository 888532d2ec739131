"""What a study found out: the answer first, then every figure behind it."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InklingError
from core.experiments.study import Study
from pages.components.markup import plain

if TYPE_CHECKING:
    import pandas as pd

    from core.experiments.storage import Storage

HERE = "pages.components.experiments"
SECTIONS = {  # name → its label, and the module and function that show it
    "Overview": (":material/summarize: Overview", "result_overview:overview"),
    "Table": (":material/table: Table", "result_table:trials"),
    "Dimensions": (":material/tune: Dimensions", "result_dimensions:dimensions"),
    "Pairs": (":material/grid_on: Pairs", "result_pairs:pairs"),
    "Cost": (":material/timer: Cost", "result_cost:cost"),
    "Confirm": (":material/verified: Confirm", "result_confirm:confirm"),
    "Keep": (":material/inventory_2: Keep and share", "result_keep:keep"),
}
LIVE = ("Overview", "Dimensions", "Pairs")  # what is drawn anew while trials end; nothing is typed there
EVERY_S = 2.0
NOTHING = "No trial has ended yet. Results come with the first one."


def results_panel(study: Study, storage: "Storage", running: bool) -> None:
    """The sections; while the study runs its figures follow."""
    section = st.segmented_control(
        "Section", list(SECTIONS), default="Overview", required=True, wrap=True, key="experiment_section",
        format_func=lambda name: SECTIONS[name][0], label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    live = EVERY_S if running and section in LIVE else None
    st.fragment(_section, run_every=live)(section, study, storage)


def _section(section: str, study: Study, storage: "Storage") -> None:
    try:
        table = table_of(storage, study.name)
        if not table["state"].isin(["complete", "pruned", "failed"]).any():
            st.info(NOTHING, icon=":material/hourglass_empty:")
            return
        module, function = SECTIONS[section][1].split(":")
        show: Callable[..., Any] = getattr(import_module(f"{HERE}.{module}"), function)
        show(study, storage, table)
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")


def table_of(storage: "Storage", name: str) -> "pd.DataFrame":
    """The trials as they are now, read once for all who look; nobody changes it. `attrs["sign"]` tells it apart."""
    from core.experiments.table import sign_of

    return _table(storage, storage.url, name, sign_of(storage, name))


@st.cache_resource(max_entries=6, show_spinner=False)
def _table(_storage: "Storage", url: str, name: str, sign: tuple) -> "pd.DataFrame":
    from core.experiments.table import trials_table

    table = trials_table(_storage, name)
    table.attrs["sign"] = (url, name, sign)
    return table

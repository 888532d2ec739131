"""A trial as a stored network, and the study as a report."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.experiments.search import configuration_of
from core.experiments.study import Study
from core.networks.store import free_name
from pages.components.experiments.result_confirm import _duration
from pages.components.experiments.result_parts import choose_trial, finished, settings_of
from pages.components.markup import plain

if TYPE_CHECKING:
    from core.experiments.storage import Storage

PROBLEM, BEGUN = "experiment_keep_problem", "experiment_kept"


def keep(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _keep(study, storage, finished(table))
    with right:
        _report(study, storage, table)


def _keep(study: Study, storage: "Storage", done: pd.DataFrame) -> None:
    st.markdown("##### Make a trial a network")
    if not len(done):
        st.info("No trial was completed, so there is none to keep.", icon=":material/info:")
        return
    row = choose_trial(study, done, "experiment_keep_trial")
    from core.experiments.keep import config_of, samples_of

    configuration = configuration_of(study, row)
    try:
        config = config_of(study, configuration)
    except InklingError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return
    st.markdown(
        plain(f"Trains {settings_of(study, row)} again, for {config.epochs} epochs with the seed {config.seed}, about "
              f"{_duration(row['seconds'])}. Its weights are those of the trial, bit for bit on a machine like the one "
              "it ran on. A trial itself keeps no weights. A stored network tells its test accuracy, so this counts as "
              "a look at the test set.")
    )  # fmt: skip
    if samples := samples_of(study, configuration):
        st.warning(f"The trial learned from {samples:,} samples only. The stored network learns from all of them, so "
                   "it will be another one, and most likely better.", icon=":material/warning:")  # fmt: skip
    wish = free_name(f"{study.name}-{row['number']}"[:50])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", wish, key=f"experiment_keep_name_{study.name}_{row['number']}_{wish}", max_chars=60
        )
        st.button(
            "Train and store it", type="primary", icon=":material/inventory_2:", key="experiment_keep",
            on_click=_begin, args=(study, storage, row, configuration, name),
        )  # fmt: skip
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(problem), icon=":material/error:")
    if begun := st.session_state.get(BEGUN):
        _begun(begun)


def _begin(study: Study, storage: "Storage", row: Any, configuration: dict, name: str) -> None:
    from core.experiments.keep import keep

    try:
        keep(study, storage, int(row["number"]), configuration, float(row["accuracy"]), name.strip())
    except InklingError as error:
        st.session_state[PROBLEM] = str(error)
    else:
        st.session_state[BEGUN] = name.strip()
        st.session_state["train_watched"] = name.strip()


@st.fragment(run_every=2.0)
def _begun(name: str) -> None:
    """How the training goes that was begun here."""
    from core.training import open_run

    try:
        run = open_run(name)
        state, history = run.state, run.history
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if state in ("queued", "running"):
        share = history.examples_done / history.examples_planned if history.examples_planned else 0.0
        st.progress(min(1.0, share), f"{name} is being trained" if state == "running" else f"{name} waits for its turn")
    elif history.kept:
        st.success(f"{name} is stored; every page can use it.", icon=":material/check_circle:")
    else:
        st.error(plain(history.message or f"The training of {name} ended: {state}."), icon=":material/error:")
    st.page_link("pages/train.py", label="Watch it on the page Train", icon=":material/model_training:")


def _report(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    st.markdown("##### The study as a report")
    st.markdown(
        "One HTML file that needs nothing else: question, hypothesis, settings, every trial, the effects with their "
        "intervals, the figures, and the confirmations with their looks at the test set."
    )
    st.download_button(
        "Report (HTML)", lambda: _html(study, storage), f"{study.name}.html", "text/html",
        icon=":material/description:", key="experiment_report", on_click="ignore",
    )  # fmt: skip
    st.caption("The report of a network that was kept from this study has this chapter too.")


def _html(study: Study, storage: "Storage") -> bytes:
    from core.report.experiment_chapter import study_html

    return study_html(study, storage)

"""A trial as a stored network, and the study as a report."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.errors import InklingError
from core.experiments.search import configuration_of
from core.experiments.study import Study
from pages.components.experiments.result_keep_transfer import keep_transfer
from pages.components.experiments.result_parts import choose_trial, finished, name_and_button, settings_of
from pages.components.experiments.words import duration
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
    configuration = configuration_of(study, row)
    if "source" in {*study.settings, *study.dimensions}:
        keep_transfer(study, storage, row, configuration)
    else:
        _keep_training(study, storage, row, configuration)


def _keep_training(study: Study, storage: "Storage", row: Any, configuration: dict) -> None:
    from core.experiments.keep import config_of, samples_of

    try:
        config = config_of(study, configuration)
    except InklingError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return
    st.markdown(
        plain(f"Trains {settings_of(study, row)} again, for {config.epochs} epochs with the seed {config.seed}, about "
              f"{duration(row['seconds'])}. Its weights are those of the trial, bit for bit on a machine like the one "
              "it ran on. A trial itself keeps no weights. A stored network tells its test accuracy, so this counts as "
              "a look at the test set.")
    )  # fmt: skip
    if samples := samples_of(study, configuration):
        st.warning(f"The trial learned from {samples:,} samples only. The stored network learns from all of them, so "
                   "it will be another one, and most likely better.", icon=":material/warning:")  # fmt: skip
    name_and_button("Train and store it", study, row, _begin, study, storage, row, configuration)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(problem), icon=":material/error:")
    if begun := st.session_state.get(BEGUN):
        _begun(begun)


def _begin(study: Study, storage: "Storage", row: Any, configuration: dict, name: str) -> None:
    from core.experiments.keep import keep

    try:
        keep(study, storage, int(row["number"]), configuration, float(row["accuracy"]), name)
    except InklingError as error:
        st.session_state[PROBLEM] = str(error)
    else:
        st.session_state[BEGUN] = name
        st.session_state["train_watched"] = name


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

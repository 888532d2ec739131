"""A transfer trial as a stored network."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InklingError
from core.experiments.study import Study
from pages.components.experiments.result_parts import name_and_button, settings_of
from pages.components.markup import plain
from pages.components.train.titles import dataset_title

if TYPE_CHECKING:
    from core.experiments.keep_transfer import TransferKeeping
    from core.experiments.storage import Storage

JOB, PROBLEM = "experiment_keep_job", "experiment_keep_problem"
EVERY_S = 1.0


def keep_transfer(study: Study, storage: "Storage", row: Any, configuration: dict) -> None:
    st.markdown(
        plain(f"Teaches {settings_of(study, row)} again with the seed {study.seed}. No letter is held out: they are "
              f"drawn from all that teach, and tested on those of the test set of {dataset_title(study.dataset)}. So "
              "it is not the trial's network, but one taught as that was; and this counts as a look at the test set.")
    )  # fmt: skip
    job: TransferKeeping | None = st.session_state.get(JOB)
    if job is not None and job.running:
        st.fragment(_progress, run_every=EVERY_S)(job)
        return
    name_and_button("Teach and store it", study, row, _begin, study, storage, row, configuration)
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(problem), icon=":material/error:")
    if job is not None and job.study.name == study.name:
        _how_it_ended(job)


def _begin(study: Study, storage: "Storage", row: Any, configuration: dict, name: str) -> None:
    from core.experiments.keep_transfer import TransferKeeping

    try:
        job = TransferKeeping(study, storage, int(row["number"]), configuration, float(row["accuracy"]), name)
    except InklingError as error:
        st.session_state[PROBLEM] = str(error)
    else:
        st.session_state[JOB] = job.begin()


def _progress(job: "TransferKeeping") -> None:
    if not job.running:
        st.rerun()
    measured = job.done == job.total
    st.progress(job.progress, f"{job.name} is being {'measured' if measured else 'taught'} …")
    st.button("Stopping …" if job.stopping else "Stop", icon=":material/stop_circle:", key="experiment_keep_stop",
              disabled=job.stopping, on_click=job.stop)  # fmt: skip


def _how_it_ended(job: "TransferKeeping") -> None:
    if job.state == "finished":
        st.success(plain(f"{job.name} is stored; every page can use it."), icon=":material/check_circle:")
    elif job.state == "stopped":
        st.info(plain(f"{job.name} was stopped; nothing of it is stored."), icon=":material/stop_circle:")
    else:
        st.error(plain(job.problem), icon=":material/error:")

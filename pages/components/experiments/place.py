"""Where studies are kept and where they run."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from core.experiments import EXECUTORS
from pages.components.markup import plain

if TYPE_CHECKING:  # Optuna comes with it, and takes half a second
    from core.experiments.storage import Storage

ABSENT = "experiment_absent"  # session state: the address that did not answer, and what was said
MOST_WORKERS = {"processes": 4 * (os.cpu_count() or 1), "dask": 1000}  # more would stand in each other's way
TITLES = {"processes": "Processes on this machine", "dask": "Dask: many machines"}


@dataclass(frozen=True)
class Place:
    url: str | None = None  # of the storage; None: this machine's own
    executor: str = "processes"
    workers: int | None = None  # None: one a core, or all that the scheduler has
    scheduler: str | None = None  # Dask's; None: one is started on this machine

    def started_with(self) -> dict[str, str | int | None]:
        """What `jobs.start` takes."""
        return {
            "storage": self.url, "executor": self.executor, "workers": self.workers, "scheduler": self.scheduler
        }  # fmt: skip


def choose_place() -> Place:
    with st.popover("Where it runs", icon=":material/lan:"):
        url = st.text_input(
            "Storage", key="experiment_storage", persist_state="session",
            placeholder="this machine's own (SQLite in Inkling's home)",
            help="Where studies and their trials are kept. For many machines: postgresql+psycopg://USER@HOST/NAME. A "
            "file elsewhere: sqlite:///FILE.",
        )  # fmt: skip
        executor = st.segmented_control(
            "Trials run in", EXECUTORS, default="processes", required=True, format_func=TITLES.get, wrap=True,
            key="experiment_executor", persist_state="session",
            help="Processes: one a core, one thread each. Dask: workers on this and other machines.",
        )  # fmt: skip
        left, right = st.columns(2)
        with left:
            workers = st.number_input(
                "Workers", 0, MOST_WORKERS[executor], 0, key=f"experiment_workers_{executor}", persist_state="session",
                help="How many trials run at a time; 0: one a core, or as many as the scheduler has.",
            )  # fmt: skip
        with right:
            scheduler = st.text_input(
                "Scheduler", key="experiment_scheduler", persist_state="session", disabled=executor != "dask",
                placeholder="one is started on this machine", help="Dask's address, such as tcp://HOST:8786.",
            )  # fmt: skip
    return Place(url.strip() or None, executor, workers or None, scheduler.strip() or None)


def open_storage(place: Place) -> "Storage | None":
    """The place's storage; None, with what to do on the page, where it does not answer."""
    from core.experiments.storage import opened, own_storage

    url = place.url or own_storage()
    absent, said = st.session_state.get(ABSENT, ("", ""))
    if absent != url:
        try:
            with st.spinner("Opening the storage …"):
                return opened(url)
        except InklingError as error:
            st.session_state[ABSENT] = url, str(error)
            said = str(error)
    storage_is_away(said)
    return None


def storage_is_away(said: str) -> None:
    """Says so, with a way to try again."""
    st.error(plain(said), icon=":material/cloud_off:")
    st.caption(
        "What is in it is not lost. Try again when it is back, or give another address under “Where it runs”; a study "
        "that runs goes on by itself if its storage is back within five minutes."
    )
    if st.button("Try again", icon=":material/refresh:", key="experiment_try_again"):
        st.session_state.pop(ABSENT, None)
        st.rerun()

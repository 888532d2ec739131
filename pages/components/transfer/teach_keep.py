"""Keeping what was taught as a network of the store, and using it at once on all pages."""

from typing import TYPE_CHECKING

import streamlit as st

from core.networks import free_name, is_taken
from core.transfer import KEPT
from pages.components.keys import NETWORK_PICKER
from pages.components.train.attempt import attempt, show_problem
from pages.components.transfer.teach_report import report_button

if TYPE_CHECKING:
    from core.transfer.teach_job import Lesson, TeachJob

PANEL = "transfer_keep_panel"
USE_NEXT = "transfer_use_next"


def keep_panel(job: "TeachJob", lesson: "Lesson") -> None:
    """A name and a button; once it is kept, the ways on."""
    if lesson.method not in KEPT:
        st.caption(
            "The nearest neighbours are the letters themselves and no network, so they cannot be kept. Prototypes are "
            "what comes nearest to them."
        )
        report_button(job, lesson)
        return
    with st.container(border=True, key="transfer_keep_box"):
        kept = [name for name in lesson.kept if is_taken(name)]
        if kept:
            _ways_on(kept[-1])
        else:
            _name_and_keep(job, lesson)
        show_problem(PANEL)
    report_button(job, lesson)


def _name_and_keep(job: "TeachJob", lesson: "Lesson") -> None:
    proposed = free_name(f"{job.name.removeprefix('example: ')}-{lesson.method}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Keep it as", proposed, max_chars=64, key=f"transfer_name_{proposed}", width=320,
            help="The network's name in every page's picker: letters, digits, '.', '_' and '-'.",
        )  # fmt: skip
        if st.button("Keep as a network", icon=":material/save:", key="transfer_keep_it"):
            with st.spinner(f"Keeping “{name}” …"):
                done = attempt(PANEL, lambda: job.keep(lesson, name.strip()))
            if done:
                st.rerun()  # the picker above has it too
    if job.plan.test is None and lesson.attempt.validation is None:
        st.caption("It can be kept, but nobody knows how well it reads.")


def _ways_on(name: str) -> None:
    in_use = st.session_state.get(NETWORK_PICKER) == name
    st.markdown(f":green[:material/check_circle:] Kept as **{name}**{', which is in use on all pages' * in_use}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if not in_use and st.button(
            "Use it now", icon=":material/check:", type="primary", key="transfer_use",
            help="It becomes the network of all pages.",
        ):  # fmt: skip
            st.session_state[USE_NEXT] = name
            st.rerun()  # the whole page: its picker too
        st.page_link("pages/draw.py", label="Draw a letter", icon=":material/draw:")
        st.page_link("pages/live_camera.py", label="Show one to the camera", icon=":material/videocam:")


def use_what_was_taught() -> None:
    """Before the picker is shown: the network that shall be used from now on."""
    if name := st.session_state.pop(USE_NEXT, None):
        st.session_state[NETWORK_PICKER] = name

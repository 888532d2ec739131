"""What was taught live, kept: as a letters set, and as a network that reads it besides its own classes."""

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from core.networks import free_name
from core.reading import Recognizer
from core.reading.teaching import ENOUGH
from core.report.figures import percent
from pages.components import live_teaching as act
from pages.components.keys import NETWORK_PICKER
from pages.components.markup import plain

if TYPE_CHECKING:
    from core.transfer.live_keeping import LiveJob

JOB, KEPT, USED, SET_NAME, NETWORK_NAME = (
    f"live_keep_{name}" for name in ("job", "kept", "used", "set_name", "network_name")
)


def keep_panel(recognizer: Recognizer) -> None:
    if st.session_state.pop(USED, False):
        st.rerun()  # the whole page, with its picker
    with st.container(border=True, key="live_keep"):
        st.markdown("**Keep what was taught**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Letters set", "taught-live", key=SET_NAME, max_chars=60, width=200, persist_state="session")
            st.button("Save the set", key="live_keep_letters", icon=":material/save:", on_click=_save_letters)
        if name := st.session_state.get(KEPT):
            st.caption(f":material/check: The letters set “{plain(name)}” is kept; Greek Transfer has it too.")
        _network(recognizer)


def _network(recognizer: Recognizer) -> None:
    job: LiveJob | None = st.session_state.get(JOB)
    with st.container(key="live_keep_network"):
        if job is not None and job.running:
            left = job.seconds_left
            when = "" if left is None else f", about {max(1, round(left))} s left"
            st.progress(job.progress, f"{job.name}: {job.doing}{when}")
            st.button("Stop", key="live_keep_stop", icon=":material/stop_circle:", on_click=job.stop)
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.session_state.setdefault(NETWORK_NAME, free_name(f"{recognizer.network.name}-taught"))
            st.text_input("Network", key=NETWORK_NAME, max_chars=64, width=200, persist_state="session")
            st.button(
                "Teach a network", key="live_keep_teach", icon=":material/model_training:", on_click=_teach,
                args=(recognizer.network.name,),
                help="All layers learn the captures, changed as hands change them, beside samples of the classes that "
                "the network reads already. It runs in the background.",
            )  # fmt: skip
        if job is not None:
            _came_of(job)


def _came_of(job: "LiveJob") -> None:
    if job.state == "failed":
        st.error(job.problem, icon=":material/error:")
    elif job.state == "stopped":
        st.caption("The network was stopped; nothing of it was kept.")
    elif job.attempt is not None:
        validation, forgetting = job.attempt.validation, job.attempt.forgetting
        reads = "it cannot be said how well it reads them, for a symbol has one capture only"
        if validation is not None:
            low, high = validation.interval
            reads = (
                f"of captures that taught nothing it reads {percent(validation.accuracy)} "
                f"(95 % interval {percent(low)} to {percent(high)})"
            )
        lost = ""
        if forgetting is not None:
            lost = (
                f"; on {forgetting.test_name} it reads {percent(forgetting.after.accuracy)}, before it was "
                + percent(forgetting.before.accuracy)
            )
        st.success(f"{job.name} is kept: {reads}{lost}.", icon=":material/check_circle:")
        if st.session_state.get(NETWORK_PICKER) != job.name:
            st.button(
                "Use it now", key="live_keep_use", type="primary", icon=":material/check:", on_click=_use,
                args=(job.name,), help="It becomes the network of all pages; what was taught live rests meanwhile.",
            )  # fmt: skip


def _save_letters() -> None:
    from core.transfer.live_keeping import keep_as_letters

    try:
        kept = keep_as_letters(act.teaching().captures, st.session_state[SET_NAME])
        st.session_state[KEPT] = kept.name
    except InklingError as error:
        st.session_state.pop(KEPT, None)
        act.say_error(error)


def _teach(source: str) -> None:
    from core.transfer.job import start
    from core.transfer.live_keeping import LiveJob

    few = [label for label in act.teaching().labels if len(act.teaching().of(label)) < ENOUGH]
    try:
        if few:
            raise InklingError(f"“{few[0]}” has fewer than {ENOUGH} captures; capture it again first.")
        job = LiveJob(source, act.teaching().captures, (st.session_state[NETWORK_NAME] or "").strip())
        if start(job) is not job:
            raise InklingError("Something else is being taught at the moment; try again when it is done.")
        st.session_state[JOB] = job
        st.session_state.pop(act.SAID, None)
    except InklingError as error:
        act.say_error(error)


def _use(name: str) -> None:
    """Captures that the network knows now would be read twice."""
    st.session_state[act.GONE] = act.teaching().captures
    for label in act.teaching().labels:
        act.teaching().forget(label)
    st.session_state[NETWORK_PICKER] = name
    st.session_state[USED] = True

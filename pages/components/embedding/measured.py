"""Something that takes a while to measure: the button that begins it, how far it is, the button that stops it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from core.embedding.space import Tell
    from core.embedding.task import Task

EVERY_S = 0.7


def measured(
    key: str,
    label: str,
    doing: str,
    work: "Callable[[Tell], Any]",
    show: Callable[[Any], None],
    widget: str,
    at_once: bool = False,
) -> None:
    """Shows what `work` returned for this key; where there is nothing yet, the button `label` begins it.

    `doing` says what is being done, as a beginning of a sentence; `at_once`: it begins without the button.
    """
    from core.embedding import task

    found = task.latest(key)
    if at_once and found is None:
        found = task.start(key, work)
        found.join(0.5)  # what is quick needs no bar
    running = found is not None and found.running
    st.fragment(_measured, run_every=EVERY_S if running else None)(key, label, doing, work, show, widget, running)


def _measured(
    key: str,
    label: str,
    doing: str,
    work: "Callable[[Tell], Any]",
    show: Callable[[Any], None],
    widget: str,
    seen_running: bool,
) -> None:
    from core.embedding import task

    found = task.latest(key)
    running = found is not None and found.running
    if seen_running != running:
        st.rerun()  # with the timer, or without it and with the result
    if found is not None and found.state == "finished":
        show(found.made)
        return
    if found is not None and running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(found.progress, _progress(found, doing))
            st.button(
                "Stop", icon=":material/stop_circle:", key=f"{widget}_stop", on_click=found.stop,
                disabled=found.stopping,
            )  # fmt: skip
        return
    if found is not None and found.state == "failed":
        st.error(found.problem, icon=":material/error:")
    if found is not None and found.state == "stopped":
        st.caption("It was stopped; nothing was kept.")
    if st.button(label, icon=":material/play_arrow:", key=f"{widget}_start"):
        task.start(key, work)
        st.rerun()


def _progress(found: "Task", doing: str) -> str:
    if found.stopping:
        return "Stopping …"
    if found.state == "waiting":
        return f"{doing}: waiting for another measurement to end"
    left = found.seconds_left
    return doing + ("" if left is None else f", about {max(1, round(left))} s left")

"""What is being taught, live: how far it is, the loss as it falls, and the button that stops it."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.components.figure import show_figure

if TYPE_CHECKING:
    from core.transfer.job import Job
    from core.transfer.teach_job import Lesson, TeachJob

EVERY_S = 1.0
STATES = {
    "waits": ":grey[:material/hourglass_empty:]",
    "runs": ":blue[:material/directions_run:]",
    "done": ":green[:material/check_circle:]",
    "failed": ":red[:material/error:]",
}


def live_panel(kind: str) -> None:
    """The job that is going on, whoever began it; looks again and again while there is one."""
    from core.transfer.job import running

    busy = running() is not None
    st.fragment(_live, run_every=EVERY_S if busy else None)(kind, busy)


def _live(kind: str, seen_running: bool) -> None:
    from core.transfer.job import running
    from pages.components.markup import plain

    job = running()
    if seen_running != (job is not None):
        st.rerun()  # with the timer, or without it and with the result
    if job is None:
        return
    with st.container(border=True, key="transfer_live"):
        if job.kind != kind:
            st.caption(
                f"On this server {ABOUT.get(job.kind, 'something')} “{plain(job.name)}” is going on; one at a time."
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, job.progress), _progress_text(job))
            st.button(
                "Stop", icon=":material/stop:", key=f"transfer_stop_{kind}", on_click=job.stop, disabled=job.stopping
            )
        if job.kind == "teach" == kind:
            _lessons(job)


ABOUT = {"teach": "the teaching of", "sure": "the measuring of"}


def _progress_text(job: "Job") -> str:
    if job.stopping:
        return "Stopping before the next batch …"
    left = job.seconds_left
    from pages.components.transfer.teach import seconds_text

    return _doing(job) + ("" if left is None else f", about {seconds_text(left)} left")


def _doing(job: "Job") -> str:
    if job.kind != "teach":
        return "Measuring"
    lesson = job.current
    if lesson is None:
        return "Preparing the pictures"
    if lesson.measured is not None:
        return f"{title_of(job, lesson)}: measuring, {lesson.measured.done} of {lesson.measured.total}"
    if lesson.quick:
        return f"{title_of(job, lesson)}: what the network makes of the pictures"
    return f"{title_of(job, lesson)}: epoch {len(lesson.epochs) + 1} of {lesson.config.epochs}"


def _lessons(job: "TeachJob") -> None:
    titles = [title_of(job, lesson) for lesson in job.lessons]
    st.markdown("   ".join(f"{STATES[one.state]} {title}" for one, title in zip(job.lessons, titles, strict=True)))
    loss_panel(job, "transfer_live_loss")


def title_of(job: "TeachJob", lesson: "Lesson") -> str:
    from core.report.transfer_tables import method_title

    return method_title(lesson.method, lesson.preparation, len(job.plan.preparations) > 1)


def loss_panel(job: "TeachJob", key: str) -> None:
    """One curve a way of teaching; those without epochs have none."""
    from core.report.curves import Curve, compare_curves

    curves = [
        Curve(
            title_of(job, lesson),
            np.array([epoch.epoch for epoch in lesson.epochs]),
            np.array([epoch.train_loss for epoch in lesson.epochs]),
        )
        for lesson in job.lessons
        if lesson.epochs
    ]
    if not curves:
        return
    show_figure(
        compare_curves(curves, "epoch", "loss (nats per example)", "Loss on the letters, epoch by epoch"),
        key,
        "The mean loss of each epoch while learning. Where a curve lies flat, more epochs "
        "bring nothing; how low it gets says nothing about letters that nobody showed it.",
    )

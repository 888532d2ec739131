"""Photos: a frozen network for colour photographs, and a new head on its features."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InklingError
from core.report.figures import percent
from core.transfer.photo_head import MAX_EPOCHS, MAX_UNITS, HeadConfig
from core.transfer.photo_job import job_of, start
from pages.components.inspect.photo_networks import photo_subject
from pages.components.transfer.desk import Desk
from pages.components.transfer.photos_input import choose_photos
from pages.components.transfer.photos_result import show_photos_result

if TYPE_CHECKING:
    from core.inspection.subject import Subject
    from core.transfer.photo_job import PhotoJob
    from core.transfer.photo_set import PhotoSet

STYLE = Path(__file__).with_name("photos.css")
EVERY_S = 1.0


def photos_panel(desk: Desk) -> None:
    """Pictures, a backbone, a head; taught in the background and measured on pictures that taught nothing."""
    st.html(STYLE)
    st.markdown(
        "Teach classes of **colour photographs**: a network that knows photographs stays as it is, and only a small "
        "head on top of it learns. The network in use above is not needed here."
    )
    pictures, backbone = st.columns(2)
    with pictures:
        st.subheader("Pictures")
        chosen = choose_photos(desk)
    with backbone:
        st.subheader(
            "Backbone", help="A network whose weights stay as they are. What it makes of a picture, its features, is "
            "what the head learns from.",
        )  # fmt: skip
        subject = _backbone()
    config = _head()
    if chosen is None or subject is None or config is None:
        st.info("Choose pictures and a backbone whose weights are at hand; then the head can be taught.")
        return
    key = sha256(repr((chosen.key, subject[1], config)).encode()).hexdigest()
    job = job_of(key)
    running = job is not None and job.running
    st.fragment(_teaching, run_every=EVERY_S if running else None)(key, subject[0], chosen.photo_set, config, running)


def _backbone() -> "tuple[Subject, str] | None":
    try:
        return photo_subject()
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _head() -> HeadConfig | None:
    with st.expander("The head: 256 units, dropout, epochs", icon=":material/tune:"):
        units, dropout, epochs, seed = st.columns(4)
        try:
            return HeadConfig(
                units.number_input("Units", 1, MAX_UNITS, 256, key="photos_units", persist_state="session"),
                dropout.slider(
                    "Dropout", 0.0, 0.9, 0.4, 0.1, key="photos_dropout", persist_state="session",
                    help="The share of units that is left out at random while learning, against learning by heart.",
                ),
                epochs.number_input("Epochs", 1, MAX_EPOCHS, 30, key="photos_epochs", persist_state="session"),
                seed.number_input("Seed", 0, 2**31, 0, key="photos_seed", persist_state="session"),
            )  # fmt: skip
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            return None


def _teaching(key: str, subject: "Subject", photo_set: "PhotoSet", config: HeadConfig, seen_running: bool) -> None:
    job = job_of(key)
    if seen_running != (job is not None and job.running):
        st.rerun()  # with the timer, or without it
    if job is not None and job.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.done / max(1, job.total), _progress(job))
            st.button("Stop", icon=":material/stop_circle:", key="photos_stop", on_click=job.stop)
        st.caption("It goes on in the background: you may leave the page.")
        return
    label = "Teach the head" if job is None or job.result is None else "Teach it again"
    st.button(
        label, icon=":material/school:", key="photos_start", type="primary",
        on_click=start, args=(key, subject, photo_set, config),
    )  # fmt: skip
    if job is None:
        count = len(photo_set.photos) + len(photo_set.tested)
        st.caption(
            f"Each of the {count:,} pictures passes through the backbone once; what comes out is kept on disk, and "
            "every epoch reads it from there."
        )
    elif job.state == "stopped":
        st.info("Stopped. The features that were computed are kept; it goes on from there.", icon=":material/info:")
    elif job.state == "failed":
        st.error(job.problem, icon=":material/error:")
    elif job.result is not None:
        show_photos_result(job.result)


def _progress(job: "PhotoJob") -> str:
    left = job.seconds_left
    when = "" if left is None else f", about {max(1, round(left)):,} s left" if left < 90 else (
        f", about {round(left / 60):,} minutes left"
    )  # fmt: skip
    if job.phase == "features":
        return f"Features: {job.done:,} of {job.total:,} pictures{when}"
    return f"The heads learn, {percent(job.done / max(1, job.total))} done{when}"

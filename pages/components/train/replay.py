"""The time machine: what a run's network saw and answered at each of its snapshots."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import InklingError
from core.networks import TrainedNetwork, open_network
from core.training import Run, list_runs
from pages.components.caches import fingerprint
from pages.components.canvas import DRAWN
from pages.components.figure import show_figure
from pages.components.kept import kept
from pages.components.screen import is_narrow
from pages.components.train.tested import STYLE, samples_of, with_progress
from pages.components.train.watch import USE_NEXT

if TYPE_CHECKING:
    from core.data import Samples
    from core.training.replay import Replay

DRAW_PAGE = "pages/draw.py"


@dataclass(frozen=True, eq=False)
class Own:
    """What is read at every snapshot, and how it is called."""

    glyph: np.ndarray | None  # (28, 28) float32 in [0, 1]
    name: str
    about: str  # a sentence
    invitation: str = "Draw one"


def replay_panel(network: str) -> None:
    """The replay of the run that made the network; of one without snapshots, what there is to do."""
    st.html(STYLE)
    try:
        trained = open_network(network)
        run = _run_with_snapshots(trained)
        if run is None:
            _offer_runs(network)
        else:
            _show(trained, run)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")


def _run_with_snapshots(trained: TrainedNetwork) -> Run | None:
    from core.training.tested import run_of

    run = run_of(trained)
    return run if run and run.snapshots() else None


def _offer_runs(network: str) -> None:
    st.markdown(
        f"**{network}** came without snapshots of its training, so there is nothing to replay. They are kept of every "
        "network that is trained here."
    )
    names = [run.name for run in list_runs() if run.history.kept and run.snapshots()]
    if not names:
        st.markdown("Train one above: a small one on *Digits 8×8* takes seconds.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("A training with snapshots", names, key="train_replay_other", width=320)
        st.button(
            "Replay it", icon=":material/history:", key="train_replay_use", on_click=_use, args=(name,),
            help="It becomes the network in use.",
        )  # fmt: skip


def _use(name: str) -> None:
    st.session_state[USE_NEXT] = name


def _show(trained: TrainedNetwork, run: Run) -> None:
    samples = samples_of(trained)
    own = _own(samples)

    def replay_all() -> "Replay":
        from core.training.replay import replay

        text = f"{len(run.snapshots())} snapshots of “{run.name}” answer the test samples …"
        return with_progress(text, lambda tell: replay(run, samples, own.glyph, tell))

    replayed = kept(("replay", *_key(trained, run, samples, own)), replay_all)
    st.markdown(
        f"**{len(replayed.frames)} moments** from before the first step to the end: play them, or move the slider."
    )
    _show_figure(replayed, own)


def _key(trained: TrainedNetwork, run: Run, samples: "Samples", own: Own) -> tuple[str, ...]:
    glyph = b"" if own.glyph is None else own.glyph.tobytes()
    files = [snapshot.file.name for snapshot in run.snapshots()]
    return fingerprint(trained.passport), *files, samples.sha256, hashlib.sha256(glyph).hexdigest()


@st.fragment
def _show_figure(replayed: "Replay", own: Own) -> None:
    """As a fragment: a screen that turns out to be narrow changes the figure only."""
    from core.report.replay_figure import has_filters, has_reading, replay_figure

    show_figure(
        replay_figure(replayed, is_narrow(), own.name),
        f"train_replay_{replayed.name}",
        ("From noise to strokes: the first layer's filters. " if has_filters(replayed) else "")
        + "The confusions gather on the diagonal, and the samples of a class find each other"
        + ("; the reading of one drawing settles." if has_reading(replayed) else "."),
    )
    if own.glyph is not None:
        _what_is_read(own)


def _what_is_read(own: Own) -> None:
    from core.report.sample_figures import picture_address

    assert own.glyph is not None
    st.html(
        f'<div class="replay-own"><img alt="{own.name}" src="{picture_address(own.glyph * 255)}"><span>{own.about}'
        "</span></div>"
    )
    st.page_link(DRAW_PAGE, label=own.invitation, icon=":material/draw:")


def _own(samples: "Samples") -> Own:
    """The user's drawing; where there is none, or nothing in it, the first test sample."""
    if samples.is_table:
        return Own(None, "", "")
    png = (st.session_state.get(DRAWN) or {}).get("png")
    why = "there is no drawing on the Draw page yet"
    if png and st.session_state[DRAWN]["strokes"]:
        try:
            about = "Read at every snapshot: the largest symbol of your drawing."
            return Own(_glyph(png), "your drawing", about, "Draw another one")
        except InklingError:
            why = "nothing can be read on the Draw page's sheet"
    glyph = samples.images[0].numpy().astype(np.float32) / 255
    return Own(glyph, "the first test sample", f"Read at every snapshot: the first test sample, since {why}.")


@st.cache_data(max_entries=8, show_spinner=False)
def _glyph(png: bytes) -> np.ndarray:
    """Raises `PictureError` where nothing is written."""
    from core.reading.own_hand import read_single
    from core.reading.picture import decode_picture

    return read_single(decode_picture(png, "the drawing"))

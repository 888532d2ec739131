"""The panel “Teach a symbol” beside the video: choose it, name it, capture it, look at the captures, keep them."""

import base64
from functools import lru_cache
from html import escape

import cv2
import numpy as np
import streamlit as st

from core.reading import Recognizer
from core.reading.live import LiveReader
from core.reading.teaching import ENOUGH, Capture, prepare
from core.reading.tracks import TrackedSymbol
from core.reading.types import written
from pages.components import live_teaching as act
from pages.components.live_keep import keep_panel
from pages.components.markup import plain

EXPANDER = "live_teach"
HELP = (
    "Write or hold up a symbol that nobody has taught the network: a letter, a mark, an invention. Choose it among the "
    "symbols in sight, name it, and capture it three times or more, each time a little otherwise."
)


def teach_panel(reader: LiveReader, recognizer: Recognizer, is_camera: bool) -> None:
    """Closed, it costs nothing; what was taught is read all the same."""
    with st.expander("Teach a symbol", icon=":material/school:", key=EXPANDER, on_change="rerun") as panel:
        if not panel.open:
            return
        with st.container():
            ready = prepare(recognizer)
            if ready.done() and ready.exception() is not None:
                st.error(str(ready.exception()), icon=":material/error:")
                return
            name = recognizer.network.name
            st.caption(
                f":material/check: {name} is ready to learn."
                if ready.done()
                else f":material/hourglass_empty: Getting {name} ready to learn, a few seconds."
            )
        _choice(reader)
        _buttons(reader, is_camera)
        with st.container():
            _said()
        _taught()
        if act.teaching().captures:
            keep_panel(recognizer)


def _choice(reader: LiveReader) -> None:
    """The symbols in sight as glyphs, one of them chosen."""
    symbols = act.candidates(reader)
    meant = act.chosen(symbols)
    with st.container(key="live_teach_choice"):
        st.caption("Which symbol? The framed one is meant.", help=HELP)
        with st.container(horizontal=True, gap="small", key="live_teach_strip"):
            for symbol in symbols:
                _candidate(symbol, meant is not None and symbol.track == meant.track)
            if not symbols:
                st.caption("No symbol is in sight. Write one large on plain paper.")


def _candidate(symbol: TrackedSymbol, is_meant: bool) -> None:
    with st.container(width=76, gap=None, key=f"live_teach_candidate_{symbol.track}"):
        st.html(f'<div class="live-glyph{" meant" * is_meant}">{_image(symbol.glyph, "symbol in sight")}</div>')
        label = "new?" if symbol.label is None else written(symbol.label)
        st.button(
            plain(label), key=f"live_teach_pick_{symbol.track}", type="primary" if is_meant else "secondary",
            width="stretch", on_click=act.choose, args=(symbol.track,),
        )  # fmt: skip


def _buttons(reader: LiveReader, is_camera: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "This is a …", key=act.NAME, max_chars=40, placeholder="alpha, α, star, ❤", persist_state="session",
            width=200, help="A small Greek letter is the same as its English name: α is alpha.",
        )  # fmt: skip
        st.button(
            "Capture", key="live_teach_capture", type="primary", icon=":material/add_a_photo:",
            on_click=act.capture, args=(reader, is_camera),
        )  # fmt: skip
        if act.SERIES in st.session_state:
            st.button("Stop", key="live_teach_series", icon=":material/stop_circle:", on_click=act.stop_series)
        else:
            st.button(
                f"Capture {act.SERIES_LENGTH}", key="live_teach_series", icon=":material/burst_mode:",
                on_click=act.start_series, args=(reader, is_camera),
                help="One every half second, while you move or turn the paper.",
            )  # fmt: skip


def _said() -> None:
    said = act.said()
    if said is None:
        st.caption(f"{ENOUGH} captures or more teach a symbol; from then on the camera reads it, here and at once.")
        return
    icon = {"info": "info", "success": "check_circle", "warning": "warning", "error": "error"}[said.kind]
    getattr(st, said.kind)(plain(said.text), icon=f":material/{icon}:")


def _taught() -> None:
    """Every taught symbol with its captures, each of which can be removed."""
    taught = act.teaching()
    with st.container(key="live_teach_taught"):
        for label in taught.labels:
            _symbol(label, taught.of(label))
        with st.container(horizontal=True):
            if taught.captures:
                st.button("Undo the last capture", key="live_teach_undo", icon=":material/undo:", on_click=act.undo)
            if st.session_state.get(act.GONE):
                st.button("Bring back", key="live_teach_back", icon=":material/redo:", on_click=act.bring_back)


def _symbol(label: str, captures: tuple[Capture, ...]) -> None:
    count = len(captures)
    number = captures[0].number
    with st.container(border=True, gap="small", key=f"live_teach_symbol_{number}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            few = "" if count >= ENOUGH else f", {ENOUGH - count} more would make it sure"
            st.markdown(f"**{plain(written(label))}** · {count} capture{'s' * (count > 1)}{few}", width="stretch")
            st.button("Forget", key=f"live_teach_forget_{number}", type="tertiary", on_click=act.forget, args=(label,))
        with st.container(horizontal=True, gap="small"):
            for place, captured in enumerate(captures, 1):
                with st.container(width=44, gap=None, key=f"live_teach_capture_{captured.number}"):
                    st.html(f'<div class="live-glyph">{_image(captured.glyph, f"capture {place}")}</div>')
                    st.button(
                        "✕", key=f"live_teach_remove_{captured.number}", type="tertiary", width="stretch",
                        help=f"Remove capture {place}", on_click=act.remove, args=(captured,),
                    )  # fmt: skip


def _image(glyph: np.ndarray, alt: str) -> str:
    return _encoded(np.rint(glyph * 255).astype(np.uint8).tobytes(), alt)


@lru_cache(maxsize=512)
def _encoded(pixels: bytes, alt: str) -> str:
    png = cv2.imencode(".png", np.frombuffer(pixels, np.uint8).reshape(28, 28))[1].tobytes()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'

"""Beside the video: the text large, the glyphs with their probabilities, how the video is doing."""

import base64
from html import escape

import cv2
import numpy as np
import streamlit as st

from core.reading.live import NOTHING, STALLED_S, LiveReader, LiveStatus, Shot
from core.reading.tracks import TrackedSymbol
from core.reading.types import written
from pages.components.keys import LIVE_READING, LIVE_STATUS


def panel(reader: LiveReader, is_camera: bool) -> None:
    """The newest reading; polls what the video's thread left, and never waits for it."""
    shot, status = reader.newest, reader.status()
    _text(shot.reading.spaced if shot else NOTHING)
    _glyph_strip(shot)
    _status_line(status)
    _notices(shot, status, is_camera and not reader.settings.frozen)


def _text(text: str) -> None:
    size_rem = max(1.75, min(5.0, 30 / len(text)))
    kind = "reading nothing" if text == NOTHING else "reading"
    with st.container(key=LIVE_READING):
        st.html(f'<div class="{kind}" style="font-size: {size_rem:.2f}rem">{escape(text)}</div>')


def _glyph_strip(shot: Shot | None) -> None:
    symbols = shot.reading.symbols if shot else ()
    refused = len(shot.reading.refused) if shot else 0
    cards = "".join(_card(symbol, shot.classes) for symbol in symbols)
    boxes = "a thin grey box" if refused == 1 else "thin grey boxes"
    note = f'<p class="live-note">{refused} more seen, but refused ({boxes})</p>' if refused else ""
    st.html(f'<div class="live-strip">{cards}</div>{note}')


def _card(symbol: TrackedSymbol, classes: tuple[str, ...]) -> str:
    """Glyph, label, and the two likeliest classes with their probabilities as bars."""
    png = cv2.imencode(".png", np.rint(symbol.glyph * 255).astype(np.uint8))[1].tobytes()
    best = np.argsort(symbol.probabilities)[::-1][:2]
    bars = "".join(_bar(written(classes[i]), float(symbol.probabilities[i])) for i in best)
    picture = f'<img alt="glyph of track {symbol.track}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    kind = "live-card" if symbol.visible else "live-card held"
    return f'<figure class="{kind}">{picture}<figcaption>{bars}</figcaption></figure>'


def _bar(sign: str, share: float) -> str:
    percent = min(99, round(100 * share))  # never 100 %, which nobody can know
    return f'<div><i>{escape(sign)}</i><span style="--share: {share:.3f}"></span><em>{percent}%</em></div>'


def _status_line(status: LiveStatus) -> None:
    age = "–" if status.age_s is None else f"{status.age_s:.1f} s"
    parts = {
        "frames a second": f"{status.frames_per_second:.1f}",
        "ms a frame (p50)": f"{status.p50_ms:.1f}",
        "ms (p95)": f"{status.p95_ms:.1f}",
        "dropped frames": f"{status.dropped}",
        "errors": f"{status.errors}",
        "age of the reading": age,
    }
    cells = "".join(f"<div><b>{value}</b> <span>{name}</span></div>" for name, value in parts.items())
    with st.container(key=LIVE_STATUS):
        st.html(f'<div class="live-status">{cells}</div>')


def _notices(shot: Shot | None, status: LiveStatus, is_camera: bool) -> None:
    """What is wrong, said plainly; the video goes on meanwhile."""
    if status.first_error:
        st.warning(
            f"{status.errors} frames could not be read and were passed on as they came. "
            f"The first error: {status.first_error}",
            icon=":material/error:",
        )
    if not is_camera:
        return
    if shot is None:
        st.info("Connecting to the camera. If the browser asks, allow it.", icon=":material/hourglass_empty:")
    elif status.age_s is not None and status.age_s > STALLED_S:
        st.warning(
            f"The camera has sent no picture for {status.age_s:.0f} s. It may be unplugged, in use by another program, "
            "or this tab was asleep: stop and start it again, or choose another source.",
            icon=":material/videocam_off:",
        )
    elif shot.reading.is_dark:
        st.info("The camera sees only darkness: is its lens covered, or the light off?", icon=":material/dark_mode:")

"""The controls of a live video: widgets → frozen settings, acting while it runs."""

import io
import json
from dataclasses import asdict, replace

import streamlit as st
from PIL import Image

from core.reading.live import METHODS, STAGES, LiveReader, LiveSettings, Shot
from core.reading.tracks import TrackedSymbol

DEFAULT = LiveSettings()
METHOD_NAMES = {"adaptive": "Adaptive", "otsu": "Otsu", "fixed": "Fixed"}
FREEZE = "live_freeze"
LAST_SNAPSHOT = "live_last_snapshot"  # session state: the same as (H, W, 3) uint8 RGB, with nothing drawn on it
TAKEN = "live_taken"  # session state: the last snapshot as text, PNG and JSON
STAGE_NAMES = {"camera": "Camera", "threshold": "Threshold", "boxes": "Boxes", "glyphs": "Glyphs"}


def controls(reader: LiveReader) -> None:
    """All controls; the reader takes over what they say with its next frame."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stage = st.segmented_control(
            "Show",
            STAGES,
            default=DEFAULT.stage,
            required=True,
            format_func=STAGE_NAMES.get,
            key="live_stage",
            persist_state="session",
            help="The camera's picture with what was read; ink told from paper; the boxes of each single frame; "
            "the glyphs as the network sees them.",
        )
        frozen = st.toggle("Freeze", key=FREEZE, help="Keeps the last picture and its reading.")
        mirror = st.toggle(
            "Mirror",
            key="live_mirror",
            persist_state="session",
            help="Turns the picture you see, as in a looking-glass; reading is not affected.",
        )
    with st.expander("How it reads", icon=":material/tune:"):
        settings = replace(_how_it_reads(), network=reader.settings.network, stage=stage, frozen=frozen, mirror=mirror)
    reader.change(settings)
    _save(reader)


def unfreeze() -> None:
    """For a new source: nothing of it has been seen that could be kept."""
    st.session_state[FREEZE] = False


def _how_it_reads() -> LiveSettings:
    method = st.segmented_control(
        "Threshold",
        METHODS,
        default=DEFAULT.method,
        required=True,
        format_func=METHOD_NAMES.get,
        key="live_method",
        persist_state="session",
        help="How ink is told from paper. Adaptive: against the paper around it, whatever the light. Otsu: one level "
        "for the whole picture, found in its histogram. Fixed: the middle grey.",
    )
    smallest = st.slider(
        "Smallest symbol",
        1,
        30,
        round(100 * DEFAULT.smallest),
        format="%d %%",
        key="live_smallest",
        persist_state="session",
        help="Share of the picture's shorter side; whatever is smaller is taken for dirt.",
    )
    confidence = st.slider(
        "Confidence needed",
        0,
        100,
        round(100 * DEFAULT.confidence),
        format="%d %%",
        key="live_confidence",
        persist_state="session",
        help="Symbols that are less sure get a thin grey box and stay out of the text.",
    )
    smoothing_s = st.slider(
        "Smoothing",
        0.0,
        1.0,
        DEFAULT.smoothing_s,
        0.05,
        format="%.2f s",
        key="live_smoothing",
        persist_state="session",
        help="The time after which a frame weighs half: more is steadier, less is quicker; 0 reads each frame alone.",
    )
    return LiveSettings(method=method, smallest=smallest / 100, confidence=confidence / 100, smoothing_s=smoothing_s)


def _save(reader: LiveReader) -> None:
    """Takes a snapshot: the newest picture and its reading stay here to be downloaded, whatever the video does."""
    with st.container(horizontal=True, vertical_alignment="center"):
        taken = st.button("Take a snapshot", icon=":material/photo_camera:", key="live_take_snapshot")
        shot = reader.newest
        if taken and shot is not None:
            st.session_state[TAKEN] = (shot.reading.spaced, snapshot_png(shot), snapshot_json(shot))
            st.session_state[LAST_SNAPSHOT] = shot.frame_rgb
        if TAKEN not in st.session_state:
            return
        text, png, record = st.session_state[TAKEN]
        st.download_button("Picture (PNG)", png, "inkling-snapshot.png", "image/png", on_click="ignore")
        st.download_button("Readings (JSON)", record, "inkling-snapshot.json", "application/json", on_click="ignore")
        st.markdown(f"The snapshot reads **{text}**.")


def snapshot_png(shot: Shot) -> bytes:
    """The picture as it is shown, with its overlay."""
    content = io.BytesIO()
    Image.fromarray(shot.picture_rgb).save(content, "PNG")
    return content.getvalue()


def snapshot_json(shot: Shot) -> str:
    """What is read on it, what is refused and why, and the settings that made it."""
    record = shot.reading.to_json() | {
        "symbols": [
            _record(s) | {"label": s.label, "confidence": round(s.confidence, 4)} for s in shot.reading.symbols
        ],
        "refused": [_record(s) | {"reason": s.reason} for s in shot.reading.refused],
        "size": list(shot.reading.size_wh),
        "settings": asdict(shot.settings),
    }
    return json.dumps(record, indent=2)


def _record(symbol: TrackedSymbol) -> dict:
    return {"track": symbol.track, "box": list(symbol.box)}

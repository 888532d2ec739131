"""Ways to hand in the ten digits: ten small sheets to draw on, or one picture of 0 to 9 in order."""

from typing import Any

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core.errors import InklingError, PictureError
from core.reading.own_hand import LABELS, SHEET, add_own_hand, read_sheet, read_single
from core.reading.picture import decode_picture
from core.report.sample_figures import picture_address
from pages.components.canvas import INK, PAPER

SIDE_PX, BRUSH_PX = 144, 12
HIDDEN_PX = 32  # of the canvas above the sheet (hand.css): there its unseen toolbar lies, and would take the pen
DRAWN = "hand_drawn"  # digit → its strokes, their PNG, and how often its sheet was replaced by an empty one
START = "hand_start"  # sheet's key → the drawing that it began with
PICTURES = "hand_pictures"  # how many pictures were kept: each time the uploader starts anew
WAYS = {
    "sheets": ":material/draw: Draw ten digits",
    "picture": ":material/image: One picture of 0 to 9",
    "snapshot": ":material/photo_camera: Take a snapshot",
}


@st.fragment
def write_panel() -> None:
    """All that changes with a stroke; as a fragment, so that the rest of the page stays as it is."""
    way = st.segmented_control(
        "How to hand in your digits", list(WAYS), default="sheets", required=True, format_func=WAYS.get, wrap=True,
        key="hand_way", label_visibility="collapsed",
    )  # fmt: skip
    if way == "sheets":
        _sheets()
    else:
        _picture(way)


def _sheets() -> None:
    drawn = st.session_state.setdefault(DRAWN, {})
    with st.grid(5, min_column_width=SIDE_PX, key="hand_sheets"):
        for label in LABELS:
            _sheet(label, drawn.setdefault(label, {"strokes": [], "png": None, "number": 0}))
    written = {label: sheet["png"] for label, sheet in drawn.items() if sheet["strokes"]}
    with st.container(horizontal=True):
        if st.button(
            f"Keep {_counted(len(written))}", icon=":material/check:", type="primary", key="hand_keep",
            disabled=not written, help="The sheets are then empty again: write as often as you like.",
        ):  # fmt: skip
            _keep_drawn(written)
            st.rerun()
        st.button("Clear sheets", key="hand_empty", disabled=not written, on_click=_empty, args=LABELS)
    for label, problem in st.session_state.pop("hand_unreadable", {}).items():
        st.error(f"The {label} was not kept: {problem}", icon=":material/error:")


def _sheet(label: str, drawn: dict[str, Any]) -> None:
    key = f"hand_canvas_{label}_{drawn['number']}"
    if key not in st.session_state:  # first visit, an empty sheet, or back from elsewhere
        st.session_state.setdefault(START, {})[label] = {"objects": drawn["strokes"]}
    with st.container(key=f"hand_sheet_{label}", gap="xxsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{label}**")
            st.button(
                "Clear", type="tertiary", key=f"hand_empty_{label}", on_click=_empty, args=(label,)
            )  # fmt: skip
        result = st_canvas(
            stroke_width=BRUSH_PX,
            stroke_color=INK,
            background_color=PAPER,
            initial_drawing=st.session_state[START][label],
            width=SIDE_PX,
            height=HIDDEN_PX + SIDE_PX,
            return_image_data=True,
            key=key,
        )
    if result.image_bytes is not None:  # None until the browser has sent a drawing
        drawn |= {"strokes": result.json_data["objects"], "png": result.image_bytes}


def _empty(*labels: str) -> None:
    """New sheets in place of those that were written on."""
    for label in labels:
        sheet = st.session_state[DRAWN][label]
        if sheet["strokes"]:
            sheet |= {"strokes": [], "png": None, "number": sheet["number"] + 1}


def _keep_drawn(written: dict[str, bytes]) -> None:
    """Keeps every drawing that holds a symbol; the others stay on their sheets, with the reason."""
    glyphs, problems = {}, {}
    for label, png in written.items():
        try:
            glyphs[label] = read_single(decode_picture(png, f"The {label}"))
        except PictureError as error:
            problems[label] = str(error)
    try:
        add_own_hand(list(glyphs), list(glyphs.values()))
    except InklingError as error:
        st.session_state["hand_problem"] = str(error)
        return
    st.session_state["hand_unreadable"] = problems
    _empty(*glyphs)


def _counted(count: int) -> str:
    return "the digit" if count == 1 else f"{count} digits" if count else "the digits"


def _picture(way: str) -> None:
    """One picture with all ten; what was cut out of it is shown before it is kept."""
    st.markdown(f"Write **{' '.join(LABELS)}** in this order, large and well apart, in one row or several, once each.")
    key = f"hand_{way}_{st.session_state.setdefault(PICTURES, 0)}"
    if way == "snapshot":
        file = st.camera_input("Hold the sheet before the camera", key=key)
    else:
        file = st.file_uploader("A photo or scan of your ten digits", key=key)
    if file is None:
        return
    try:
        glyphs = _read(file.getvalue(), file.name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    cards = "".join(
        f'<figure class="hand-card"><img alt="taken for a {label}" src="{picture_address(255 * glyph, scale=3)}">'
        f"<figcaption><b>{label}</b></figcaption></figure>"
        for label, glyph in zip(SHEET, glyphs, strict=True)
    )
    st.html(f'<div class="hand-preview">{cards}</div>')
    st.caption("Found in this order. Keep them only if each picture shows the digit under it.")
    if st.button("Keep these ten digits", icon=":material/check:", type="primary", key="hand_keep_picture"):
        try:
            add_own_hand(LABELS, glyphs)
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.session_state[PICTURES] += 1
        st.rerun()


@st.cache_data(max_entries=4, show_spinner="Looking for the digits …")
def _read(content: bytes, name: str) -> list[np.ndarray]:
    return read_sheet(decode_picture(content, name))

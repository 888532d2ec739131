"""The canvas: mouse and touch, brush width, undo, clear; what was drawn comes back as a PNG."""

from collections.abc import Callable

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from pages.components.keys import DRAW_CANVAS

SIZE_WH = (600, 340)  # the sheet's pixels; style.css shrinks them on the screen until they fit a phone
HIDDEN_PX = 32  # of the canvas above its sheet (style.css): there the unseen toolbar lies, and would take the pen
PAPER, INK = "#ffffff", "#16181d"  # in the dark theme too: people write on paper
START = "draw_canvas_start"  # the drawing that the canvas loads; it loads it anew whenever this changes
DRAWN = "draw_canvas_drawn"  # the newest strokes and their PNG; they outlive a visit to another page


def canvas(on_change: Callable[[], None]) -> bytes | None:
    """Shows the canvas with its tools; the drawing as a PNG, None while it is empty."""

    def keep_strokes(end: int) -> None:
        strokes = st.session_state[DRAWN]["strokes"][:end]  # the canvas loads what is left of its own strokes
        st.session_state[START] = {"objects": strokes, "revision": st.session_state[START]["revision"] + 1}
        on_change()

    drawn = st.session_state.setdefault(DRAWN, {"strokes": [], "png": None})
    if DRAW_CANVAS not in st.session_state:  # first visit, or back from another page
        st.session_state[START] = {"objects": drawn["strokes"], "revision": 0}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        brush_px = st.slider("Brush width", 6, 40, 18, format="%d px", key="draw_brush", persist_state="session")
        st.button(
            "Undo",
            icon=":material/undo:",
            key="draw_undo",
            on_click=keep_strokes,
            args=(-1,),
        )
        st.button(
            "Clear",
            icon=":material/delete:",
            key="draw_clear",
            on_click=keep_strokes,
            args=(0,),
        )
    result = st_canvas(
        stroke_width=brush_px,
        stroke_color=INK,
        background_color=PAPER,
        initial_drawing=st.session_state[START],
        width=SIZE_WH[0],
        height=HIDDEN_PX + SIZE_WH[1],
        return_image_data=True,
        key=DRAW_CANVAS,
        on_change=on_change,
    )
    if result.image_bytes is not None:  # None until the browser has sent a drawing
        drawn = {"strokes": result.json_data["objects"], "png": result.image_bytes}
        st.session_state[DRAWN] = drawn
    return drawn["png"] if drawn["strokes"] else None

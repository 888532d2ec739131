"""Letters from the pen: drawn one after another, or several on a sheet."""

import streamlit as st

from pages.components.canvas import START, canvas
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import telling
from pages.components.transfer.letters_sheets import is_added, label_field, offer

KEY = "letters_drawn"


def draw_letters(desk: Desk) -> None:
    """The sheet of the Draw page; what is added is taken off it, so that the next can be drawn."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        png = canvas(on_change=lambda: None)
    with right, telling():
        label = label_field(desk, "letters_draw_label")
        if png is None:
            st.caption(
                "Draw the letter and add it; the sheet is cleared for the next one. Nine of each are a good start. "
                "Several on one sheet are found one by one."
            )
        elif is_added(png, KEY):
            st.caption("Added. The sheet is cleared for the next one.")
        else:
            offer(desk, png, "drawing", label, KEY, after=clear_sheet)


def clear_sheet() -> None:
    """The canvas loads an empty drawing."""
    st.session_state[START] = {"objects": [], "revision": st.session_state[START]["revision"] + 1}

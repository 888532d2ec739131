"""Letters: look at the set, bring letters in, clean it, take it away."""

import streamlit as st

from pages.components.transfer.desk import Desk


def letters_panel(desk: Desk) -> None:
    st.caption(f"{len(desk.letters.letters)} letters")

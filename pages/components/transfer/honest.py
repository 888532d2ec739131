"""How sure: what so few samples allow to say."""

import streamlit as st

from pages.components.transfer.desk import Desk


def honest_panel(desk: Desk) -> None:
    st.caption(f"{len(desk.letters.letters)} letters")

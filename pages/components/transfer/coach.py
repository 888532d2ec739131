"""Coach: the samples that would help most."""

import streamlit as st

from pages.components.transfer.desk import Desk


def coach_panel(desk: Desk) -> None:
    st.caption(f"{len(desk.letters.letters)} letters")

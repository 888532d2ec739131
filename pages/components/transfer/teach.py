"""Teach: methods side by side."""

import streamlit as st

from pages.components.transfer.desk import Desk


def teach_panel(desk: Desk) -> None:
    st.caption(f"{len(desk.letters.letters)} letters")

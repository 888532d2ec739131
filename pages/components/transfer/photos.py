"""Photos: a frozen torchvision backbone and a new head."""

import streamlit as st

from pages.components.transfer.desk import Desk


def photos_panel(desk: Desk) -> None:
    st.caption(f"{len(desk.letters.letters)} letters")

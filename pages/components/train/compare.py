"""Several networks side by side."""

import streamlit as st


def compare_panel(network: str) -> None:
    st.write(network)

"""Keeping and giving away."""

import streamlit as st


def keep_panel(network: str) -> None:
    st.write(network)

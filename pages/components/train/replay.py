"""The time machine."""

import streamlit as st


def replay_panel(network: str) -> None:
    st.write(network)

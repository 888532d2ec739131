"""The user’s own hand."""

import streamlit as st


def hand_panel(network: str) -> None:
    st.write(network)

"""The test set’s figures of a trained network."""

import streamlit as st


def results_panel(network: str) -> None:
    st.write(network)

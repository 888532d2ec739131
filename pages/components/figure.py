"""Every figure is shown in the same way: with a sentence that tells what to see, and to be had as a PNG."""

import plotly.graph_objects as go
import streamlit as st

CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]]}  # pointing at the figure offers the PNG


def show_figure(figure: go.Figure, key: str, what_to_see: str) -> None:
    """Shows a figure over a sentence about what is to be seen in it."""
    st.plotly_chart(figure, key=key, config=CONFIG)
    st.caption(what_to_see)

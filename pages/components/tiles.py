"""A row of figures, each with its name; on a phone they stand two in a row."""

import streamlit as st

WIDTH_PX = 155


def show_tiles(figures: dict[str, str], about: dict[str, str] | None = None) -> None:
    """`figures`: name → figure as it is shown; `about`: name → what it means, on hover."""
    with st.container(horizontal=True):
        for name, figure in figures.items():
            st.metric(name, figure, width=WIDTH_PX, help=(about or {}).get(name))

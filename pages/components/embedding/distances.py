"""Distances: between samples, within and between classes."""

import streamlit as st

from pages.components.embedding.scene import Scene


def distances_panel(scene: Scene) -> None:
    st.caption(f"{len(scene.space)} samples")

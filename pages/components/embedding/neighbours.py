"""Neighbours: what stands next to a sample, and how well its neighbours answer."""

import streamlit as st

from pages.components.embedding.scene import Scene


def neighbours_panel(scene: Scene) -> None:
    st.caption(f"{len(scene.space)} samples")

"""Chosen: the lassoed samples, to be looked at, relabelled, taught."""

import streamlit as st

from pages.components.embedding.scene import Scene


def chosen_panel(scene: Scene) -> None:
    st.caption(f"{len(scene.space)} samples")

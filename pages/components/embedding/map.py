"""Map: the space in two or three dimensions, and where the map lies."""

import streamlit as st

from pages.components.embedding.scene import Scene


def map_panel(scene: Scene) -> None:
    st.caption(f"{len(scene.space)} samples")

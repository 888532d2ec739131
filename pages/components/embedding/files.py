"""Files: take the space and its map away, bring tables in."""

import streamlit as st

from pages.components.embedding.scene import Scene


def files_panel(scene: Scene) -> None:
    st.caption(f"{len(scene.space)} samples")

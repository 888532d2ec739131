"""Embedding Explorer: the space in which a network tells symbols apart, its maps, distances and neighbours."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from pages.components.embedding.link import follow_link, write_link
from pages.components.embedding.scene import SECTION, Scene
from pages.components.embedding.view import set_defaults
from pages.components.header import heading

STYLE = Path(__file__).parent / "components/embedding/embedding.css"
# Each section's name, and "module:function" of what shows it: imported when it is opened, since torch comes with it.
SECTIONS = {
    "Map": (":material/scatter_plot: Map", "map:map_panel"),
    "Chosen": (":material/lasso_select: Chosen samples", "chosen:chosen_panel"),
    "Distances": (":material/straighten: Distances", "distances:distances_panel"),
    "Neighbours": (":material/hub: Neighbours", "neighbours:neighbours_panel"),
    "Files": (":material/inventory_2: Files", "files:files_panel"),
}


def main() -> None:
    follow_link(list(SECTIONS))
    network = heading(
        "Embedding Explorer",
        "See the space in which a network tells symbols apart: its maps, distances and neighbours.",
    )
    st.html(STYLE)
    if network is None:
        return
    from pages.components.embedding.choice import choose_scene
    from pages.components.embedding.parts import with_corrections

    st.session_state.setdefault(SECTION, "Map")
    set_defaults()
    try:
        scene = choose_scene(network)
        if scene is None:
            return
        section = st.segmented_control(
            "Section", list(SECTIONS), required=True, format_func=lambda s: SECTIONS[s][0], wrap=True,
            key=SECTION, persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        write_link(list(SECTIONS))
        _panel(SECTIONS[section][1])(with_corrections(scene))
    except InklingError as error:
        st.error(str(error), icon=":material/error:")


def _panel(address: str) -> Callable[[Scene], None]:
    module, function = address.split(":")
    return getattr(import_module(f"pages.components.embedding.{module}"), function)


main()

"""Inkling's frame: page config and navigation. Start it with `streamlit run app.py`."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.training.threads import wait_patiently
from pages.components.page_changes import keep_page_changes
from pages.components.warm_up import warm_up


@dataclass(frozen=True)
class PageEntry:
    """One page of the navigation: its file in `pages/`, its title, its icon."""

    file: str
    title: str
    icon: str


PAGES = (
    PageEntry("pages/draw.py", "Draw", ":material/draw:"),
    PageEntry("pages/train.py", "Train", ":material/model_training:"),
    PageEntry("pages/inspect_layers.py", "Inspect Layers", ":material/biotech:"),
    PageEntry("pages/greek_transfer.py", "Greek Transfer", ":material/translate:"),
    PageEntry("pages/embedding_explorer.py", "Embedding Explorer", ":material/scatter_plot:"),
    PageEntry("pages/experiments.py", "Experiments", ":material/science:"),
    PageEntry("pages/live_camera.py", "Live Camera", ":material/videocam:"),
)
ICON = Path(__file__).parent / "assets/icon.png"  # a material icon would be fetched from outside
STYLE = Path(__file__).parent / "pages/components/style.css"


def main() -> None:
    wait_patiently()  # a browser runs beside the pages' torch
    keep_page_changes()
    st.set_page_config(page_title="Inkling", page_icon=ICON, layout="wide")
    st.html(STYLE)
    page = st.navigation([st.Page(p.file, title=p.title, icon=p.icon) for p in PAGES], position="top")
    warm_up()
    page.run()


if __name__ == "__main__":  # so that the page tests can import PAGES
    main()

"""The head of every page: its title, its purpose in one sentence, and the network in use."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core.errors import InklingError
from core.reading import Recognizer
from pages.components.caches import recognizer
from pages.components.network_picker import network_picker


def header(title: str, purpose: str) -> Recognizer | None:
    """Shows the head; the chosen network's recognizer, None (with the reason on the page) when there is none."""
    name = heading(title, purpose)
    if name is None:
        return None
    try:
        return recognizer(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None


def heading(title: str, purpose: str, tables: bool = False) -> str | None:
    """Shows the head; the chosen network's name. `tables`: networks for tables may be chosen too."""
    _insist_on_the_frame()
    words, choice = st.columns([3, 1], vertical_alignment="bottom")
    with words:
        st.title(title)
        st.markdown(purpose)
    with choice:
        return network_picker(tables)


def _insist_on_the_frame() -> None:
    """Starts over within app.py where Streamlit ran a page without it.

    On a server's very first visit Streamlit cannot know yet that app.py calls `st.navigation`; an address such as
    /live_camera then runs the page as an app of the old `pages/` kind, with its sidebar and without our style.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()

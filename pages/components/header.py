"""The head of every page: its title, its purpose in one sentence, and the network in use."""

import streamlit as st

from core.errors import InklingError
from core.reading import Recognizer
from pages.components.caches import recognizer
from pages.components.network_picker import network_picker


def header(title: str, purpose: str) -> Recognizer | None:
    """Shows the head; the chosen network's recognizer, None (with the reason on the page) when there is none."""
    words, choice = st.columns([3, 1], vertical_alignment="bottom")
    with words:
        st.title(title)
        st.markdown(purpose)
    with choice:
        name = network_picker()
    if name is None:
        return None
    try:
        return recognizer(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None

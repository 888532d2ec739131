"""What takes seconds to import and most pages need, imported while the visitor looks at the first page."""

import threading
from importlib import import_module

import streamlit as st

AFTER_S = 2.0  # the first page is there by then; the import would make it later


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Timer:
    """Once for each server."""
    timer = threading.Timer(AFTER_S, import_module, ["torch"])
    timer.daemon = True
    timer.start()
    return timer

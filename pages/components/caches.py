"""What all sessions share: recognizers (never changed) and the results of pure functions."""

import streamlit as st

from core.networks import open_network
from core.reading import Recognizer


def recognizer(name: str) -> Recognizer:
    """The recognizer of a stored network; raises `NetworkError` when it is unknown or damaged."""
    network = open_network(name)
    return _recognizer(name, network.passport.weights_sha256)


@st.cache_resource(max_entries=8, show_spinner=False)
def _recognizer(name: str, weights_sha256: str) -> Recognizer:  # the hash: a retrained network is another network
    return Recognizer(open_network(name))

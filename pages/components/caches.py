"""What all sessions share: recognizers, which nobody changes."""

import json

import numpy as np
import streamlit as st

from core.networks import Passport, open_network
from core.reading import Recognizer
from core.reading.glyph import SIZE


def recognizer(name: str) -> Recognizer:
    """The recognizer of a stored network; raises `NetworkError` when it is unknown or damaged."""
    return _recognizer(name, fingerprint(open_network(name).passport))


def fingerprint(passport: Passport) -> str:
    """A cache key: a network that was trained or calibrated anew under the same name is another one."""
    return json.dumps(passport.to_json(), sort_keys=True)


@st.cache_resource(max_entries=8, show_spinner=False)
def _recognizer(name: str, fingerprint: str) -> Recognizer:
    opened = Recognizer(open_network(name))
    opened.classify(np.zeros((1, SIZE, SIZE), np.float32))  # damage shows now, and the first stroke need not wait
    return opened

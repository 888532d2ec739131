"""What took time to find out is kept for all sessions; unlike with Streamlit's caches a bar may show how far it is."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def kept(key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
    """What `make` returned for this key; made now where it is not there yet."""
    place = _place(repr(key))
    if not place:
        place.append(make())
    return place[0]


@st.cache_resource(max_entries=300, show_spinner=False)
def _place(key: str) -> list:
    return []

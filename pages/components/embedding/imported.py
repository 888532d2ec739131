"""A space that came from a file: held by the session until another one comes."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.components.embedding.scene import Scene

if TYPE_CHECKING:
    from core.embedding.space import Space
    from core.inspection.subject import Subject

ID = "imported"  # among the sets of samples that can be chosen
IMPORTED = "embedding_imported"  # session state: (what the file was called, the space)
SETS = "embedding_sets"  # as choice.py names the choice of sets


def imported_space() -> "Space | None":
    """The space that was read from a file in this session; None before there is one."""
    held = st.session_state.get(IMPORTED)
    return held[1] if held else None


def imported_name() -> str | None:
    """What its file was called."""
    held = st.session_state.get(IMPORTED)
    return held[0] if held else None


def imported_scene(subject: "Subject", sets: list[str]) -> Scene | None:
    """The imported space where it is among the chosen sets; it stands alone, for its numbers are no layer's."""
    space = imported_space()
    if space is None or ID not in sets:
        return None
    if len(sets) > 1:
        st.info(
            "An imported space is shown by itself: its numbers do not come from this network. Take it out of the "
            "samples to see the others.",
            icon=":material/info:",
        )
    rows, width = space.embeddings.shape
    st.caption(f"{rows:,} samples, {width:,} number{'s' if width > 1 else ''} each, from {imported_name()}.")
    return Scene(subject, None, space, f"imported {space.sha256} {hash(space.labels.tobytes())}")


def explore(name: str, space: "Space") -> None:
    """Makes it the space that the page shows; only before the page's widgets are there, as in a callback."""
    st.session_state[IMPORTED] = name, space
    st.session_state[SETS] = [ID]

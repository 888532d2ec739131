"""Draw on the map: a sheet beside it, and the drawing's way over it as it grows."""

from html import escape

import numpy as np
import streamlit as st

from core.embedding.maps import Map
from core.embedding.trail import State, follow, unfinished
from core.inspection.strokes import Stroke, read_strokes
from core.reading import written
from core.report.figures import percent
from core.report.sample_figures import picture_address
from pages.components.canvas import DRAWN, SIZE_WH, canvas
from pages.components.embedding.map_parts import glyphs_html
from pages.components.embedding.scene import Scene

KNOWN = "embedding_trail"  # session state: (space and map, what was drawn up to each state → that state)
MOST_STATES = 100  # a scribble of more is followed at its end only


def drawn_trail(scene: Scene, shown: Map) -> np.ndarray | None:
    """Shows the sheet and what the drawing is near to; its way over the map `(P, 2 or 3)`, None without a drawing."""
    with st.container(key="embedding_sheet"):
        canvas(on_change=lambda: None)
    strokes = read_strokes(st.session_state[DRAWN]["strokes"])
    if not strokes:
        st.caption("Draw a symbol: with each stroke the drawing moves on over the map, on the left.")
        return None
    states = _states(scene, shown, strokes)
    if not states:
        st.caption("No symbol can be made out yet; draw on.")
        return None
    _say(scene, states[-1], shown)
    return np.stack([state.place for state in states])


def _states(scene: Scene, shown: Map, strokes: tuple[Stroke, ...]) -> list[State]:
    """Only what was drawn since the last time is read."""
    drawings = unfinished(strokes)[-MOST_STATES:]
    here = (scene.key, shown.config.decisive)
    where, known = st.session_state.get(KNOWN, (None, {}))
    if where != here:
        known = {}
    names = [_name(drawing) for drawing in drawings]
    new = [position for position, name in enumerate(names) if name not in known]
    for position in new:
        (state,) = follow(scene.subject, scene.layer, scene.space, shown, [drawings[position]], SIZE_WH) or [None]
        known[names[position]] = state
    st.session_state[KNOWN] = here, {name: known[name] for name in names}
    return [state for name in names if (state := known[name]) is not None]


def _name(drawing: tuple[Stroke, ...]) -> int:
    return hash(tuple((stroke.points.tobytes(), stroke.width) for stroke in drawing))


def _say(scene: Scene, last: State, shown: Map) -> None:
    near = ", ".join(f"{round(share * len(last.nearest))} × {written(label)}" for label, share in last.shares[:3])
    label, sure = last.answer
    st.html(
        f'<figure class="embedding-clicked"><img alt="your drawing" src="{picture_address(last.glyph * 255)}">'
        f"<figcaption><strong>your drawing</strong><span>read as {escape(written(label))}, {percent(sure)}</span>"
        f"<span>of the {len(last.nearest)} nearest: {escape(near)}</span></figcaption></figure>"
    )
    st.html(glyphs_html(scene, last.nearest[:10]))
    st.caption(
        "A point for each fifth of a stroke, the large one for where it stands now. "
        + (
            "PCA knows its place exactly."
            if shown.places_exactly
            else "This kind of map has no place for new samples; shown is the middle of the 5 nearest in the space."
        )
    )

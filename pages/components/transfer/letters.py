"""Letters: look at the set, bring letters in, clean it, take it away."""

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from core.errors import DataError
from core.transfer.concerns import concerns
from core.transfer.preparation import letters_of
from pages.components.markup import plain
from pages.components.tiles import show_tiles
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_away import take_away
from pages.components.transfer.letters_edit import telling
from pages.components.transfer.letters_look import look

WAY = "letters_way"
# Each way in: its name, and "module:function" of what shows it; the canvas can only be imported while the app runs.
WAYS = {
    "draw": (":material/draw: Draw", "letters_draw:draw_letters"),
    "camera": (":material/photo_camera: Camera", "letters_upload:camera_letters"),
    "pictures": (":material/image: Pictures", "letters_upload:picture_letters"),
    "zip": (":material/folder_zip: ZIP", "letters_upload:archive_letters"),
    "csv": (":material/table: CSV", "letters_upload:table_letters"),
    "strokes": (":material/gesture: Generated", "letters_upload:stroke_letters"),
}


def letters_panel(desk: Desk) -> None:
    """The whole section."""
    with st.container():  # whatever is said above the canvas, it keeps its place on the page, else it starts anew
        usable, problems = _judge(desk)
        _overview(desk, usable)
    _ways_in(desk)
    with st.container():
        for problem in problems:  # below the canvas, which shall not move while somebody draws
            st.warning(plain(problem), icon=":material/warning:")
    look(desk)
    take_away(desk)


def _judge(desk: Desk) -> tuple[int, tuple[str, ...]]:
    """How many of the pictures show a symbol, and what is wrong with the set."""
    letters = desk.letters
    if not letters.letters:
        return 0, ()
    try:
        prepared = letters_of(letters)
        problems, usable = concerns(letters, prepared), len(prepared.samples)
    except DataError as error:
        problems, usable = (str(error),), 0
    if len(letters.classes) < 2:
        problems = (
            "There is one letter only; at least two are needed to teach a network to tell them apart.",
            *problems,
        )
    return usable, problems


def _overview(desk: Desk, usable: int) -> None:
    letters = desk.letters
    if not letters.letters:
        return
    counts = letters.counts.values()
    spread = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    show_tiles(
        {
            "letters": str(len(letters.classes)),
            "pictures": f"{len(letters.letters):,}",
            "of each letter": spread,
            "without a symbol": f"{len(letters.letters) - usable:,}",
        },
        {"without a symbol": "Pictures on which no ink was found, or nothing that could be cut out."},
    )


@st.fragment
def _ways_in(desk: Desk) -> None:
    """As a fragment: a stroke of the pen leaves the grid as it is."""
    if not desk.letters.letters and st.session_state.get(WAY) is None:
        st.session_state[WAY] = "draw"
    way = st.segmented_control(
        "Add letters", list(WAYS), format_func=lambda w: WAYS[w][0], key=WAY, persist_state="session", wrap=True
    )
    if way is None:
        return
    with st.container(key="letters_way_in"), telling():
        _panel(WAYS[way][1])(desk)


def _panel(address: str) -> Callable[[Desk], None]:
    module, function = address.split(":")
    return getattr(import_module(f"pages.components.transfer.{module}"), function)

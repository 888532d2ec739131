"""Draw: the home page. Draw or hand in a picture; it is read, with how sure and why."""

import streamlit as st

from core.errors import InklingError
from core.paths import ASSETS
from core.reading import Recognizer
from pages.components.canvas import canvas
from pages.components.header import header
from pages.components.paste import pasted_picture
from pages.components.readings import (
    Picture,
    Read,
    boxed_picture,
    read,
    show_how_sure,
    show_one_symbol,
    show_overview,
    show_steps,
    show_symbols,
    show_text,
)

SOURCE = "draw_source"  # where the current reading comes from: whatever was touched last
CANVAS, UPLOADS, PASTE, SNAPSHOT, SAMPLE = "canvas", "draw_uploads", "paste", "draw_snapshot", "draw_sample"


def main() -> None:
    recognizer = header(
        "Draw", "Write digits on the sheet or hand in a picture: Inkling reads them and says how sure it is."
    )
    if recognizer:
        body(recognizer)


@st.fragment
def body(recognizer: Recognizer) -> None:
    """All that changes with a stroke; as a fragment, so that the rest of the page stays as it is."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        pictures = _ways_in()
    with right:
        results = _read_all(pictures, recognizer)
        result = show_overview(results) if results else None
        if result:
            show_text(result.page.text)
            show_how_sure(result.page)
            if st.session_state.get(SOURCE, CANVAS) != CANVAS:
                st.image(boxed_picture(result), width="stretch", alt=f"{result.picture.name} with a box at each symbol")
            if result.page.readings:
                show_one_symbol(result)
        else:
            show_text("")
            if not pictures:
                _invitation()
    if result:
        show_symbols(result)
        with st.expander("How it got there: every step", icon=":material/visibility:", on_change="rerun") as steps:
            if steps.open:
                show_steps(read(result.picture, recognizer, keep_stages=True))


def _ways_in() -> list[Picture]:
    """Shows every way to hand something in; the pictures of the one that was touched last."""
    drawing = canvas(on_change=lambda: _touched(CANVAS))
    with st.container(key="draw_other_ways"):
        uploads = st.file_uploader(
            "Or read pictures: choose, drop or paste them",
            accept_multiple_files=True,
            key=UPLOADS,
            on_change=lambda: _touched(UPLOADS),
            help="Photos, scans, drawings: PNG, JPEG, WebP, BMP or GIF.",
        )
        snapshot = None
        with st.expander("Take a snapshot", icon=":material/photo_camera:", on_change="rerun") as expander:
            if expander.open:  # the browser asks for the camera as soon as this is on the page
                snapshot = st.camera_input(
                    "Hold the writing before the camera", key=SNAPSHOT, on_change=lambda: _touched(SNAPSHOT)
                )
        pasted = pasted_picture(on_change=lambda: _touched(PASTE))
        source = st.session_state.get(SOURCE, CANVAS)
        if source == SAMPLE:
            _samples()  # so that the next one is at hand
    if source == UPLOADS and uploads:
        return [Picture(file.name, file.getvalue()) for file in uploads]
    if source == SNAPSHOT and snapshot:
        return [Picture("The snapshot", snapshot.getvalue())]
    if source == PASTE and pasted:
        return [Picture("The pasted picture", pasted)]
    if source == SAMPLE:
        return [_sample(st.session_state[SAMPLE])]
    return [Picture("The drawing", drawing)] if drawing else []


def _touched(source: str) -> None:
    st.session_state[SOURCE] = source


def _read_all(pictures: list[Picture], recognizer: Recognizer) -> list[Read]:
    """The readings of all pictures that can be read; each of the others gets one sentence."""
    results = []
    for picture in pictures:
        try:
            results.append(read(picture, recognizer))
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
    return results


def _invitation() -> None:
    """Before anything is there to be read: what to do, and pictures to try."""
    st.markdown("Draw a digit with the mouse or a finger, or several in a row for a number. Or try one of these:")
    _samples()


def _samples() -> None:
    with st.grid(3, min_column_width=100):
        for file in sorted((ASSETS / "samples").glob("*.jpg")):
            with st.container(gap="xsmall"):
                st.image(file, width="stretch", alt=f"sample: {_title(file.stem)}")
                st.button(
                    _title(file.stem), key=f"{SAMPLE}_{file.stem}", on_click=_try, args=(file.name,), width="stretch"
                )


def _try(name: str) -> None:
    st.session_state[SAMPLE] = name
    _touched(SAMPLE)


def _sample(name: str) -> Picture:
    return Picture(name, (ASSETS / "samples" / name).read_bytes())


def _title(stem: str) -> str:
    return stem.replace("-", " ").capitalize()


main()

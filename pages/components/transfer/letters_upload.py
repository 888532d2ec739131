"""Letters from files, the camera and the stroke generator."""

import secrets
from collections.abc import Callable
from pathlib import PurePath

import streamlit as st

from core.data.alphabet import GREEK
from core.data.pictures import MAX_BYTES as MAX_PICTURE_BYTES
from core.data.uploads import MAX_ARCHIVE_BYTES
from core.reading import written
from core.transfer.glyphs import png_of
from core.transfer.letters_examples import written_letters
from core.transfer.letters_files import MAX_CSV_BYTES, read_csv, read_pictures, read_zip
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import MAX_NAME, as_name, free_letters_name, save_letters
from pages.components.live_controls import LAST_SNAPSHOT
from pages.components.markup import plain
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import add, show_next
from pages.components.transfer.letters_sheets import label_field, offer

UPLOADS = "letters_uploads"  # how many uploads were taken: each time the uploaders start anew
MOST_WRITTEN = 100  # generated pictures of a letter at once
PICTURE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
MB = 1_000_000


def camera_letters(desk: Desk) -> None:
    """A snapshot taken here, or the last one of Live Camera: a sheet like any other."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        taken = st.camera_input("Hold the letters before the camera", key="letters_camera")
        last = st.session_state.get(LAST_SNAPSHOT)
        if taken is None and last is not None:
            st.image(last, caption="the last snapshot of the Live Camera page", width="stretch")
    with right:
        label = label_field(desk, "letters_camera_label")
        if taken is not None:
            offer(desk, taken.getvalue(), "camera", label, "letters_snapshot")
        elif last is not None:
            offer(desk, png_of(last), "camera", label, "letters_snapshot")
        else:
            st.caption("One letter or a sheet with several; a snapshot taken on the Live Camera page is offered here.")


def picture_letters(desk: Desk) -> None:
    """Picture files: one letter on each, or sheets with several."""
    left, right = st.columns([6, 5], gap="large")
    with left:
        files = st.file_uploader(
            "Pictures: PNG, JPEG, WebP, BMP or GIF, of any size, dark on light or light on dark", PICTURE_TYPES,
            accept_multiple_files=True, key=_uploader("pictures"), max_upload_size=MAX_PICTURE_BYTES // MB,
        )  # fmt: skip
        sheet = st.segmented_control(
            "On each picture", ["one letter", "several"], default="one letter", required=True, key="letters_on_each",
        )  # fmt: skip
    with right:
        label = label_field(desk, "letters_pictures_label")
        if not files:
            st.caption("Several files at once are fine; all of them the same letter, unless they are sheets.")
        elif sheet == "several":
            chosen = files[0]
            if len(files) > 1:
                chosen = st.selectbox("Sheet", files, format_func=lambda file: file.name, key="letters_sheet")
            st.image(chosen.getvalue(), width=260, caption=chosen.name)
            offer(desk, chosen.getvalue(), chosen.name, label, "letters_sheets")
        else:
            letters, problems = read_pictures([(file.name, file.getvalue()) for file in files], label)
            _tell(problems)
            if letters and st.button(
                f"Add {len(letters)} as {plain(written(label))}", key="letters_pictures_add", type="primary",
                icon=":material/add:",
            ):  # fmt: skip
                add(desk, letters, _start_anew)


def archive_letters(desk: Desk) -> None:
    """A ZIP with a folder for each letter."""
    file = st.file_uploader(
        "A ZIP of a folder that holds a folder of pictures for each letter", ["zip"], key=_uploader("zip"),
        max_upload_size=MAX_ARCHIVE_BYTES // MB,
    )  # fmt: skip
    if file is None:
        st.caption("The folders' names are the letters: α or alpha, or any other name. One symbol on each picture.")
        return
    letters, notes = _from_zip(file.getvalue(), file.name)
    _tell(notes)
    _offer_all(desk, lambda: letters, len(letters), PurePath(file.name).stem, "zip")


@st.cache_data(max_entries=2, show_spinner="Reading the pictures")
def _from_zip(content: bytes, name: str) -> tuple[tuple[Letter, ...], tuple[str, ...]]:
    return read_zip(content, name)


def table_letters(desk: Desk) -> None:
    """The two CSV files of the course."""
    left, right = st.columns(2, gap="large")
    values = left.file_uploader(
        "Intensities: 784 numbers a row", ["csv", "txt"], key=_uploader("values"), max_upload_size=MAX_CSV_BYTES // MB
    )
    names = right.file_uploader(
        "Categories: one a row", ["csv", "txt"], key=_uploader("names"), max_upload_size=MAX_CSV_BYTES // MB
    )
    meanings = st.text_input(
        "What the numbers 0, 1, 2, … mean, if the categories are numbers", placeholder="α β γ", key="letters_meanings"
    )
    if values is None or names is None:
        st.caption("With or without a header row; from 0 to 255 or from 0 to 1; separated by commas, tabs or others.")
        return
    letters = read_csv(values.getvalue(), names.getvalue(), meanings.replace(",", " ").split())
    _offer_all(desk, lambda: letters, len(letters), PurePath(values.name).stem, "csv")


def stroke_letters(desk: Desk) -> None:
    """Any of the 24 small Greek letters as the generator writes them."""
    chosen = st.pills(
        "Letters", list(GREEK), selection_mode="multi", default=["alpha", "beta", "gamma"], format_func=written,
        key="letters_written", wrap=True, persist_state="session",
    )  # fmt: skip
    each = st.number_input(
        "Of each", 1, MOST_WRITTEN, 9, key="letters_written_each", persist_state="session", width=180
    )
    st.caption(
        "Drawn from the embedded alphabet with another hand and another pen each time; 28×28 glyphs, so both "
        "preparations leave them as they are."
    )
    _offer_all(desk, lambda: written_letters(chosen, each, _seed()), len(chosen) * each, "strokes", "written")


def _offer_all(desk: Desk, make: Callable[[], tuple[Letter, ...]], count: int, wish: str, key: str) -> None:
    """Both ways to take many letters: into this set, or as one of their own."""
    with st.container(horizontal=True):
        into = st.button(
            f"Add {count} to this set", key=f"letters_{key}_add", type="primary", icon=":material/add:",
            disabled=not count,
        )  # fmt: skip
        own = st.button(
            "As a new set", key=f"letters_{key}_new", icon=":material/create_new_folder:", disabled=not count
        )
    if not (into or own):
        return
    letters = make()
    if into:
        add(desk, letters, _start_anew)
    name = free_letters_name(as_name(wish[:MAX_NAME]))
    save_letters(LettersSet(name).with_letters(letters))
    _start_anew()
    show_next(name, f"“{name}” holds {len(letters)} pictures.")


def _seed() -> int:
    return secrets.randbits(32)


def _tell(problems: tuple[str, ...]) -> None:
    """What could not be read; the rest can be taken all the same."""
    for problem in problems[:3]:
        st.warning(plain(problem), icon=":material/broken_image:")
    if len(problems) > 3:
        st.caption(f"And {len(problems) - 3} more files.")


def _uploader(kind: str) -> str:
    return f"letters_upload_{kind}_{st.session_state.get(UPLOADS, 0)}"


def _start_anew() -> None:
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1

"""The separate test set of Teach: another letters set, other people's handwriting, or an uploaded ZIP."""

import streamlit as st

from core.data.uploads import MAX_ARCHIVE_BYTES
from core.errors import DataError, InklingError
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import list_letters, open_letters
from core.transfer.people import NAME as PEOPLE
from core.transfer.people import handwriting, is_at_hand
from pages.components.markup import plain
from pages.components.transfer.choice import example, examples
from pages.components.transfer.desk import Desk

NONE, UPLOAD = "none", "upload a ZIP …"
TEST, ARCHIVE = "transfer_test", "transfer_test_archive"
NO_ARCHIVE = "The test set is still to come: choose a ZIP that holds a folder of pictures for each letter."
NOTED = 3  # of what is wrong with an upload


def choose_test(desk: Desk) -> tuple[LettersSet | None, str]:
    """The test set, None for none; and why the one that was chosen cannot be had, as a sentence."""
    sets = [name for name in (*list_letters(), *examples()) if name != desk.letters.name]
    options = [NONE, *([PEOPLE] if is_at_hand() else []), *sets, UPLOAD]
    choice = st.selectbox(
        "Separate test set", options, key=TEST, persist_state="session",
        help="Letters that teach nothing and only test; best from other people. Without one the cross-validation "
        "tells how well it does.",
    )  # fmt: skip
    try:
        return _test_set(choice, desk), ""
    except InklingError as error:
        return None, str(error)


def _test_set(choice: str, desk: Desk) -> LettersSet | None:
    if choice == NONE:
        return None
    if choice == PEOPLE:
        return _people(desk.letters.classes)
    if choice == UPLOAD:
        return _uploaded()
    return example(choice) if choice in examples() else open_letters(choice)


@st.cache_data(show_spinner=False, max_entries=8)
def _people(classes: tuple[str, ...]) -> LettersSet:
    return handwriting(classes)


def _uploaded() -> LettersSet | None:
    archive = st.file_uploader(
        "A ZIP with a folder of pictures for each letter", "zip", key=ARCHIVE,
        max_upload_size=MAX_ARCHIVE_BYTES // 1_000_000,
    )  # fmt: skip
    if archive is None:
        raise DataError(NO_ARCHIVE)
    found, notes = _unpacked(archive.getvalue(), archive.name)
    for note in notes[:NOTED]:
        st.caption(plain(note))
    return LettersSet(archive.name, found)


@st.cache_data(show_spinner="Unpacking …", max_entries=4)
def _unpacked(content: bytes, name: str) -> tuple[tuple[Letter, ...], tuple[str, ...]]:
    from core.transfer.letters_files import read_zip

    return read_zip(content, name)

"""A letters set as a whole: new, renamed, copied, deleted."""

from dataclasses import replace

import streamlit as st

from core.errors import DataError
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import (
    MAX_NAME,
    as_name,
    delete_letters,
    free_letters_name,
    is_taken,
    rename_letters,
    save_letters,
)
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import ACTIONS, DELETED, EXAMPLE, renamed, show_next, telling


def manage(desk: Desk) -> None:
    """Shows the button with the dialogue behind it."""
    done = st.session_state.get(ACTIONS, 0)  # after each the dialogue is another one, which is closed
    with (
        st.container(key="letters_manage", width="content"),
        st.popover("Manage", icon=":material/folder_managed:", key=f"letters_manage_{done}"),
        telling(),
    ):
        _manage(desk)


def _manage(desk: Desk) -> None:
    name, own = desk.letters.name, not desk.is_example
    wish = name.removeprefix(EXAMPLE)
    text = st.text_input(
        "Name", wish, max_chars=MAX_NAME, key=f"letters_name_{name}", help="Any script; spaces and emoji are fine."
    )
    with st.container(horizontal=True):
        if st.button("Rename", key="letters_rename", icon=":material/edit:", disabled=not own):
            new = rename_letters(name, text)
            renamed(name, new)
            show_next(new, f"“{name}” is “{new}” now.")
        if st.button(
            "Copy", key="letters_copy", icon=":material/content_copy:", help="A second set with these letters"
        ):
            new = _fresh(text, wish)
            save_letters(replace(desk.letters, name=new))
            show_next(new, f"“{new}” is a copy of “{wish}”.")
        if st.button("New, empty", key="letters_new", icon=":material/add:"):
            new = _fresh(text if text != wish else "my letters", wish)
            save_letters(LettersSet(new))
            show_next(new, f"“{new}” is empty: draw, upload or hold letters before the camera.")
    if st.button(
        "Delete this set", key="letters_delete", icon=":material/delete:", disabled=not own,
        help="It goes to the trash; Undo stands on the page afterwards.",
    ):  # fmt: skip
        st.session_state[DELETED] = (name, delete_letters(name))
        st.session_state[ACTIONS] = st.session_state.get(ACTIONS, 0) + 1
        st.rerun()
    if not own:
        st.caption("Examples cannot be renamed or deleted; copy one, or just change it: it is copied first.")


def _fresh(text: str, wish: str) -> str:
    """The name for another set: what was typed where nobody has it; an untouched name gets a number."""
    name = as_name(text)
    if name != wish and is_taken(name):
        raise DataError(f"There is a letters set {name!r} already; choose another name.")
    return free_letters_name(name)

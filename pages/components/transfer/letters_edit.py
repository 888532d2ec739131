"""Every change of a letters set: saved at once, with the way back; an example is copied first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import streamlit as st

from core.errors import InklingError
from core.reading import written
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import free_letters_name, save_letters, undelete_letters
from pages.components.markup import plain
from pages.components.transfer.desk import Desk

NEXT = "transfer_next_letters"  # session state: the set that the picker shall show in the next run
BEFORE = "transfer_letters_before"  # by the set's name: what was done, and the set as it was before, oldest first
NOTICE = "transfer_letters_notice"  # what has just been done, said once
DELETED = "transfer_letters_deleted"  # the set that was deleted last: its name, and how to put it back
ACTIONS = "transfer_letters_actions"  # how many changes there were
EXAMPLE = "example: "


def change(desk: Desk, letters: LettersSet, done: str, after: Callable[[], None] = lambda: None) -> None:
    """Saves the changed set, does what comes `after`, and starts the page over; `done` as in "removed 2 letters"."""
    name = free_letters_name(desk.letters.name.removeprefix(EXAMPLE)) if desk.is_example else desk.letters.name
    save_letters(replace(letters, name=name))
    st.session_state.setdefault(BEFORE, {}).setdefault(name, []).append((done, replace(desk.letters, name=name)))
    after()
    copied = f" The example was copied to “{name}” first." if desk.is_example else ""
    show_next(name, f"{done[:1].upper()}{done[1:]}.{copied}")


def add(desk: Desk, letters: tuple[Letter, ...], after: Callable[[], None] = lambda: None) -> None:
    """Adds letters, does what comes `after`, and starts the page over; says how many of them were there already."""
    grown = desk.letters.with_letters(letters)
    new = len(grown.letters) - len(desk.letters.letters)
    again = len(letters) - new
    said = f"added {_counted(new, letters)}" + (f"; {again} were there already" if again else "")
    if new:
        change(desk, grown, said, after)
    else:
        after()
        show_next(desk.letters.name, "Nothing was added: these pictures are there already.")


def _counted(count: int, letters: tuple[Letter, ...]) -> str:
    labels = sorted({written(letter.label) for letter in letters})
    what = f" of {labels[0]}" if len(labels) == 1 else f" of {len(labels)} letters"
    return f"{count} picture{'s' if count != 1 else ''}{what}"


def steps_back(desk: Desk) -> list[tuple[str, LettersSet]]:
    """What can be undone, oldest first."""
    return st.session_state.get(BEFORE, {}).get(desk.letters.name, [])


def undo(desk: Desk) -> None:
    """Takes the last change back."""
    done, before = steps_back(desk)[-1]
    save_letters(before)
    steps_back(desk).pop()
    show_next(before.name, f"Undone: {done}.")


def renamed(name: str, new: str) -> None:
    """The steps back go along with a set's new name."""
    before = st.session_state.get(BEFORE, {})
    if name in before:
        before[new] = [(done, replace(letters, name=new)) for done, letters in before.pop(name)]


def show_next(name: str, notice: str) -> None:
    """Starts the page over with that set and says what was done."""
    st.session_state[NEXT], st.session_state[NOTICE] = name, notice
    st.session_state[ACTIONS] = st.session_state.get(ACTIONS, 0) + 1
    st.rerun()


def show_notice() -> None:
    """Beside the picker and no toast: on a phone that would lie over the sheet on which the next letter is drawn."""
    if notice := st.session_state.pop(NOTICE, None):
        st.caption(f":material/check: {plain(notice)}")


def deleted_notice() -> None:
    """After a set was deleted: the way back."""
    if DELETED not in st.session_state:
        return
    name, token = st.session_state[DELETED]
    with st.container(horizontal=True, vertical_alignment="center", key="letters_deleted"):
        st.markdown(f":material/delete: The set “{plain(name)}” is in the trash for 30 days.")
        with telling():
            if st.button("Undo", key="letters_undelete", icon=":material/undo:"):
                back = undelete_letters(token)
                del st.session_state[DELETED]
                show_next(back, f"“{back}” is back.")
        if st.button("Close", key="letters_deleted_close", type="tertiary", icon=":material/close:"):
            del st.session_state[DELETED]
            st.rerun()


@contextmanager
def telling() -> Iterator[None]:
    """What the user can act on is said on the page, within a fragment too."""
    try:
        yield
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")

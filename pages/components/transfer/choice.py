"""The choice of the letters set, and the examples that stand there from the start."""

import streamlit as st

from core.errors import InklingError
from core.transfer.letters_examples import course_letters, has_course_letters, written_letters
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import discard_damaged, list_letters, open_stored
from pages.components.markup import plain
from pages.components.transfer.desk import LETTERS, Desk
from pages.components.transfer.letters_edit import NEXT, deleted_notice, show_notice
from pages.components.transfer.letters_manage import manage

PER_LETTER = 9
GENERATED = "example: alpha, beta, gamma"
COURSE = "example: the course's 27 pictures"


def choose_letters(source: str) -> Desk:
    """Shows the picker; the set that is chosen."""
    names = [*list_letters(), *examples()]
    if (wanted := st.session_state.pop(NEXT, None)) in names:
        st.session_state[LETTERS] = wanted
    elif LETTERS in st.session_state and st.session_state[LETTERS] not in names:
        del st.session_state[LETTERS]  # renamed or deleted meanwhile, perhaps in another window
    with st.container():  # the notices come and go within it, so that nothing below starts anew
        return _choice(source, names)


def _choice(source: str, names: list[str]) -> Desk:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Letters set", names, key=LETTERS, persist_state="session", width=420,
            help="What is taught. Examples are copied before they are changed.",
        )  # fmt: skip
        desk = Desk(source, *_opened(name))
        manage(desk)
    deleted_notice()
    show_notice()
    return desk


def _opened(name: str) -> tuple[LettersSet, bool]:
    if name in examples():
        return example(name), True
    try:
        stored = open_stored(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return LettersSet(name), False
    if stored.damaged:
        _tell_damaged(name, stored.damaged)
    return stored.letters, False


def _tell_damaged(name: str, damaged: tuple[str, ...]) -> None:
    with st.container(key="letters_damaged"):
        named = ", ".join(damaged[:3]) + (f" and {len(damaged) - 3} more" if len(damaged) > 3 else "")
        st.warning(
            f"{len(damaged)} of the files in this set cannot be read and were left out: {plain(named)}. "
            "Restore them, or move them to the trash.",
            icon=":material/broken_image:",
        )
        if st.button("Move to the trash", key="letters_discard", icon=":material/delete:"):
            discard_damaged(name)
            st.rerun()


def examples() -> tuple[str, ...]:
    return (COURSE, GENERATED) if has_course_letters() else (GENERATED,)


@st.cache_data(show_spinner=False)
def example(name: str) -> LettersSet:
    if name == GENERATED:
        return LettersSet(name, written_letters(("alpha", "beta", "gamma"), PER_LETTER, seed=0))
    return LettersSet(name, course_letters())

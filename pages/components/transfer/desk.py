"""What the sections of Greek Transfer share: the network that learns, and the letters set that it learns."""

from dataclasses import dataclass

import streamlit as st

from core.transfer.letters_set import LettersSet

SECTION = "transfer_section"  # session state: the section that is open
LETTERS = "transfer_letters"  # the picker of the letters set: a name of the store, or of an example


@dataclass(frozen=True)
class Desk:
    """Sections only read it; a changed set is saved to the store, and the page starts over."""

    source: str  # the network in use, which learns
    letters: LettersSet
    is_example: bool  # an example is copied to a set of the user's before it is changed


def no_letters(desk: Desk) -> bool:
    """Whether there are not two letters to tell apart; says so."""
    if len(desk.letters.classes) < 2:
        st.info("Collect samples of at least two letters first, in section Letters.", icon=":material/edit:")
        return True
    return False

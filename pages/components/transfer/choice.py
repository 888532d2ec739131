"""The choice of the letters set, and the examples that stand there from the start."""

import numpy as np
import streamlit as st

from core.data.strokes import PEN_PX, render, write
from core.errors import InklingError
from core.paths import data_dir
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import list_letters, open_letters
from core.transfer.preparation import png_of
from pages.components.transfer.desk import LETTERS, Desk

PER_LETTER = 9
GENERATED = "example: alpha, beta, gamma"
COURSE = "example: the course's 27 pictures"


def choose_letters(source: str) -> Desk:
    """Shows the picker; the set that is chosen."""
    names = [*list_letters(), *examples()]
    name = st.selectbox("Letters set", names, key=LETTERS, persist_state="session")
    is_example = name in examples()
    try:
        chosen = example(name) if is_example else open_letters(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        chosen = LettersSet(name)
    return Desk(source, chosen, is_example)


def examples() -> tuple[str, ...]:
    there = (data_dir() / "greek_train").is_dir()
    return (COURSE, GENERATED) if there else (GENERATED,)


@st.cache_data(show_spinner=False)
def example(name: str) -> LettersSet:
    if name == GENERATED:
        rng = np.random.default_rng(0)
        labels = [label for label in ("alpha", "beta", "gamma") for _ in range(PER_LETTER)]
        return LettersSet(
            name,
            tuple(
                Letter(label, png_of(render(write(label, rng), rng.uniform(*PEN_PX))), f"strokes {number}")
                for number, label in enumerate(labels, 1)
            ),
        )
    files = sorted((data_dir() / "greek_train").glob("*/*.png"))
    return LettersSet(name, tuple(Letter(file.parent.name, file.read_bytes(), file.name) for file in files))

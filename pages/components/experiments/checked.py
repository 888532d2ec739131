"""What a study would do, before it begins: what is possible, what it costs, and the start."""

import re

import streamlit as st

from core.errors import InklingError
from core.experiments.dimensions import DIMENSIONS
from core.experiments.study import Study
from pages.components.experiments.draft import Record, key_of, study_of
from pages.components.experiments.outlook import estimate_panel, outlook
from pages.components.experiments.place import Place
from pages.components.keys import EXPERIMENT_START
from pages.components.markup import plain

FIELDS = {  # what the form calls them, where they are no dimensions
    "question": "The question", "hypothesis": "The hypothesis", "name": "The name", "trials": "Trials",
    "rounds": "Rounds", "seeds": "Seeds", "seed": "The first seed", "folds": "Folds", "minutes": "The budget (minutes)",
    "objectives": "Objectives", "final_epochs": "Epochs of the winner",
}  # fmt: skip
CHOSEN = "experiment_study"  # session state and the address's query: the study that is looked at


def check_panel(record: Record, taken: list[str], place: Place) -> None:
    """Counts, cost and start of the draft; what is wrong with it instead where it is no study yet."""
    with st.container(border=True):
        st.markdown("**Before it begins**")
        record["name"] = st.text_input(
            "Name", free_name(record.get("name", "study"), taken), key=key_of("name"), max_chars=60,
            help="The study's name in the storage: small letters, digits, - and _.",
        ).strip()  # fmt: skip
        try:
            study = study_of(record)
        except InklingError as error:
            st.error(plain(in_words(str(error))), icon=":material/error:")
            study = None
        ready = study is not None and outlook(study)
        if record["name"] in taken:
            st.warning(plain(f"There is a study {record['name']!r} already. Open it above, or choose another name."),
                       icon=":material/warning:")  # fmt: skip
            ready = False
        if st.button(
            "Start", type="primary", icon=":material/play_arrow:", key=EXPERIMENT_START, disabled=not ready,
            width="stretch",
        ) and study:  # fmt: skip
            start(study, place)
        if study and ready:
            estimate_panel(study, place)
        if study and not study.hypothesis.strip():
            st.caption("Without a hypothesis there is nothing to hold the result against; it cannot be added later.")


def start(study: Study, place: Place) -> None:
    """Begins the study, and shows it from now on."""
    from core.experiments import jobs

    try:
        with st.spinner("Starting …"):
            jobs.start(study, **place.started_with())
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.session_state[f"{CHOSEN}_next"] = study.name
    st.rerun()


def in_words(problem: str) -> str:
    """A study's problem, which begins with the file's word for the field, with the form's instead."""
    word, _, rest = problem.partition(" ")
    titles = {name: dimension.label for name, dimension in DIMENSIONS.items()} | FIELDS
    return f"{titles.get(word, word)} {rest}"


def free_name(name: str, taken: list[str]) -> str:
    """The name, or with the first number behind it that makes it free."""
    stem, number, free = re.sub(r"-\d{1,4}$", "", name)[:55], 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}"
    return free

"""What a study would do, before it begins: what is possible, what it costs, and the start."""

import re

import streamlit as st

from core.errors import InklingError
from core.experiments.study import Count, Range, Study
from core.experiments.study_file import toml_of
from pages.components.experiments.draft import Record, seeded, study_of
from pages.components.experiments.place import Place
from pages.components.keys import EXPERIMENT_START
from pages.components.markup import plain
from pages.components.tiles import show_tiles

CHOSEN = "experiment_study"  # session state and the address's query: the study that is looked at
MOST_REASONS = 8


def check_panel(record: Record, taken: list[str], place: Place) -> None:
    """Counts, cost and start of the draft; what is wrong with it instead where it is no study yet."""
    with st.container(border=True):
        st.markdown("**Before it begins**")
        record["name"] = st.text_input(
            "Name", key=seeded("name", free_name(record.get("name", "study"), taken)), max_chars=60,
            help="The study's name in the storage: small letters, digits, - and _.",
        ).strip()  # fmt: skip
        try:
            study = study_of(record)
        except InklingError as error:
            st.error(plain(str(error)), icon=":material/error:")
            study = None
        ready = study is not None and _outlook(study)
        if record["name"] in taken:
            st.warning(plain(f"There is a study {record['name']!r} already. Open it above, or choose another name."),
                       icon=":material/warning:")  # fmt: skip
            ready = False
        if st.button(
            "Start", type="primary", icon=":material/play_arrow:", key=EXPERIMENT_START, disabled=not ready,
            width="stretch",
        ) and study:  # fmt: skip
            start(study, place)
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


def free_name(name: str, taken: list[str]) -> str:
    """The name, or with the first number behind it that makes it free."""
    stem, number, free = re.sub(r"-\d{1,4}$", "", name)[:55], 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}"
    return free


def _outlook(study: Study) -> bool:
    """What is possible and what is not; whether anything is."""
    count = counted(study)
    if study.is_small:
        show_tiles({"Combinations": f"{count.looked_at:,}", "Possible": f"{count.possible:,}"})
    else:
        show_tiles(
            {"Combinations": _many(study), "Possible": f"{count.possible / count.looked_at:.0%}"},
            {"Possible": f"Of {count.looked_at:,} combinations drawn at random: there are too many to try each."},
        )
    _reasons(count)
    return count.possible > 0


def _many(study: Study) -> str:
    """How many combinations there are, short."""
    if any(isinstance(values, Range) for values in study.dimensions.values()):
        return "any number"
    return f"{study.combinations:,}" if study.combinations < 10**6 else f"{study.combinations:.1e}"


def _reasons(count: Count) -> None:
    impossible = count.looked_at - count.possible
    if not impossible:
        return
    if count.possible:
        said = f"{impossible:,} of the {count.looked_at:,} combinations looked at cannot be trained, and are left out:"
        st.warning(said, icon=":material/block:")
    else:
        st.error("None of the combinations can be trained:", icon=":material/block:")
    for number, reason in count.impossible[:MOST_REASONS]:
        st.markdown(f"- {number:,} × {plain(reason)}")
    if len(count.impossible) > MOST_REASONS:
        st.caption(f"And {len(count.impossible) - MOST_REASONS:,} more reasons.")


def counted(study: Study) -> Count:
    return _counted(toml_of(study), study)


@st.cache_data(max_entries=100, show_spinner="Counting what is possible …")
def _counted(text: str, _study: Study) -> Count:
    return _study.count()

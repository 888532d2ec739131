"""A new study: begin with a preset, a file or nothing; write it as a form or as a file; see what it would do; start."""

from itertools import takewhile
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from core.experiments.study_file import PRESETS, parse_study, presets, read_study
from pages.components.experiments.checked import check_panel
from pages.components.experiments.draft import (
    BEFORE,
    EMPTY,
    FIRST,
    Record,
    bring_back,
    draft,
    keep_draft,
    key_of,
    next_turn,
    record_of,
    record_of_toml,
    replace_draft,
    toml_of_record,
)  # fmt: skip
from pages.components.experiments.form import study_form
from pages.components.experiments.place import Place
from pages.components.markup import plain

STYLE = Path(__file__).parent / "experiments.css"
SCRATCH = "From scratch"
BEGIN, SIDE = "experiment_begin", "experiment_side"
SIDES = {"form": ":material/edit_note: Form", "file": ":material/code: File (TOML)"}
TYPED = "experiment_typed"  # session state: the file's text as typed, and the record that it made
UPLOADED = "experiment_uploaded"


@st.fragment
def new_study(taken: list[str], place: Place) -> None:
    """As a fragment: each key pressed in the form leaves the rest of the page alone."""
    st.html(STYLE)
    _begin_with()
    left, right = st.columns([3, 2], gap="large")
    with left:
        side = st.segmented_control(
            "Write it as", list(SIDES), default="form", required=True, format_func=SIDES.get, key=SIDE,
            label_visibility="collapsed", persist_state="session", on_change=next_turn,
        )  # fmt: skip
        record = study_form(draft()) if side == "form" else _file(draft())
    with right:
        if record is not None:
            check_panel(record, taken, place)
            keep_draft(record)
            st.download_button(
                "The study as a file", toml_of_record(record), f"{record['name'] or 'study'}.toml", "application/toml",
                icon=":material/download:", key="experiment_download", on_click="ignore",
                help="For the command line: python -m core experiment FILE.toml.",
            )  # fmt: skip


def _begin_with() -> None:
    titles = preset_titles()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Begin with", [*titles, SCRATCH], key=BEGIN, persist_state="session", on_change=_begin,
            format_func=lambda name: titles.get(name, name),
            help="An experiment of the course's reports as it was, or its quick version; all of it can be changed.",
        )  # fmt: skip
        with st.popover("Upload", icon=":material/upload:", help="A study's TOML file, from here or elsewhere"):
            _upload()
        if BEFORE in st.session_state:
            st.button(
                "Bring back what I had", icon=":material/undo:", key="experiment_bring_back", on_click=bring_back,
                help="The study that you were writing, before another one took its place.",
            )  # fmt: skip
    if (begun := st.session_state[BEGIN]) in titles and (about := _about(begun)):
        st.caption(plain(about))


@st.cache_data(show_spinner=False)
def preset_titles() -> dict[str, str]:
    """Name → how it is called on the page; the quickstart first."""
    found = {name: f"{name}: {study.question}" for name, study in presets()}
    return {name: found[name] for name in sorted(found, key=lambda name: name != FIRST)}


@st.cache_data(show_spinner=False)
def _about(name: str) -> str:
    """What a preset's file says of itself at its head."""
    lines = (PRESETS / f"{name}.toml").read_text("utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))


def _begin() -> None:
    chosen = st.session_state[BEGIN]
    replace_draft(dict(EMPTY) if chosen == SCRATCH else record_of(read_study(chosen)))


def _upload() -> None:
    file = st.file_uploader("A study's file", type=["toml"], max_upload_size=1, key="experiment_upload")
    if file is None or st.session_state.get(UPLOADED) == file.file_id:
        return
    try:
        record = record_of(parse_study(file.getvalue(), file.name.removesuffix(".toml")))
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.session_state[UPLOADED] = file.file_id
    replace_draft(record)
    st.rerun(scope="fragment")


def _file(record: Record) -> Record | None:
    """The study as an editable text; None while the text is no study."""
    typed, made = st.session_state.get(TYPED, ("", {}))
    holds = made | {"name": ""} == record | {"name": ""}
    text = typed if holds else toml_of_record(record)  # as it was typed, with its remarks and slips
    with st.container(key="experiment_file_text"):
        text = st.text_area(
            "The study as a file", text, key=key_of("text"), height=420, label_visibility="collapsed",
        )  # fmt: skip
    st.caption("TOML: [dimensions] holds what is varied; what stands above it is fixed. Ctrl + Enter applies it.")
    try:
        found = record_of_toml(text, record.get("name", "study"))
    except InklingError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.caption("The form follows as soon as the file is right.")
        st.session_state[TYPED] = text, record
        return None
    if text != typed and found["name"] != record.get("name"):
        next_turn()  # the field takes the file's name
    st.session_state[TYPED] = text, found
    return found

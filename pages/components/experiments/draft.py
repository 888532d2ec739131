"""The study that is being written: a record as in a study's file, whichever of form and file it is written in."""

from copy import deepcopy
from dataclasses import fields
from typing import Any

import streamlit as st
import tomli_w

from core.errors import InklingError
from core.experiments.dimensions import DIMENSIONS
from core.experiments.study import Study, text_of
from core.experiments.study_file import parse_study, read_study

Record = dict[str, Any]  # as TOML has it; what was typed and is no number stays as text, and the study says so
DRAFT, ORIGIN, BEFORE, TURN = (f"experiment_draft{part}" for part in ("", "_origin", "_before", "_turn"))
FIRST = "quickstart"  # it needs no data set of one's own
ALWAYS = ("question", "hypothesis", "name", "dataset", "network", "strategy", "seeds")
EMPTY: Record = {
    "question": "", "hypothesis": "", "dataset": "digits-8x8", "network": "cnn", "strategy": "grid", "epochs": 3,
    "seeds": 2, "dimensions": {"dropout": [0.1, 0.3, 0.5]},
}  # fmt: skip


def draft() -> Record:
    """The visitor's draft; on the first visit it is the quickstart."""
    if DRAFT not in st.session_state:
        replace_draft(record_of(read_study(FIRST)))
    return st.session_state[DRAFT]


def record_of(study: Study) -> Record:
    """As short as a person would write it: what is as it is without a word is left out."""
    defaults = {field.name: field.default for field in fields(Study)} | {"objectives": ["accuracy"]}
    record = study.to_json()
    del record["format"]
    return deepcopy({key: value for key, value in record.items() if key in ALWAYS or value != defaults.get(key)})


def keep_draft(record: Record) -> None:
    """As the widgets have it now."""
    st.session_state[DRAFT] = record
    if st.session_state.get(ORIGIN) is None:  # nobody has changed anything yet
        st.session_state[ORIGIN] = deepcopy(record)


def replace_draft(record: Record) -> None:
    """By one from elsewhere: all widgets begin anew. What was changed by hand can be brought back."""
    now = st.session_state.get(DRAFT)
    origin = st.session_state.get(ORIGIN)
    if now is not None and origin is not None and now != origin:
        st.session_state[BEFORE] = now
    st.session_state[DRAFT], st.session_state[ORIGIN] = record, None
    next_turn()


def bring_back() -> None:
    """The draft that was replaced last."""
    before = st.session_state.pop(BEFORE)
    st.session_state[DRAFT], st.session_state[ORIGIN] = before, {}  # what was changed by hand stays so
    next_turn()


def next_turn() -> None:
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def key_of(field: str) -> str:
    """The key of a field's widget in this turn.

    A widget takes what it begins with as an argument in each run. Were it set once by the session state, a run that is
    cut off on its way to the browser would leave it as empty as Streamlit makes it, and the draft with it.
    """
    return f"experiment_{field}_{st.session_state.get(TURN, 0)}"


def toml_of_record(record: Record) -> str:
    """As a person would write it: a line for each dimension."""
    own = [f"{key} = {_toml(value)}" for key, value in record.items() if key != "dimensions"]
    dimensions = [f"{name} = {_toml(values)}" for name, values in record.get("dimensions", {}).items()]
    return "\n".join([*own, "", "[dimensions]", *dimensions, ""])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()


def record_of_toml(text: str, name: str) -> Record:
    """The checked record in a file's text; raises `InklingError`, with the line, for what is no study."""
    return record_of(parse_study(text.encode(), name))


def study_of(record: Record) -> Study:
    """Raises `InklingError` for a record that is no study yet."""
    return Study.from_json({key: value for key, value in record.items() if key != "name"}, record.get("name", ""))


def problem_of(record: Record) -> str:
    try:
        study_of(record)
    except InklingError as error:
        return str(error)
    return ""


def has_lists(name: str) -> bool:
    """Whether a value may hold commas itself: the filters of each layer, the letters that are taught."""
    return DIMENSIONS[name].kind is None or name == "letters"


def values_text(name: str, values: list[Any]) -> str:
    """A dimension's values as they are typed: with commas between; with semicolons where a value may be a list."""
    apart = "; " if has_lists(name) else ", "
    return apart.join(text_of(tuple(value) if isinstance(value, list) else value) for value in values)


def values_of_text(name: str, text: str) -> list[Any]:
    """The values that were typed; what is no number stays text, for the study to refuse."""
    parts = [part.strip() for part in text.replace("\n", " ").split(";" if has_lists(name) else ",")]
    return [value_of_text(name, part) for part in parts if part]


def value_of_text(name: str, text: str) -> Any:
    kind = DIMENSIONS[name].kind
    if kind is None:
        numbers = [number_of(part.strip(), int) for part in text.split(",") if part.strip()]
        return numbers[0] if len(numbers) == 1 else numbers
    return number_of(text.strip(), kind) if kind in (int, float) else text.strip()


def number_of(text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text

"""A study as a form: its record's fields as widgets, and the record as they have it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.data.registry import names
from core.data.uploads import list_uploads
from core.experiments import CLASSICS, PRUNING, STRATEGIES
from core.experiments.dimensions import DIMENSIONS, Dimension
from core.experiments.study import LIMITS, MOST_TEXT
from core.networks.spec import ARCHITECTURES
from pages.components.experiments.draft import DRAFT, Record, draft, key_of, next_turn, number_of
from pages.components.experiments.fields import DRAWING, choice, setting_field, title_of, values_field
from pages.components.experiments.words import STRATEGY_TITLES
from pages.components.train.titles import NETWORKS, dataset_title

ABOUT_STRATEGY = (
    "Grid: all combinations. One at a time: each dimension in turn, the others held at the best so far, over several "
    "rounds. Random: drawn evenly. TPE (tree-structured Parzen estimator): drawn more often where earlier trials went "
    "well."
)
OBJECTIVES = {"accuracy": "Accuracy", "seconds": "Training time"}
PRUNING_TITLES = {
    "none": "none: each trial is trained to its end",
    "median": "median: ends those below half of the others",
    "hyperband": "Hyperband: many short trials, few long ones",
}


def study_form(record: Record) -> Record:
    """Shows the fields; the record as the visitor has it now."""
    record = dict(record)
    _question(record)
    _what(record)
    with st.container(border=True):
        st.markdown("**Dimensions**", help="What is varied. Each dimension has the values that are tried.")
        record["dimensions"] = _dimensions(record)
    with st.container(border=True):
        st.markdown(
            "**Held fixed**", help="The same in all trials. What is not named is as the network's recipe has it."
        )
        _fixed(record)
    _how(record)
    return record


def _question(record: Record) -> None:
    record["question"] = st.text_input(
        "Question", record.get("question", ""), key=key_of("question"), max_chars=MOST_TEXT,
        placeholder="Does dropout help a small network?",
    )  # fmt: skip
    record["hypothesis"] = st.text_area(
        "Hypothesis", record.get("hypothesis", ""), key=key_of("hypothesis"), max_chars=MOST_TEXT, height=80,
        placeholder="0.3 beats 0.5; more hurts.",
        help="What you expect, and why. It is fixed when the study begins, and stands beside the result after.",
    )  # fmt: skip


def _what(record: Record) -> None:
    left, right = st.columns(2)
    given = record.get("dataset", "mnist")
    with left:
        record["dataset"] = choice(
            "Data set", [*names(), *list_uploads()], given, "dataset", format_func=dataset_title,
            help="Its training samples teach and, a part kept back, measure. Its test samples are not looked at. "
            "Upload data of your own on the Train page.",
        )  # fmt: skip
    given = record.get("network", "cnn")
    with right:
        record["network"] = choice(
            "Base network", [*ARCHITECTURES, *CLASSICS], given, "network",
            format_func=lambda name: NETWORKS.get(name, name),
            help="What the dimensions change. Layers, filters and their like are dimensions of cnn only.",
        )  # fmt: skip


def _dimensions(record: Record) -> dict[str, Any]:
    values = record.get("dimensions", {})
    shown = {}
    for name, given in values.items():
        shown[name] = _row(name, lambda name=name, given=given: values_field(name, given, record.get("strategy", "")),
                           lambda name=name: _without_dimension(name))  # fmt: skip
    _adding("dimension", record, "Add a dimension", _with_dimension)
    return shown


def _fixed(record: Record) -> None:
    for name in [name for name in record if name in DIMENSIONS and name != "network"]:
        record[name] = _row(
            name, lambda name=name: setting_field(name, record[name]), lambda name=name: _without_setting(name)
        )
    _adding("setting", record, "Hold another one fixed", _with_setting)


def _row(name: str, field: Callable[[], Any], remove: Callable[[], None]) -> Any:
    """A field with a button that takes it away."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container():
            value = field()
        st.button(
            "Remove", icon=":material/close:", key=f"experiment_without_{name}", on_click=remove, width=105,
            help=f"{DIMENSIONS[name].label}: no part of this study.",
        )  # fmt: skip
    return value


def _adding(kind: str, record: Record, label: str, add: Callable[[str], None]) -> None:
    taken = {*record.get("dimensions", {})}
    if kind == "setting":
        taken |= {*record, "network"}  # a dimension may be what was held fixed until now
    free = [name for name, dimension in DIMENSIONS.items() if name not in taken and _applies(dimension, record)]
    key = f"experiment_add_{kind}"

    def chosen() -> None:
        if name := st.session_state[key]:
            add(name)
        st.session_state[key] = None

    st.selectbox(
        label, free, index=None, key=key, on_change=chosen, placeholder=f"{label} …", label_visibility="collapsed",
        format_func=lambda name: f"{title_of(DIMENSIONS[name])}: {DIMENSIONS[name].about}",
    )  # fmt: skip


def _applies(dimension: Dimension, record: Record) -> bool:
    """Whether the study may have it at all."""
    return dimension.of != "cnn" or record.get("network") == "cnn" or "network" in record.get("dimensions", {})


def _with_dimension(name: str) -> None:
    record = draft()
    record.pop(name, None) if name != "network" else None
    values = [list(value) if isinstance(value, tuple) else value for value in DIMENSIONS[name].values]
    st.session_state[DRAFT] = record | {"dimensions": record.get("dimensions", {}) | {name: values}}


def _without_dimension(name: str) -> None:
    record = draft()
    left = {other: values for other, values in record.get("dimensions", {}).items() if other != name}
    st.session_state[DRAFT] = record | {"dimensions": left}
    next_turn()  # the name may come back, with its first values


def _with_setting(name: str) -> None:
    value = DIMENSIONS[name].values[0]
    st.session_state[DRAFT] = draft() | {name: list(value) if isinstance(value, tuple) else value}


def _without_setting(name: str) -> None:
    st.session_state[DRAFT] = {key: value for key, value in draft().items() if key != name}
    next_turn()


def _how(record: Record) -> None:
    left, right = st.columns(2)
    with left:
        record["strategy"] = choice(
            "Strategy", STRATEGIES, record.get("strategy", "grid"), "strategy", format_func=STRATEGY_TITLES.get,
            help=ABOUT_STRATEGY,
        )  # fmt: skip
    with right:
        _number(record, "seeds", "Seeds", 1, "How often each combination is trained, with other random numbers: only "
                "so an effect can be told from chance.")  # fmt: skip
    if record["strategy"] in DRAWING:
        _number(record, "trials", "Trials", 50, "How many combinations are drawn.")
    elif record["strategy"] == "one-at-a-time":
        _number(record, "rounds", "Rounds", 2, "How often all dimensions are gone through; a round without a "
                "change is the last.")  # fmt: skip
    with st.expander("More about how", icon=":material/tune:"):
        _more(record)


def _more(record: Record) -> None:
    chosen = st.pills(
        "Objectives", list(OBJECTIVES), selection_mode="multi", format_func=OBJECTIVES.get, wrap=True,
        default=list(record.get("objectives", ["accuracy"])), key=key_of("objectives"),
        help="What makes a trial good: accuracy on validation samples, or a short training, or both: then there are "
        "several best ones.",
    )  # fmt: skip
    _keep(record, "objectives", [name for name in OBJECTIVES if name in chosen], ["accuracy"])
    pruning = choice(
        "Pruning", PRUNING, record.get("pruning", "none"), "pruning", format_func=PRUNING_TITLES.get,
        help="Trials that do badly after their first epochs are ended early.",
    )  # fmt: skip
    _keep(record, "pruning", pruning, "none")
    left, right = st.columns(2)
    with left:
        _number(record, "folds", "Folds", 0, "Cross-validation: each combination is trained once a fold. 0: one part, "
                "the same for all, is kept back to measure.")  # fmt: skip
        _number(record, "seed", "First seed", 0, "The random numbers of the first repetition.")
    with right:
        text = st.text_input(
            "Budget (minutes)", f"{record['minutes']:g}" if _is_number(record) else "", key=key_of("minutes"),
            placeholder="no limit", help="After it no further trial begins.",
        )  # fmt: skip
        _number(record, "final_epochs", "Epochs of the winner", 0, "When the best is trained anew for the test set; 0: "
                "as long as in the study.")  # fmt: skip
        _keep(record, "minutes", number_of(text.strip(), float) if text.strip() else None, None)


def _number(record: Record, name: str, label: str, default: int, about: str) -> None:
    low, high = LIMITS[name]
    value = st.number_input(label, low, high, record.get(name, default), key=key_of(name), step=1, help=about)
    _keep(record, name, default if value is None else int(value), default if name != "seeds" else None)


def _keep(record: Record, name: str, value: Any, default: Any) -> None:
    """In the record, unless it is as it is without a word."""
    if value == default:
        record.pop(name, None)
    else:
        record[name] = value


def _is_number(record: Record) -> bool:
    return isinstance(record.get("minutes"), int | float)

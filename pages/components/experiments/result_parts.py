"""What several sections of a study's results share: trials in words, the choice of one."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.experiments.dimensions import DIMENSIONS
from core.experiments.study import Study, text_of
from core.networks.store import free_name

MOST_CHOICES = 200  # the best trials that a list offers


def settings_of(study: Study, row: Any) -> str:
    """A trial's value of each dimension, as in "Dropout 0.1, Filters 8"."""
    return ", ".join(f"{DIMENSIONS[name].label} {value_text(row[name])}" for name in study.dimensions)


def value_text(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """The trials that ended well, the best first."""
    done = table[(table["state"] == "complete") & table["accuracy"].notna()]
    return done.sort_values(["accuracy", "seconds"], ascending=[False, True])


def choose_trial(study: Study, trials: pd.DataFrame, key: str, label: str = "Trial") -> Any:
    """One of the trials, the first at the beginning; its row."""
    offered = trials.head(MOST_CHOICES)
    names = {int(row["number"]): _name(study, row) for row in offered.to_dict("records")}
    number = st.selectbox(
        label, list(names), format_func=names.get, key=key,
        help=f"The best {len(names)} of {len(trials):,}, the best first." if len(trials) > len(names) else None,
    )  # fmt: skip
    return trials[trials["number"] == number].iloc[0]


def choose_trials(
    study: Study, trials: pd.DataFrame, key: str, label: str, most: int, default: Sequence[int]
) -> list[int]:
    names = {int(row["number"]): _name(study, row) for row in trials.head(MOST_CHOICES).to_dict("records")}
    default = [number for number in default if number in names]
    return st.multiselect(label, list(names), format_func=names.get, default=default, max_selections=most, key=key)


def name_and_button(label: str, study: Study, row: Any, begin: Callable[..., None], *arguments: Any) -> None:
    """What a trial shall be called in the store, and the button that calls `begin` with the name as its last one."""
    wish = free_name(f"{study.name}-{row['number']}"[:50])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"experiment_keep_name_{study.name}_{row['number']}_{wish}"
        st.text_input("Name", wish, key=key, max_chars=60)
        st.button(
            label, type="primary", icon=":material/inventory_2:", key="experiment_keep",
            on_click=lambda: begin(*arguments, st.session_state[key].strip()),  # as it is typed by then
        )  # fmt: skip


def _name(study: Study, row: Any) -> str:
    return f"{row['number']}: {row['accuracy']:.2%} · {settings_of(study, row)}"


def points(share: float) -> str:
    return f"{share * 100:+.2f}".replace("-", "−") + " points"

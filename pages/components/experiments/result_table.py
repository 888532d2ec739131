"""All trials: sorted by a click on a column, filtered, and to be taken away as CSV."""

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.experiments.dimensions import DIMENSIONS
from core.experiments.study import Range, Study
from pages.components.experiments.result_parts import value_text

if TYPE_CHECKING:
    from core.experiments.storage import Storage

HIDDEN = ("units", "accuracies")
TITLES = {
    "number": "trial", "sd": "SD", "n": "trainings", "seconds": "time (s)", "train_accuracy": "on training samples",
    "before": "untrained", "epochs_done": "epochs planned", "cached": "shared", "problem": "reason",
}  # fmt: skip
SHARES = ("accuracy", "sd", "train_accuracy", "gap", "before")
PRUNED = "pruned: others did better at the same epoch"
ABOUT = {
    "accuracy": "On validation samples, the mean over the repetitions.",
    "sd": "Standard deviation of the accuracy over the repetitions.",
    "gap": "Accuracy on training samples above that on validation samples: large where a network learns by heart. "
    "Training accuracy is counted with dropout at work, which lowers it.",
    "seconds": "Of one training, on one thread.",
    "before": "Accuracy of the network before it was trained.",
    "problem": "Why it failed, or was pruned.",
}


def trials(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    shown = _filtered(study, table)
    count = f"{len(shown):,} of {len(table):,} trials" if len(shown) < len(table) else f"{len(table):,} trials"
    states = shown["state"].value_counts()
    parts = ", ".join(f"{number:,} {state}" for state, number in states.items())
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"{count}: {parts}." if len(shown) else "No trial is like this; take filters away.")
        st.download_button(
            "CSV", lambda: csv_of(shown), f"{study.name}.csv", "text/csv", icon=":material/download:",
            key="experiment_csv", on_click="ignore", help="These rows with all columns.",
        )  # fmt: skip
    rows = shown.drop(columns=list(HIDDEN)).assign(**{name: shown[name] * 100 for name in SHARES})
    cut = (rows["state"] == "pruned") & (rows["problem"] == "")
    rows["problem"] = rows["problem"].mask(cut, PRUNED)
    mixed = [name for name in study.dimensions if rows[name].dtype == object]
    rows = rows.assign(**{name: [_cell(value) for value in rows[name]] for name in mixed})
    st.dataframe(
        rows, hide_index=True, width="stretch", key="experiment_table", column_config=_columns(study),
        column_order=_order(study, rows), height=min(600, 40 + 35 * max(1, len(rows))),
    )  # fmt: skip
    st.caption("A click on a column's name sorts by it. Accuracies in percent, on validation samples.")


def csv_of(table: pd.DataFrame) -> bytes:
    """Shares in [0, 1]; the accuracies of the repetitions side by side, separated by spaces."""
    accuracies = [" ".join(f"{value:.6g}" for value in values) for values in table["accuracies"]]
    return table.assign(accuracies=accuracies).drop(columns="units").to_csv(index=False).encode()


def _filtered(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    with st.popover("Filter", icon=":material/filter_list:"):
        known = list(dict.fromkeys(table["state"]))
        states = st.multiselect("State", known, key="experiment_filter_state", placeholder="all")
        shown = table[table["state"].isin(states)] if states else table
        for name, values in study.dimensions.items():
            shown = shown[_chosen(name, values, shown[name])]
    return shown


def _chosen(name: str, values: Any, column: pd.Series) -> pd.Series:
    """Which rows have a value that was chosen for this dimension; all while none was."""
    label, key = DIMENSIONS[name].label, f"experiment_filter_{name}"
    if isinstance(values, Range):
        low, high = st.slider(label, values.low, values.high, (values.low, values.high), key=key)
        return column.between(low, high)
    options = [value_text(value) for value in values]
    chosen = st.multiselect(label, options, key=key, placeholder="all")
    return column.map(lambda value: not chosen or (value is not None and value_text(value) in chosen)).astype(bool)


def _cell(value: Any) -> str | None:
    return None if value is None else value_text(value)


def _order(study: Study, rows: pd.DataFrame) -> list[str]:
    """The reason stands first among what follows where there is one; what is empty throughout is left out."""
    first = ["number", "state", *study.dimensions, "accuracy", "sd", "problem"]
    rest = [name for name in rows.columns if name not in first]
    return [name for name in [*first, *rest] if name in study.dimensions or _has_any(rows[name])]


def _has_any(column: pd.Series) -> bool:
    return bool((column.notna() & (column.astype(str) != "")).any())


def _columns(study: Study) -> dict[str, Any]:
    titles = TITLES | {name: DIMENSIONS[name].label.lower() for name in study.dimensions}
    found: dict[str, Any] = {}
    for name in {*titles, *SHARES, "parameters", "state"}:
        title, about = titles.get(name, name), ABOUT.get(name)
        if name in SHARES:
            unit = " (points)" if name in ("gap", "sd") else " (%)"
            found[name] = st.column_config.NumberColumn(title + unit, format="%.2f", help=about)
        elif name == "seconds":
            found[name] = st.column_config.NumberColumn(title, format="%.2f", help=about)
        elif name == "parameters":
            found[name] = st.column_config.NumberColumn(title, format="localized", help=about)
        else:
            found[name] = st.column_config.Column(title, help=about)
    return found

"""What accuracy costs, and how chosen trials learned."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.experiments.ledger import Ledger
from core.experiments.study import Study
from core.report.experiment_cost_figures import before_after_figure, cost_figure, learning_figure, pareto_front
from pages.components.experiments.result_parts import choose_trials, finished, settings_of
from pages.components.figure import show_figure

if TYPE_CHECKING:
    from core.experiments.storage import Storage

MOST_CURVES, AT_FIRST, MOST_BARS = 6, 3, 15


def cost(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    if not table["accuracy"].notna().any():
        st.info("No trial came far enough to be measured; the table says why.", icon=":material/info:")
        return
    if len(finished(table)):
        left, right = st.columns(2, gap="large")
        with left:
            _cost(study, table, "seconds")
        with right:
            _cost(study, table, "parameters")
    left, right = st.columns(2, gap="large")
    with left:
        _learning(study, storage, table)
    with right:
        _before_after(study, table)


def _cost(study: Study, table: pd.DataFrame, kind: str) -> None:
    done = finished(table).dropna(subset=[kind])
    if not len(done):
        return
    objective = " The search itself looked for this front." if kind == "seconds" and len(study.objectives) > 1 else ""
    front = done.iloc[pareto_front(done[kind].to_numpy(float), done["accuracy"].to_numpy(float))]
    cheap = front.iloc[0]
    show_figure(
        cost_figure(table, kind), f"experiment_cost_{kind}",
        f"On the front (Pareto) no trial is both cheaper and more accurate; {len(front)} of {len(done):,} are on it. "
        f"The cheapest of them: {settings_of(study, cheap)}.{objective}"
        + (" Times of trials that ran beside others are longer than alone." if kind == "seconds" else ""),
    )  # fmt: skip


def _learning(study: Study, storage: "Storage", table: pd.DataFrame) -> None:
    known = table[table["accuracy"].notna() & (table["units"].map(len) > 0)]
    known = known.sort_values("accuracy", ascending=False).drop_duplicates("units")
    best, cut = known[known["state"] == "complete"], known[known["state"] == "pruned"]
    default = [*best["number"].head(AT_FIRST), *cut["number"].head(1)]
    chosen = choose_trials(study, known, "experiment_curves", "Learning curves of", MOST_CURVES, default)
    rows = {int(row.number): row for row in known[known["number"].isin(chosen)].itertuples()}
    records = Ledger(storage).read([key for row in rows.values() for key in row.units])
    curves = {number: [records[key] for key in rows[number].units if key in records] for number in chosen}
    if not any(curves.values()):
        st.info("Choose trials to see how they learned." if not chosen else "No curve was kept of these trials.",
                icon=":material/show_chart:")  # fmt: skip
        return
    pruned = [number for number in chosen if rows[number].state == "pruned"]
    show_figure(
        learning_figure(curves, pruned), "experiment_learning",
        "The mean over a trial's repetitions, from the untrained network on. A cross ends a trial that was pruned "
        "because others did better at the same epoch.",
    )  # fmt: skip


def _before_after(study: Study, table: pd.DataFrame) -> None:
    rows = finished(table)
    rows = rows[rows["before"].notna()].head(MOST_BARS)
    if not len(rows):
        return
    names = {int(row["number"]): f"{row['number']}" for row in rows.to_dict("records")}
    show_figure(
        before_after_figure(table, names), "experiment_before_after",
        f"The best {len(rows)} trials: where they began, and where training brought them. A stroke right of the "
        "diamond is better on what taught it than on other samples; left of it, dropout was at work while it was "
        "counted.",
    )  # fmt: skip

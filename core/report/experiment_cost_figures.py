"""What accuracy costs: time, parameters, epochs; and how the chosen trials learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.report.curves import DASHES, LEGEND, MARKERS
from core.report.experiment_figures import ACCURACY, GRID, focus, thinned
from core.report.figures import ACCENT, DIGIT_COLOURS, GREY, SECOND, TEMPLATE, WRONG, label_text

WIDE = 30  # a largest cost so many times the smallest is shown by its logarithm
COSTS = {"seconds": "training time (s)", "parameters": "parameters"}


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Positions of the trials that no other beats at the same cost or less, the cheapest first."""
    order = np.lexsort((-accuracy, cost))
    best = np.maximum.accumulate(accuracy[order])
    better = np.r_[True, best[1:] > best[:-1]] if len(order) else np.empty(0, bool)
    return order[better]


def cost_figure(table: pd.DataFrame, cost: str) -> go.Figure:
    """Accuracy against a cost of `COSTS`, with the Pareto front; pruned trials marked."""
    figure = go.Figure()
    done = table[(table["state"] == "complete") & table["accuracy"].notna() & table[cost].notna()]
    pruned = table[(table["state"] == "pruned") & table["accuracy"].notna() & table[cost].notna()]
    for rows, name, symbol, colour in (
        (thinned(done), "trained", "circle", GREY),
        (thinned(pruned), "pruned", "x", WRONG),
    ):
        if len(rows):
            figure.add_trace(
                go.Scatter(
                    x=rows[cost], y=rows["accuracy"] * 100, mode="markers", name=name, customdata=rows["number"],
                    marker={"size": 7, "symbol": symbol, "color": colour, "opacity": 0.7},
                    hovertemplate="trial %{customdata}: %{x:,.4g}, %{y:.2f} %<extra></extra>",
                )
            )  # fmt: skip
    front = done.iloc[pareto_front(done[cost].to_numpy(float), done["accuracy"].to_numpy(float))]
    if len(front):
        figure.add_scatter(
            x=front[cost], y=front["accuracy"] * 100, mode="lines+markers", name="Pareto front",
            line={"color": ACCENT, "width": 2, "shape": "hv"}, customdata=front["number"],
            marker={"size": 11, "symbol": "diamond", "color": ACCENT},
            hovertemplate="trial %{customdata}: %{x:,.4g}, %{y:.2f} %<extra></extra>",
        )  # fmt: skip
    name = COSTS[cost].partition(" (")[0]
    _lay_out(figure, f"Accuracy against {name}", COSTS[cost], ACCURACY)
    known = table[cost].dropna()
    if len(known) and 0 < known.min() * WIDE < known.max():
        figure.update_xaxes(type="log", dtick=1)
    figure.update_xaxes(showgrid=True, gridcolor=GRID, rangemode="tozero")
    figure.update_yaxes(range=focus(done["accuracy"] * 100))
    return figure


def learning_figure(curves: Mapping[int, Sequence[Mapping[str, Any]]], pruned: Sequence[int] = ()) -> go.Figure:
    """Validation accuracy after each epoch of some trials; the mean over a trial's repetitions, as far as all went.

    `curves`: trial → its trainings' records as of `Ledger.read`.
    """
    figure = go.Figure()
    for i, (number, records) in enumerate(curves.items()):
        runs = [record["epochs"] for record in records if record["epochs"]]
        length = min(map(len, runs), default=0)
        if not length:
            continue
        accuracy = np.mean([[epoch["accuracy"] * 100 for epoch in run[:length]] for run in runs], axis=0)
        epochs = [epoch["epoch"] for epoch in runs[0][:length]]
        before = [record["before"]["accuracy"] * 100 for record in records if record.get("before")]
        if before:
            epochs, accuracy = [0, *epochs], np.r_[np.mean(before), accuracy]
        name = f"trial {number}" + (" (pruned)" if number in pruned else "")
        figure.add_scatter(
            x=epochs, y=accuracy, mode="lines+markers", name=name,
            line={"color": DIGIT_COLOURS[i % len(DIGIT_COLOURS)], "width": 2, "dash": DASHES[i % len(DASHES)]},
            marker={"size": 8, "symbol": MARKERS[i % len(MARKERS)]},
            hovertemplate=f"{name}, epoch %{{x}}: %{{y:.2f}} %<extra></extra>",
        )  # fmt: skip
        if number in pruned:
            figure.add_scatter(
                x=[epochs[-1]], y=[accuracy[-1]], mode="markers", showlegend=False, hoverinfo="skip",
                marker={"size": 15, "symbol": "x-thin", "line": {"width": 3, "color": WRONG}},
            )  # fmt: skip
    _lay_out(figure, "How the chosen trials learned", "epoch (0: untrained)", ACCURACY)
    longest = max((len(record["epochs"]) for records in curves.values() for record in records), default=1)
    figure.update_xaxes(tick0=0, dtick=max(1, round(longest / 8)))
    return figure


def before_after_figure(table: pd.DataFrame, names: Mapping[int, str]) -> go.Figure:
    """A line for each trial of `names` from its untrained accuracy to its trained one, the best at the top."""
    rows = table[table["number"].isin(list(names)) & table["accuracy"].notna()].sort_values("accuracy", ascending=False)
    places = list(range(len(rows)))
    figure = go.Figure()
    for i, row in zip(places, rows.itertuples(), strict=True):
        figure.add_scatter(
            x=[row.before * 100, row.accuracy * 100], y=[i, i], mode="lines", line={"color": GREY, "width": 2},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    kinds = (
        ("before", "untrained", "circle-open", SECOND),
        ("train_accuracy", "training samples", "line-ns-open", GREY),
        ("accuracy", "validation samples", "diamond", ACCENT),
    )
    for column, name, symbol, colour in kinds:
        figure.add_scatter(
            x=rows[column] * 100, y=places, mode="markers", name=name, customdata=rows["number"],
            marker={"size": 11, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            hovertemplate=f"trial %{{customdata}}, {name}: %{{x:.2f}} %<extra></extra>",
        )  # fmt: skip
    _lay_out(figure, "Before and after training", "accuracy (%)", "trial")
    figure.update_layout(height=210 + 26 * len(rows), margin={"t": 120})  # on a phone the legend takes three lines
    figure.update_xaxes(range=[0, 102], showgrid=True, gridcolor=GRID)
    text = [label_text(names[number]) for number in rows["number"]]
    figure.update_yaxes(tickvals=places, ticktext=text, range=[len(rows) - 0.4, -0.6], showgrid=False)
    return figure


def _lay_out(figure: go.Figure, title: str, x_title: str, y_title: str) -> None:
    figure.update_layout(template=TEMPLATE, title=title, height=380, showlegend=True, legend=LEGEND, margin={"t": 80})
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)

"""A study's trials as figures: how the search went, what each dimension does, which of them matter."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.experiments.dimensions import DIMENSIONS
from core.experiments.effects import Effect
from core.report.curves import LEGEND
from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, WRONG, label_text

GRID = "rgba(128,136,149,0.2)"
SPREAD = 0.28  # of a column's width: trials with one value stand beside each other, so that all are seen
MANY = 1500  # points that a figure draws; of more trials every second, third, … is shown
# Cells of a heat map, the same on a light and on a dark page: dark figures on weak ones, white ones on strong ones.
HEAT = [[0, "#e3efed"], [1, "#12776d"]]
ON_WEAK, ON_STRONG = "#0b1218", "#ffffff"
STRONG = 0.86  # of the way: here both have a contrast of 4.2 : 1, and everywhere else more
FEW = 12  # trials, each of which has a tick
WRITTEN = 60  # cells of a heat map, above which its figures stand in the hover only
TRIAL = "trial %{customdata}: %{y:.2f} %<extra></extra>"
ACCURACY = "validation accuracy (%)"


def progress_figure(table: pd.DataFrame) -> go.Figure:
    """Each trial's accuracy in the order they were begun, and the best until then; pruned ones marked."""
    figure = go.Figure()
    best = table.loc[table["state"] == "complete", ["number", "accuracy"]]
    best = best.assign(accuracy=best["accuracy"].cummax())
    steps = best[(best["accuracy"].diff() != 0) | (best["number"] == best["number"].max())]
    table = thinned(table)
    done = table[table["state"] == "complete"]
    pruned = table[(table["state"] == "pruned") & table["accuracy"].notna()]
    for rows, name, symbol, colour in ((done, "trained", "circle", ACCENT), (pruned, "pruned", "x", GREY)):
        if len(rows):
            figure.add_trace(
                go.Scatter(
                    x=rows["number"], y=rows["accuracy"] * 100, mode="markers", name=name, customdata=rows["number"],
                    marker={"size": 7, "symbol": symbol, "color": colour, "opacity": 0.7}, hovertemplate=TRIAL,
                )
            )  # fmt: skip
    if len(done):
        figure.add_scatter(
            x=steps["number"], y=steps["accuracy"] * 100, mode="lines", name="best so far",
            line={"color": SECOND, "width": 2, "shape": "hv"},
            hovertemplate="best until trial %{x}: %{y:.2f} %<extra></extra>",
        )  # fmt: skip
    _lay_out(figure, "The search, trial by trial", "trial", ACCURACY, legend=True)
    figure.update_yaxes(range=focus(done["accuracy"] * 100))
    if len(table) <= FEW:
        figure.update_xaxes(dtick=1)  # there is no trial 0.2
    return figure


def effects_figure(effects: Sequence[Effect], title: str = "What each dimension does") -> go.Figure:
    """Differences of the mean accuracy in points with 95 % intervals; what is decided is filled, the rest hollow."""
    names = [f"{DIMENSIONS[e.dimension].label}: {label_text(e.value)}" for e in effects]
    figure = go.Figure()
    groups = (
        ("decided", True, "circle", ACCENT),
        ("undecided", False, "circle-open", GREY),
    )
    for name, decided, symbol, colour in groups:
        rows = [(i, effect) for i, effect in enumerate(effects) if effect.decided is decided]
        if rows:
            figure.add_scatter(
                x=[effect.difference * 100 for _, effect in rows], y=[i for i, _ in rows], mode="markers", name=name,
                marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2}},
                error_x={
                    "array": [_reach(effect.high, effect.difference) for _, effect in rows],
                    "arrayminus": [_reach(effect.difference, effect.low) for _, effect in rows],
                    "color": colour, "thickness": 2, "width": 5,
                },
                customdata=[[names[i], label_text(e.reference), e.low * 100, e.high * 100] for i, e in rows],
                hovertemplate="%{customdata[0]} instead of %{customdata[1]}: %{x:+.2f} points"
                " (%{customdata[2]:+.2f} to %{customdata[3]:+.2f})<extra></extra>",
            )  # fmt: skip
    _lay_out(figure, title, "difference (points)", "", legend=True)
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_layout(height=150 + 30 * len(effects))
    figure.update_xaxes(range=_effect_limits(effects), showgrid=True, gridcolor=GRID)
    figure.update_yaxes(
        tickvals=list(range(len(effects))), ticktext=names, range=[len(effects) - 0.4, -0.6], showgrid=False,
        title="value",
    )  # fmt: skip
    return figure


def dimension_figure(table: pd.DataFrame, levels: pd.Series, means: pd.DataFrame, label: str) -> go.Figure:
    """Every trial's accuracy over its value, and each value's mean with its 95 % interval (`effects.means`).

    Intervals so wide that they say nothing are told by the hover alone.
    """
    order = [str(value) for value in levels.cat.categories]
    place = {value: i for i, value in enumerate(order)}
    limits = _with_intervals(focus(table.loc[table["state"] == "complete", "accuracy"] * 100), means)
    drawn = _within(limits, means)
    figure, table = go.Figure(), thinned(table)
    for state, symbol, colour in (("complete", "circle", GREY), ("pruned", "x", WRONG)):
        rows = table[(table["state"] == state) & table["accuracy"].notna() & levels.notna()]
        if len(rows):
            x = levels[rows.index].astype(str).map(place).to_numpy(float) + _spread(rows["number"].to_numpy())
            figure.add_trace(
                go.Scatter(
                    x=x, y=rows["accuracy"] * 100, mode="markers", name="a trial" if state == "complete" else state,
                    marker={"size": 6, "symbol": symbol, "color": colour, "opacity": 0.6}, customdata=rows["number"],
                    hovertemplate=TRIAL,
                )
            )  # fmt: skip
    figure.add_scatter(
        x=[place[value] for value in means["value"]], y=means["mean"] * 100, mode="markers", name="mean and interval",
        marker={"size": 12, "symbol": "diamond", "color": ACCENT}, customdata=means[["value", "n", "low", "high"]],
        error_y={
            "array": (drawn["high"] - drawn["mean"]) * 100, "arrayminus": (drawn["mean"] - drawn["low"]) * 100,
            "color": ACCENT, "thickness": 2, "width": 6,
        },
        hovertemplate="%{customdata[0]}: mean %{y:.2f} % of %{customdata[1]} trials"
        " (95 % interval %{customdata[2]:.2%} to %{customdata[3]:.2%})<extra></extra>",
    )  # fmt: skip
    _lay_out(figure, f"Accuracy against {label_text(label.lower())}", label_text(label.lower()), ACCURACY, legend=True)
    figure.update_xaxes(
        tickvals=list(range(len(order))), ticktext=[label_text(value) for value in order],
        range=[-0.6, len(order) - 0.4],
    )  # fmt: skip
    figure.update_yaxes(range=limits)
    return figure


def heat_figure(table: pd.DataFrame, across: pd.Series, down: pd.Series, labels: tuple[str, str]) -> go.Figure:
    """The mean accuracy of the trials in each cell of two dimensions (`effects.levels`); empty where there is none."""
    done = table[(table["state"] == "complete") & table["accuracy"].notna()]
    cells = done.groupby([down[done.index], across[done.index]], observed=False)["accuracy"]
    mean, count = cells.mean().unstack() * 100, cells.count().unstack()  # (down, across)
    figure = go.Figure(
        go.Heatmap(
            z=mean.to_numpy(), x=[label_text(str(v)) for v in mean.columns], y=[label_text(str(v)) for v in mean.index],
            colorscale=HEAT, xgap=2, ygap=2, customdata=count.to_numpy(), hoverongaps=False,
            hovertemplate=f"{label_text(labels[0])} %{{x}}, {label_text(labels[1])} %{{y}}: %{{z:.2f}} %, "
            "%{customdata} trials<extra></extra>",
            colorbar={"title": {"text": "%"}, "thickness": 12, "outlinewidth": 0},
        )
    )  # fmt: skip
    _lay_out(
        figure, f"Mean accuracy by {labels[0].lower()} and {labels[1].lower()}", labels[0].lower(), labels[1].lower()
    )
    if mean.size <= WRITTEN:
        _write_into(figure, mean)
    figure.update_layout(height=max(260, 150 + 44 * len(mean)))
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", showgrid=False)
    return figure


def _write_into(figure: go.Figure, cells: pd.DataFrame) -> None:
    """Their percentages."""
    mean = cells.to_numpy()
    low, high = np.nanmin(mean), np.nanmax(mean)
    strength = (mean - low) / (high - low) if high > low else np.ones_like(mean)
    down, across = np.nonzero(np.isfinite(mean))
    figure.add_scatter(
        x=[label_text(str(cells.columns[j])) for j in across], y=[label_text(str(cells.index[i])) for i in down],
        mode="text", text=[f"{mean[i, j]:.1f}" for i, j in zip(down, across, strict=True)],
        textfont={"size": 12, "color": [ON_STRONG if s > STRONG else ON_WEAK for s in strength[down, across]]},
        hoverinfo="skip",
    )  # fmt: skip


def parallel_figure(table: pd.DataFrame, levels: Mapping[str, pd.Series], labels: Mapping[str, str]) -> go.Figure:
    """A line for each trial through its value of every dimension to its accuracy."""
    done = thinned(table[(table["state"] == "complete") & table["accuracy"].notna()])
    accuracy = done["accuracy"] * 100
    axes = []
    for name, found in levels.items():
        names = [label_text(str(value)) for value in found.cat.categories]
        codes = found[done.index].cat.codes.to_numpy(float) + _spread(done["number"].to_numpy()) / 3
        axes.append(
            {
                "label": label_text(labels[name]), "values": codes, "tickvals": list(range(len(names))),
                "ticktext": names, "range": [-0.3, len(names) - 0.7],
            }
        )  # fmt: skip
    axes.append({"label": "accuracy (%)", "values": accuracy, "tickformat": ".1f"})
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes, labelangle=0, labelfont={"size": 13, "color": GREY}, tickfont={"size": 12, "color": GREY},
            rangefont={"size": 12, "color": GREY}, unselected={"line": {"opacity": 0.05}},
            line={"color": accuracy, "colorscale": [[0, GREY], [1, ACCENT]]},
        )
    )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE, title="All dimensions at once", height=390, margin={"t": 104, "l": 60, "r": 60, "b": 24}
    )
    return figure


def importance_figure(importance: Mapping[str, float], chance: Mapping[str, float], method: str) -> go.Figure:
    """Shares in [0, 1] that sum to 1, the largest at the top; `chance`: what each reaches on shuffled accuracies."""
    names = list(importance)
    shown = [label_text(name) for name in names]
    figure = go.Figure(
        go.Bar(
            x=[importance[name] * 100 for name in names], y=shown, orientation="h", name="importance",
            marker={"color": [ACCENT if importance[name] > chance[name] else GREY for name in names]},
            hovertemplate="%{y}: %{x:.1f} % of the variation that the dimensions explain<extra></extra>",
        )
    )  # fmt: skip
    figure.add_scatter(
        x=[chance[name] * 100 for name in names], y=shown, mode="markers", name="what chance reaches",
        marker={"size": 18, "symbol": "line-ns-open", "color": SECOND, "line": {"width": 3}},
        hovertemplate="%{y}: shuffled accuracies reach %{x:.1f} %<extra></extra>",
    )  # fmt: skip
    _lay_out(figure, f"Importance ({method})", "share of the explained variation (%)", "dimension", legend=True)
    figure.update_layout(height=150 + 36 * len(names))
    figure.update_xaxes(range=[0, 100], showgrid=True, gridcolor=GRID)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def focus(values: pd.Series) -> list[float] | None:
    """An axis' ends around the good trials, so that a few that went wrong do not flatten all others.

    From three interquartile ranges below the median, or the worst where that is above, to the best.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    low, middle, high = np.percentile(known, [25, 50, 75])
    bottom = max(known.min(), middle - 3 * max(high - low, 1.0))
    room = max((known.max() - bottom) * 0.08, 0.1)
    return [float(bottom - room), float(known.max() + room)]


def thinned(table: pd.DataFrame) -> pd.DataFrame:
    """At most `MANY` trials, evenly among all, and the best."""
    if len(table) <= MANY:
        return table
    some = np.arange(len(table)) % -(-len(table) // MANY) == 0
    if table["accuracy"].notna().any():
        some[int(np.nanargmax(table["accuracy"].to_numpy(float)))] = True
    return table[some]


def _with_intervals(limits: list[float] | None, means: pd.DataFrame) -> list[float] | None:
    """Wide enough for the intervals too, but for such as are so wide that they say nothing."""
    if limits is None:
        return None
    low, high = limits
    ends = means[["low", "high"]].dropna().to_numpy(float) * 100
    ends = ends[(ends[:, 0] > low - (high - low)) & (ends[:, 1] < high + (high - low))]
    return [min(low, *ends[:, 0] - 0.2), max(high, *ends[:, 1] + 0.2)] if len(ends) else limits


def _within(limits: list[float] | None, means: pd.DataFrame) -> pd.DataFrame:
    """Without the intervals that do not fit between the limits: a bar without an end would look like a whole one."""
    low, high = limits or [-np.inf, np.inf]
    return means.assign(**means[["low", "high"]].where((means["low"] * 100 >= low) & (means["high"] * 100 <= high)))


def below_focus(values: pd.Series) -> int:
    """How many lie below what `focus` shows."""
    limits = focus(values)
    return int((values < limits[0]).sum()) if limits else 0


def _effect_limits(effects: Sequence[Effect]) -> list[float] | None:
    """Wide enough for all differences and for all intervals but such as say nothing."""
    sizes = [abs(effect.difference) for effect in effects]
    ends = [max(abs(e.low), abs(e.high)) for e in effects if e.has_interval]
    if not sizes:
        return None
    reach = max(1.3 * max(sizes), min(max(ends, default=0.0), 3 * max(sizes)), 0.002) * 110
    return [-reach, reach]


def _reach(end: float, start: float) -> float | None:
    return max(0.0, end - start) * 100 if np.isfinite(end - start) else None


def _spread(numbers: np.ndarray) -> np.ndarray:
    """Beside each other in a fixed order that looks like none: the golden ratio's multiples."""
    return (np.asarray(numbers) * 0.618034 % 1 - 0.5) * 2 * SPREAD


def _lay_out(figure: go.Figure, title: str, x_title: str, y_title: str, legend: bool = False) -> None:
    figure.update_layout(template=TEMPLATE, title=title, height=360, showlegend=legend, legend=LEGEND)
    figure.update_layout(margin={"t": 80 if legend else 48})
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)

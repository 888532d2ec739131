"""Figures of teaching from few samples: methods with intervals, letter by letter, accuracy by number of samples."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, label_text

GRID = "rgba(128,136,149,0.2)"
BAND = "rgba(27,148,136,0.16)"  # the accent, faint
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xref": "paper"}
FEW_SAMPLES = 10  # up to which every number stands at the axis


@dataclass(frozen=True)
class Share:
    """A measured share of samples that were right, with its 95 % interval; all in [0, 1]."""

    name: str
    value: float
    low: float
    high: float
    count: int  # samples


@dataclass(frozen=True)
class Series:
    """Shares that were measured in one way, such as by cross-validation."""

    name: str
    shares: tuple[Share, ...]


def methods_figure(series: Sequence[Series], title: str = "Right, with 95 % intervals") -> go.Figure:
    """A row for each method, the first at the top; in it a point with its interval for each way of measuring."""
    names = list(dict.fromkeys(share.name for one in series for share in one.shares))
    marks = (("circle", ACCENT), ("diamond-open", SECOND), ("x", GREY))
    figure = go.Figure()
    for number, one in enumerate(series):
        symbol, colour = marks[number % len(marks)]
        aside = (number - (len(series) - 1) / 2) * 0.26
        _add_shares(figure, one, [names.index(share.name) + aside for share in one.shares], symbol, colour, across=True)
    _lay_out(figure, title, 100 + 30 * max(2, len(names)) + 26 * len(names))
    figure.update_xaxes(title="right (%)", range=_range(series), showgrid=True, gridcolor=GRID)
    figure.update_yaxes(
        title="method", tickmode="array", tickvals=list(range(len(names))), ticktext=[_in_lines(n) for n in names],
        range=[len(names) - 0.5, -0.5], showgrid=False,
    )  # fmt: skip
    return figure


def letters_figure(
    series: Sequence[Series], title: str = "Right, letter by letter", what: str = "letter", zoomed: bool = False
) -> go.Figure:
    """A column for each letter with a point and its 95 % interval for each way of measuring.

    `zoomed`: the axis begins below the lowest interval, for shares that lie close together.
    """
    names = list(dict.fromkeys(share.name for one in series for share in one.shares))
    marks = (("circle", ACCENT), ("diamond-open", SECOND))
    figure = go.Figure()
    for number, one in enumerate(series):
        symbol, colour = marks[number % len(marks)]
        aside = (number - (len(series) - 1) / 2) * 0.3
        _add_shares(
            figure, one, [names.index(share.name) + aside for share in one.shares], symbol, colour, across=False
        )
    _lay_out(figure, title, 340)
    if zoomed:
        low, high = _range(series, 0.5)
        figure.update_yaxes(title="right (%)", range=[low, min(high, 100.5)])
    else:
        figure.update_yaxes(title="right (%)", range=[-3, 104], tickvals=[0, 25, 50, 75, 100])
    figure.update_xaxes(
        title=what, tickmode="array", tickvals=list(range(len(names))), ticktext=[label_text(n) for n in names],
        range=[-0.6, len(names) - 0.4],
    )  # fmt: skip
    return figure


def growth_figure(
    counts: np.ndarray,
    accuracy: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    expected: tuple[np.ndarray, np.ndarray] | None = None,
    title: str = "Accuracy by number of samples per letter",
) -> go.Figure:
    """The learning curve: shares in [0, 1] over samples a letter, with a band; `expected` (counts, shares) goes on."""
    counts, accuracy, low, high = (np.asarray(values, float) for values in (counts, accuracy, low, high))
    figure = go.Figure(
        [
            go.Scatter(
                x=np.concatenate([counts, counts[::-1]]), y=np.concatenate([high, low[::-1]]) * 100, mode="lines",
                fill="toself", fillcolor=BAND, line={"width": 0}, name="95 % band", hoverinfo="skip",
            ),
            go.Scatter(
                x=counts, y=accuracy * 100, mode="lines+markers", name="measured", line={"color": ACCENT, "width": 2},
                marker={"size": 9}, customdata=np.stack([low, high], 1) * 100,
                hovertemplate="%{x} a letter: %{y:.1f} % right (%{customdata[0]:.1f} to %{customdata[1]:.1f} %)"
                "<extra></extra>",
            ),
        ]
    )  # fmt: skip
    lowest = float(np.min(low)) if len(low) else 0.0
    if expected is not None and len(expected[0]):
        beyond, shares = (np.asarray(values, float) for values in expected)
        figure.add_scatter(
            x=beyond, y=shares * 100, mode="lines", name="expected", line={"color": SECOND, "width": 2, "dash": "dash"},
            hovertemplate="%{x:.0f} a letter: about %{y:.1f} % expected<extra></extra>",
        )  # fmt: skip
    _lay_out(figure, title, 360)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title="samples per letter", showgrid=True, gridcolor=GRID, rangemode="tozero")
    if len(counts) and max(counts[-1], 0 if expected is None else max(expected[0], default=0)) <= FEW_SAMPLES:
        figure.update_xaxes(dtick=1)  # there is no half a sample
    figure.update_yaxes(title="right (%)", range=[max(0.0, lowest * 100 - 6), 103])
    return figure


def _add_shares(figure: go.Figure, series: Series, places: list[float], symbol: str, colour: str, across: bool) -> None:
    values = np.array([share.value for share in series.shares]) * 100
    low = np.array([share.low for share in series.shares]) * 100
    high = np.array([share.high for share in series.shares]) * 100
    bars = {"array": high - values, "arrayminus": values - low, "color": colour, "thickness": 2, "width": 5}
    about = [
        f"{label_text(share.name)}, {series.name}: {share.value:.1%} of {share.count:,} "
        f"({share.low:.1%} to {share.high:.1%})"
        for share in series.shares
    ]
    figure.add_scatter(
        x=values if across else places,
        y=places if across else values,
        mode="markers",
        name=series.name,
        marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
        hovertext=about,
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
        **{"error_x" if across else "error_y": bars},
    )


def _in_lines(name: str) -> str:
    """A method's name, what comes after its comma in a second line."""
    return html.escape(name, quote=False).replace(", ", ",<br>")


def _range(series: Sequence[Series], room: float = 5.0) -> list[float]:
    lowest = min((share.low for one in series for share in one.shares), default=0.0) * 100
    return [max(-2.0, lowest - room), 102.0]


def _lay_out(figure: go.Figure, title: str, height: int) -> None:
    figure.update_layout(
        template=TEMPLATE, title=title, height=height, showlegend=len(figure.data) > 1, legend=LEGEND, margin={"t": 76}
    )

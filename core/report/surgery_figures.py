"""Figures of a changed network: what it answers before and after, its kernels, and its test accuracy."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, SECOND, SIGNED_SCALE, TEMPLATE, label_text
from core.report.replay_figure import montage
from core.training.results import TestResult

MOST = 10  # classes that are shown


def before_after_bars(
    before: np.ndarray, after: np.ndarray, classes: Sequence[str], title: str = "The answer before and after"
) -> go.Figure:
    """`(C,)` probabilities in [0, 1], two bars a class; of many classes the likeliest before or after."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    many = len(classes) > 2 * MOST
    shown = list(range(len(classes)))
    if many:
        shown = np.argsort(-np.maximum(before, after), kind="stable")[:MOST].tolist()
    names = [label_text(classes[i]) for i in shown]
    if many:
        names = [f"{i}. {name}" for i, name in enumerate(names, 1)]  # two classes may have one name
    figure = go.Figure()
    for what, values, colour, pattern in (("before", before, GREY, "/"), ("after", after, ACCENT, "")):
        percent = values[shown] * 100
        across, down = (percent, names) if many else (names, percent)  # many classes have long names
        figure.add_bar(
            x=across, y=down, name=what, orientation="h" if many else "v",
            marker={"color": colour, "pattern": {"shape": pattern, "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)"}},
            hovertemplate=f"%{{{'y' if many else 'x'}}}, {what}: %{{{'x' if many else 'y'}:.2f}} %<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE, title=title, height=460 if many else 300, barmode="group", showlegend=True,
        margin={"t": 76}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    most = max(5.0, float(max(before.max(), after.max())) * 105) if many else 105
    axis = {"range": [0, most], "title": "probability (%)"} | ({} if many else {"tickvals": [0, 50, 100]})
    names_axis = {"type": "category", "title": "class"}
    figure.update_xaxes(**axis if many else names_axis)
    figure.update_yaxes(**names_axis | {"autorange": "reversed", "showgrid": False} if many else axis)
    return figure


def kernels_figure(
    before: np.ndarray, after: np.ndarray, title: str, marked: Sequence[int] = (), narrow: bool = False
) -> go.Figure:
    """`(K, h, w)` kernels before and after in one colour scale, side by side, on a phone one over the other.

    `marked` are framed in both.
    """
    largest = float(max(np.abs(before).max(initial=0), np.abs(after).max(initial=0))) or 1.0
    figure = go.Figure()
    for number, (what, kernels) in enumerate((("before", before), ("after", after)), 1):
        picture = montage(kernels)
        suffix = "" if number == 1 else "2"
        figure.add_heatmap(
            z=picture, xaxis=f"x{suffix}", yaxis=f"y{suffix}", colorscale=SIGNED_SCALE, zmin=-largest, zmax=largest,
            showscale=number == 2, colorbar={"title": "weight", "thickness": 12, "outlinewidth": 0},
            hovertemplate=f"{what}: weight %{{z:.3f}}<extra></extra>",
        )  # fmt: skip
        height, width = picture.shape
        for index in marked:
            _frame(figure, index, kernels, f"x{suffix}", f"y{suffix}")
        domain = ([0, 1], [0.52, 1] if number == 1 else [0, 0.45]) if narrow else (
            [0, 0.47] if number == 1 else [0.53, 1], [0, 1]
        )  # fmt: skip
        hidden = {"showticklabels": False, "showgrid": False, "ticks": ""}
        figure.update_layout({
            f"xaxis{suffix}": hidden | {
                "domain": domain[0], "anchor": f"y{suffix}", "range": [-1, width], "title": what,
                "constrain": "domain",
            },
            f"yaxis{suffix}": hidden | {
                "domain": domain[1], "anchor": f"x{suffix}", "range": [height, -1], "scaleanchor": f"x{suffix}",
                "constrain": "domain",
            },
        })  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=520 if narrow else 330)
    return figure


def _frame(figure: go.Figure, index: int, kernels: np.ndarray, x: str, y: str) -> None:
    """Around one kernel of a montage."""
    count, h, w = kernels.shape
    if index >= count:
        return
    row, column = divmod(index, min(count, int(np.ceil(np.sqrt(count * 2)))))
    top, left = row * (h + 1) - 0.75, column * (w + 1) - 0.75
    figure.add_shape(
        type="rect", x0=left, y0=top, x1=left + w + 0.5, y1=top + h + 0.5, xref=x, yref=y,
        line={"color": SECOND, "width": 2, "dash": "dot"},
    )  # fmt: skip


def accuracy_before_after(before: TestResult, after: TestResult, title: str = "Test accuracy") -> go.Figure:
    """Two points with their 95 % intervals, in percent."""
    figure = go.Figure()
    ends = []
    for row, (what, result, colour, symbol) in enumerate(
        (("before", before, GREY, "diamond-open"), ("after", after, ACCENT, "circle"))
    ):
        accuracy, (low, high) = result.accuracy * 100, (end * 100 for end in result.interval)
        ends += [low, high]
        figure.add_scatter(
            x=[accuracy], y=[row], mode="markers+text", text=f"{what}: {accuracy:.2f} %", textposition="top center",
            marker={"size": 11, "color": colour, "symbol": symbol}, textfont={"size": 13, "color": colour},
            cliponaxis=False,
            error_x={
                "array": [high - accuracy], "arrayminus": [accuracy - low], "color": colour, "thickness": 2, "width": 6,
            },
            hovertemplate=f"{what}: {accuracy:.2f} % ({low:.2f} to {high:.2f} %)<extra></extra>",
        )  # fmt: skip
    room = (max(ends) - min(ends)) * 0.3 + 0.2
    figure.update_layout(template=TEMPLATE, title=title, height=210)
    figure.update_xaxes(title="test accuracy (%)", range=[min(ends) - room, max(ends) + room], showgrid=True)
    figure.update_xaxes(gridcolor="rgba(128,136,149,0.2)", nticks=6)
    figure.update_yaxes(visible=False, range=[1.4, -0.8])
    return figure

"""Figures of a test: who is taken for whom, class by class, and how honest the confidence is."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, label_text
from core.training.results import CalibrationCurve, ClassFigures

COUNTED = 12  # classes up to which every cell has room for its count
RIGHT_SCALE = [[0, "rgba(27,148,136,0)"], [1, "rgba(27,148,136,1)"]]
WRONG_SCALE = [[0, "rgba(209,73,91,0)"], [1, "rgba(209,73,91,1)"]]
FAINTEST = 0.15  # strength of a single mistake among very many answers: it must be seen
ON_COLOUR = 0.55  # strength from which white is the legible colour on it


def cell_strength(confusion: np.ndarray) -> np.ndarray:
    """How strongly each cell is coloured, in [0, 1]: by the root of its share of the row, so that few mistakes show."""
    confusion = np.asarray(confusion, float)
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return np.where(confusion > 0, FAINTEST + (1 - FAINTEST) * np.sqrt(share), 0)


def confusion_layers(confusion: np.ndarray, **place: str) -> list[go.Heatmap]:
    """The right answers and the mistakes as two layers in two colours; `place` names the axes."""
    strength, diagonal = cell_strength(confusion).round(2).astype(np.float32), np.eye(len(confusion), dtype=bool)
    layers = ((diagonal, RIGHT_SCALE), (~diagonal, WRONG_SCALE))
    return [
        go.Heatmap(
            z=np.where(own & (strength > 0), strength, np.float32("nan")), zmin=0, zmax=1, colorscale=scale,
            showscale=False, hoverinfo="skip", xgap=1, ygap=1, **place,
        )
        for own, scale in layers
    ]  # fmt: skip


def confusion_figure(confusion: np.ndarray, classes: Sequence[str], title: str = "What is taken for what") -> go.Figure:
    """`(C, C)` counts, a row for each true class. A click on a cell gives `customdata` (true, answered)."""
    confusion = np.asarray(confusion)
    size, ticks = len(classes), [label_text(label) for label in classes]
    figure = go.Figure(confusion_layers(confusion))
    true, answered = (axis.ravel() for axis in np.indices((size, size)))
    strength = cell_strength(confusion).ravel()
    counts = [str(count) if count else "" for count in confusion.ravel()]
    figure.add_scatter(  # the cells as points: heat maps send no selection
        x=answered,
        y=true,
        mode="markers+text" if size <= COUNTED else "markers",
        text=counts if size <= COUNTED else None,
        textfont={"size": 12, "color": ["#ffffff" if s > ON_COLOUR else GREY for s in strength]},
        marker={"symbol": "square", "size": max(6, 300 // size), "color": GREY, "opacity": 0},
        selected={"marker": {"opacity": 0.25}},
        unselected={"marker": {"opacity": 0}},
        customdata=np.stack([true, answered], axis=1).tolist(),  # lists: Streamlit hands typed arrays on as dicts
        meta=ticks,
        hovertext=[f"{ticks[t]} read as {ticks[a]}: {confusion[t, a]:,}" for t, a in zip(true, answered, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_layout(template=TEMPLATE, title=title, height=460 if size <= COUNTED else 620)
    across, down = confusion_axes(ticks)
    figure.update_layout(xaxis=across, yaxis=down)
    return figure


def confusion_axes(ticks: list[str], x: str = "x") -> tuple[dict[str, object], dict[str, object]]:
    """The x and the y axis of a confusion matrix: the first class at the top left, square cells, a tick a class."""
    ends = [-0.5, len(ticks) - 0.5]
    shared = {
        "tickmode": "array",
        "tickvals": list(range(len(ticks))),
        "ticktext": ticks,
        "tickfont": {"size": 12 if len(ticks) <= COUNTED else 9},
        "showgrid": False,
        "constrain": "domain",
    }
    across = shared | {"title": "answer", "range": ends}
    return across, shared | {"title": "true class", "range": ends[::-1], "scaleanchor": x, "constraintoward": "top"}


def per_class_figure(figures: Sequence[ClassFigures], title: str = "Precision and recall of each class") -> go.Figure:
    """Two points a class; what is a share of nothing is left out. The axis begins below the worst."""
    labels = [label_text(f.label) for f in figures]
    precision = [f.precision * 100 for f in figures]
    recall = [f.recall * 100 for f in figures]
    figure = go.Figure(
        [
            go.Scatter(
                x=labels, y=precision, mode="markers", name="precision", marker={"size": 11, "color": ACCENT},
                hovertemplate="%{x}: %{y:.2f} % of what is read so is right<extra></extra>",
            ),
            go.Scatter(
                x=labels, y=recall, mode="markers", name="recall",
                marker={"size": 11, "color": SECOND, "symbol": "diamond-open", "line": {"width": 2}},
                customdata=[f.support for f in figures],
                hovertemplate="%{x}: %{y:.2f} % of %{customdata:,} are found<extra></extra>",
            ),
        ]
    )  # fmt: skip
    known = [value for value in precision + recall if np.isfinite(value)]
    lowest = min(known, default=0.0)
    room = (100 - lowest) * 0.1 + 0.1
    figure.update_layout(
        template=TEMPLATE, title=title, height=320, showlegend=True, margin={"t": 80},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title="class", type="category", categoryorder="array", categoryarray=labels, showgrid=True)
    figure.update_xaxes(gridcolor="rgba(128,136,149,0.2)")
    figure.update_yaxes(title="share (%)", range=[max(0.0, lowest - room), 100 + room])
    return figure


def calibration_figure(curve: CalibrationCurve, error: float, title: str = "Confidence against accuracy") -> go.Figure:
    """Accuracy over confidence with the number of answers behind each point; on the diagonal it is honest."""
    there = curve.count > 0
    edges = (np.arange(len(curve.count)) + 0.5) / len(curve.count) * 100
    figure = go.Figure(
        [
            go.Bar(
                x=edges[there], y=curve.count[there], width=90 / len(curve.count), yaxis="y2", name="answers",
                marker={"color": GREY, "opacity": 0.4},
                hovertemplate="%{y:,} answers<extra></extra>",
            ),
            go.Scatter(
                x=[0, 100], y=[0, 100], mode="lines", name="honest", line={"color": GREY, "dash": "dash", "width": 1},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=curve.confidence[there] * 100, y=curve.accuracy[there] * 100, mode="lines+markers", name="measured",
                line={"color": ACCENT, "width": 2}, marker={"size": 8}, customdata=curve.count[there],
                hovertemplate="%{x:.1f} % sure, %{y:.1f} % right, of %{customdata:,} answers<extra></extra>",
            ),
        ]
    )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE,
        title=f"{title}: {error * 100:.2f} points apart",
        height=440,
        yaxis={"domain": [0.34, 1], "title": "accuracy (%)", "range": [-3, 103], "tickvals": [0, 50, 100]},
        yaxis2={"domain": [0, 0.22], "title": "answers", "type": "log", "dtick": 2, "rangemode": "tozero"},
        xaxis={"title": "confidence (%)", "range": [-2, 102], "anchor": "y2"},
    )
    return figure

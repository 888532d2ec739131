"""Curves over a training: its loss and its accuracy, of one run or of several on one figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, DIGIT_COLOURS, FADED, GREY, SECOND, TEMPLATE, label_text

SMOOTHED_SHARE = 0.005  # of the curve's length: the width of the bell that smooths it
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xref": "paper"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x")


@dataclass(frozen=True, eq=False)
class Curve:
    """One run's line in a comparison."""

    name: str
    x: np.ndarray
    y: np.ndarray


def smooth(values: np.ndarray) -> np.ndarray:
    """The values' running mean under a bell `SMOOTHED_SHARE` of them wide."""
    from scipy.ndimage import gaussian_filter1d  # half a second, which many a page with a figure never needs

    values = np.asarray(values, float)
    return gaussian_filter1d(values, max(1.0, len(values) * SMOOTHED_SHARE), mode="nearest") if len(values) else values


def learning_curves(
    examples: np.ndarray,
    loss: np.ndarray,
    test_examples: np.ndarray,
    test_loss: np.ndarray,
    log: bool = False,
    title: str = "Loss while learning",
    unit: str = "nats per example",
    batches_a_point: int = 1,
) -> go.Figure:
    """The training loss of every batch, faint, with its running mean; and the test loss, first before any training."""
    each = "each batch" if batches_a_point == 1 else f"each {batches_a_point} batches"
    figure = go.Figure(
        [
            go.Scatter(
                x=examples, y=loss, mode="lines", name=each, line={"color": GREY, "width": 1},
                opacity=FADED, hoverinfo="skip",
            ),
            go.Scatter(
                x=examples, y=smooth(loss), mode="lines", name="training", line={"color": ACCENT, "width": 2},
                hovertemplate="%{x:,} examples: training loss %{y:.3f}<extra></extra>",
            ),
            go.Scatter(
                x=test_examples, y=test_loss, mode="lines+markers", name="test",
                line={"color": SECOND, "width": 1.5, "dash": "dot"}, marker={"size": 9, "symbol": "diamond"},
                hovertemplate="%{x:,} examples: test loss %{y:.3f}<extra></extra>",
            ),
        ]
    )  # fmt: skip
    _lay_out(figure, title, "examples seen", f"loss ({unit})")
    if log:
        figure.update_yaxes(type="log", dtick=1, exponentformat="none")
    else:
        figure.update_yaxes(rangemode="tozero")
    return figure


def accuracy_curves(
    epochs: np.ndarray,
    train_accuracy: np.ndarray,
    test_accuracy: np.ndarray,
    title: str = "Accuracy after each epoch",
) -> go.Figure:
    """Shares in [0, 1] after each epoch, as percent."""
    figure = go.Figure(
        [
            go.Scatter(
                x=epochs, y=np.asarray(train_accuracy, float) * 100, mode="lines+markers", name="training",
                line={"color": ACCENT, "width": 2}, marker={"size": 7},
                hovertemplate="epoch %{x}: %{y:.2f} % of training<extra></extra>",
            ),
            go.Scatter(
                x=epochs, y=np.asarray(test_accuracy, float) * 100, mode="lines+markers", name="test",
                line={"color": SECOND, "width": 2, "dash": "dot"}, marker={"size": 9, "symbol": "diamond"},
                hovertemplate="epoch %{x}: %{y:.2f} % of test<extra></extra>",
            ),
        ]
    )  # fmt: skip
    _lay_out(figure, title, "epoch", "accuracy (%)")
    figure.update_xaxes(tick0=0, dtick=max(1, round(len(epochs) / 8)))
    return figure


def compare_curves(curves: Sequence[Curve], x_title: str, y_title: str, title: str, log: bool = False) -> go.Figure:
    """Several runs' lines on one figure, each named at its end; told apart by dashes and markers as well as colour."""
    figure = go.Figure()
    for i, curve in enumerate(curves):
        few = len(curve.x) <= 60
        name, colour = label_text(curve.name), DIGIT_COLOURS[i % len(DIGIT_COLOURS)]
        figure.add_scatter(
            x=curve.x,
            y=curve.y,
            mode="lines+markers" if few else "lines",
            name=name,
            line={"color": colour, "width": 2, "dash": DASHES[i % len(DASHES)]},
            marker={"size": 7, "symbol": MARKERS[i % len(MARKERS)]},
            hovertemplate=f"{name}<br>%{{x:,}}: %{{y:.4g}}<extra></extra>",
        )
    _lay_out(figure, title, x_title, y_title)
    figure.update_layout(showlegend=False, height=380)
    if log:
        figure.update_yaxes(type="log", dtick=1, exponentformat="none")
    drawn = [(i, curve) for i, curve in enumerate(curves) if len(curve.y) and np.isfinite(curve.y[-1])]
    if not drawn:
        return figure
    heights = _apart([_position(curve.y[-1], curves, log) for _, curve in drawn])
    for (i, curve), height in zip(drawn, heights, strict=True):
        figure.add_annotation(
            x=1.01, xref="paper", xanchor="left", y=height, yref="paper", showarrow=False,
            text=label_text(curve.name), font={"color": DIGIT_COLOURS[i % len(DIGIT_COLOURS)], "size": 12},
        )  # fmt: skip
    widest = max(len(label_text(curve.name)) for _, curve in drawn)
    figure.update_layout(margin={"r": 16 + 7 * widest})
    low, high = _limits(curves, log)
    figure.update_yaxes(range=[low, high])
    return figure


def _limits(curves: Sequence[Curve], log: bool) -> tuple[float, float]:
    """The y axis' ends, in the axis' own numbers (logarithms on a logarithmic one)."""
    values = np.concatenate([np.asarray(curve.y, float) for curve in curves])
    values = values[np.isfinite(values)]
    if log:
        values = np.log10(values[values > 0]) if (values > 0).any() else np.zeros(1)
    room = (values.max() - values.min()) * 0.06 or 0.5
    return float(values.min() - room), float(values.max() + room)


def _position(value: float, curves: Sequence[Curve], log: bool) -> float:
    """Where a value stands on the y axis, from 0 to 1."""
    low, high = _limits(curves, log)
    own = (np.log10(value) if value > 0 else low) if log else value
    return (own - low) / (high - low)


def _apart(heights: list[float], distance: float = 0.07) -> list[float]:
    """The same heights, moved up or down until no two labels overlap."""
    order = np.argsort(heights)
    moved = np.array(heights, float)
    moved[order] = np.maximum.accumulate(moved[order] - distance * np.arange(len(order))) + distance * np.arange(
        len(order)
    )
    over = moved.max() - 1
    if over > 0:  # push those at the top down again
        top_down = order[::-1]
        limits = 1 - distance * np.arange(len(order))
        moved[top_down] = np.minimum(moved[top_down], limits)
    return moved.tolist()


def _lay_out(figure: go.Figure, title: str, x_title: str, y_title: str) -> None:
    figure.update_layout(
        template=TEMPLATE,
        title=title,
        height=340,
        showlegend=True,
        legend=LEGEND,
        margin={"t": 80},
    )
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)

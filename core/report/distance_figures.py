"""Figures of distances and neighbours: heat maps ordered by class, histograms, accuracy by number of neighbours."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, FADED, GREY, SECOND, TEMPLATE, class_colour, label_text

# Near is strong, far as clear as the page: what belongs together stands out on light and dark alike.
NEAR_SCALE = [[0, "rgba(27,148,136,1)"], [1, "rgba(27,148,136,0)"]]
FAR_PERCENT = 98  # of the cells: a few that are very far would leave all others alike
BINS = 60
NUMBERED = 12  # classes up to which every cell has room for its number
TICKED = 30  # classes up to which each is named at the axis
# Behind numbers: opaque, so that dark numbers are legible on a dark page too, at least 5 : 1 on every cell.
NUMBERED_SCALE = [[0, "#58b8ab"], [1, "#f6efe9"]]
ON_SCALE = "#1d2129"


def to_all_figure(
    found: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    title: str,
    unit: str,
) -> go.Figure:
    """`(K, N)` distances of chosen samples to all, ordered by `labels` `(N,)`; `rows` and `columns` name each."""
    order = np.argsort(labels, kind="stable")
    names = [columns[i] for i in order]
    figure = _heat(np.asarray(found)[:, order], names, rows, unit)
    figure.update_layout(template=TEMPLATE, title=title, height=190 + max(26, min(40, 600 // len(rows))) * len(rows))
    figure.update_yaxes(title="chosen sample", type="category", autorange="reversed", showgrid=False)
    figure.update_xaxes(title="all samples, ordered by class", **_class_ticks(names, labels[order], classes))
    _class_lines(figure, labels[order], both=False)
    return figure


def pairs_figure(
    found: np.ndarray,
    names: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    title: str,
    unit: str,
    narrow: bool = False,
) -> go.Figure:
    """`(N, N)` distances, rows and columns ordered by class: square blocks on the diagonal are the classes."""
    order = np.argsort(labels, kind="stable")
    ordered = [names[i] for i in order]
    figure = _heat(np.asarray(found)[np.ix_(order, order)], ordered, ordered, unit, narrow)
    figure.update_layout(template=TEMPLATE, title=title, height=430 if narrow else 640)
    axis = {"title": "sample, ordered by class", "constrain": "domain"}
    axis |= _class_ticks(ordered, labels[order], classes)
    figure.update_layout(xaxis=axis, yaxis=axis | {"autorange": "reversed", "showgrid": False, "scaleanchor": "x"})
    _class_lines(figure, labels[order], both=True)
    return figure


def class_means_figure(
    mean: np.ndarray, classes: Sequence[str], title: str, unit: str, narrow: bool = False
) -> go.Figure:
    """`(C, C)` mean distances between classes; NaN where there is no pair."""
    mean = np.asarray(mean, float)
    names = [label_text(label) for label in classes]
    known = mean[np.isfinite(mean)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    figure = go.Figure(
        go.Heatmap(
            z=mean, colorscale=NUMBERED_SCALE, zmin=low, zmax=high or 1, xgap=1, ygap=1, hoverongaps=False,
            colorbar=_bar(unit), showscale=not narrow,
            customdata=[[f"{a} to {b}" for b in names] for a in names],
            hovertemplate=f"%{{customdata}}: %{{z:.4g}}<extra>mean {unit}</extra>",
        )
    )  # fmt: skip
    if len(names) <= (6 if narrow else NUMBERED):
        rows, columns = np.nonzero(np.isfinite(mean))
        figure.add_scatter(
            x=columns, y=rows, mode="text", hoverinfo="skip",
            text=[short(mean[r, c]) for r, c in zip(rows, columns, strict=True)],
            textfont={"size": 12, "color": ON_SCALE},
        )  # fmt: skip
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names, "showgrid": False}
    ticks["tickfont"] = {"size": 12 if len(names) <= NUMBERED else 9}
    ends = [-0.5, len(names) - 0.5]
    figure.update_layout(template=TEMPLATE, title=title, height=430 if narrow or len(names) <= NUMBERED else 640)
    figure.update_xaxes(title="class", range=ends, constrain="domain", **ticks)
    figure.update_yaxes(title="class", range=ends[::-1], scaleanchor="x", constrain="domain", **ticks)
    return figure


def separation_figure(within: np.ndarray, between: np.ndarray, title: str, unit: str) -> go.Figure:
    """How the distances of pairs within a class and between classes are spread, in percent of either kind."""
    edges = np.histogram_bin_edges(np.concatenate([within, between]), BINS)
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure()
    kinds = ("within a class", within, ACCENT, "solid"), ("between classes", between, SECOND, "dash")
    for name, pairs, colour, dash in kinds:
        share = np.histogram(pairs, edges)[0] / max(len(pairs), 1) * 100
        figure.add_scatter(
            x=middles, y=share, mode="lines", name=f"{name} ({len(pairs):,} pairs)", fill="tozeroy",
            line={"color": colour, "width": 2, "dash": dash, "shape": "hvh"},
            hovertemplate=f"about %{{x:.4g}}: %{{y:.1f}} % of the pairs {name}<extra></extra>",
        )  # fmt: skip
        if len(pairs):
            figure.add_vline(x=float(np.median(pairs)), line={"color": colour, "width": 1, "dash": "dot"})
    figure.update_layout(
        template=TEMPLATE, title=title, height=360, showlegend=True, margin={"t": 84},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title=unit, rangemode="tozero")
    figure.update_yaxes(title="share of the pairs (%)", rangemode="tozero")
    return figure


def by_k_figure(
    ks: Sequence[int], accuracies: np.ndarray, lows: np.ndarray, highs: np.ndarray, network: float | None, title: str
) -> go.Figure:
    """Accuracies in [0, 1] with their band by number of neighbours; `network`: its own accuracy, a dashed line."""
    figure = go.Figure(
        [
            go.Scatter(
                x=[*ks, *reversed(ks)], y=[*(np.asarray(highs) * 100), *(np.asarray(lows)[::-1] * 100)], fill="toself",
                mode="lines", line={"width": 0}, fillcolor="rgba(27,148,136,0.18)", hoverinfo="skip",
                name="95 % interval",
            ),
            go.Scatter(
                x=list(ks), y=np.asarray(accuracies) * 100, mode="lines+markers", name="k nearest neighbours",
                line={"color": ACCENT, "width": 2}, marker={"size": 8},
                customdata=np.stack([np.asarray(lows) * 100, np.asarray(highs) * 100], axis=1).tolist(),
                hovertemplate="k = %{x}: %{y:.2f} % right (%{customdata[0]:.2f} to %{customdata[1]:.2f})"
                "<extra></extra>",
            ),
        ]
    )  # fmt: skip
    if network is not None:
        figure.add_scatter(
            x=[ks[0], ks[-1]], y=[network * 100] * 2, mode="lines", name="the network's own answer",
            line={"color": SECOND, "width": 2, "dash": "dash"},
            hovertemplate="the network: %{y:.2f} %<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE, title=title, height=360, showlegend=True, margin={"t": 84},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title="k, number of neighbours that vote", type="log", tickmode="array", tickvals=list(ks))
    figure.update_yaxes(title="right (%)")
    return figure


def votes_figure(counts: np.ndarray, classes: Sequence[str], title: str = "How the neighbours vote") -> go.Figure:
    """`(C,)` votes, a bar for each class; those with most stand out."""
    counts = np.asarray(counts)
    figure = go.Figure(
        go.Bar(
            x=[label_text(label) for label in classes],
            y=counts,
            marker={
                "color": [class_colour(label, i) for i, label in enumerate(classes)],
                "opacity": [1.0 if count == counts.max() else FADED for count in counts],
            },
            text=[str(count) if count else "" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y} votes<extra></extra>",
        )
    )
    figure.update_layout(template=TEMPLATE, title=title, height=240)
    figure.update_xaxes(type="category", title="class")
    figure.update_yaxes(
        title="votes", range=[0, max(1, int(counts.sum())) * 1.15], dtick=max(1, int(counts.sum()) // 4)
    )
    return figure


def short(distance: float) -> str:
    """Three figures that count: 12.3, 0.0456, 1,230."""
    if distance >= 1000:
        return f"{float(f'{distance:.3g}'):,.0f}"
    return f"{distance:#.3g}".rstrip(".")


def _heat(
    values: np.ndarray, columns: Sequence[str], rows: Sequence[str], unit: str, narrow: bool = False
) -> go.Figure:
    """Names must differ from each other."""
    far = float(np.percentile(values, FAR_PERCENT)) if values.size else 1.0
    return go.Figure(
        go.Heatmap(
            z=values.astype(np.float32), x=list(columns), y=list(rows), colorscale=NEAR_SCALE, zmin=0, zmax=far or 1,
            colorbar=_bar(unit), showscale=not narrow,
            hovertemplate=f"%{{y}} to %{{x}}: %{{z:.4g}}<extra>{unit}</extra>",
        )
    )  # fmt: skip


def _bar(unit: str) -> dict[str, Any]:
    return {"title": {"text": unit, "side": "right"}, "thickness": 12, "outlinewidth": 0}


def _class_ticks(names: Sequence[str], ordered: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """A tick in the middle of each class's run, every second or third one where they are many."""
    known, first, count = np.unique(ordered, return_index=True, return_counts=True)
    every = -(-len(known) // TICKED)
    return {
        "type": "category",
        "tickmode": "array",
        "tickvals": [names[i] for i in first + count // 2][::every],
        "ticktext": [label_text(classes[i]) for i in known][::every],
        "tickangle": 0,
    }


def _class_lines(figure: go.Figure, ordered: np.ndarray, both: bool) -> None:
    """Thin lines where a class ends and the next one begins."""
    if len(np.unique(ordered)) > TICKED:
        return
    borders = (np.flatnonzero(np.diff(ordered)) + 0.5).tolist()
    line = {"color": GREY, "width": 1}
    size = len(ordered) - 0.5
    shapes = [{"type": "line", "x0": b, "x1": b, "yref": "paper", "y0": 0, "y1": 1, "line": line} for b in borders]
    if both:
        shapes = [{"type": "line", "x0": b, "x1": b, "y0": -0.5, "y1": size, "line": line} for b in borders]
        shapes += [{"type": "line", "y0": b, "y1": b, "x0": -0.5, "x1": size, "line": line} for b in borders]
    figure.update_layout(shapes=shapes)

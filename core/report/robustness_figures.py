"""Figures of robustness: an answer along a dial, glyphs under every corruption, and the league's heat maps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, TEMPLATE, WRONG, label_text
from core.report.sample_figures import picture_address

# Accuracies: red for few right, green for all; the numbers in the cells say it too. Opaque, so that dark numbers are
# legible on a dark page too: at least 5 : 1 on every cell.
SCALE = [[0, "#e07b88"], [0.5, "#f6efe9"], [1, "#58b8ab"]]
ON_SCALE = "#1d2129"
CELL_PX = 28  # height of a row
SIDE = 28  # pixels of a glyph
SHORT = 8  # characters of an answer that have room below a glyph


def sweep_figure(
    values: np.ndarray,
    probability: np.ndarray,
    now: float,
    others: Sequence[tuple[float, float]],
    dial: str,
    unit: str,
    answer: str,
) -> go.Figure:
    """`(K,)` probability in [0, 1] of the first answer along a dial; `others`: ranges of another answer, shaded."""
    figure = go.Figure(
        go.Scatter(
            x=values, y=np.asarray(probability) * 100, mode="lines" if len(values) > 20 else "lines+markers",
            line={"color": ACCENT, "width": 2}, hovertemplate="%{x:.3g}: %{y:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.add_scatter(
        x=[now], y=[float(np.interp(now, values, probability)) * 100], mode="markers",
        marker={"size": 12, "color": ACCENT, "symbol": "circle-open", "line": {"width": 3}},
        hovertemplate="now: %{y:.1f} %<extra></extra>",
    )  # fmt: skip
    for low, high in others:
        figure.add_vrect(x0=low, x1=high, fillcolor=WRONG, opacity=0.18, line_width=0, layer="below")
        figure.add_annotation(
            x=(low + high) / 2, y=108, text="✗", showarrow=False, font={"color": WRONG, "size": 13}
        )  # fmt: skip
    room = 0.02 * float(values[-1] - values[0])  # for the ring; more would bring ticks where the dial does not go
    figure.update_layout(
        template=TEMPLATE, title=f"How sure it is of “{label_text(answer)}” along the dial", height=320
    )
    figure.update_xaxes(title=f"{dial} ({unit})", showgrid=True, gridcolor="rgba(128,136,149,0.2)")
    figure.update_xaxes(range=[float(values[0]) - room, float(values[-1]) + room])
    figure.update_yaxes(title="probability (%)", range=[-3, 116], tickvals=[0, 50, 100])
    return figure


def corruption_sheet(
    glyphs: np.ndarray,
    answers: Sequence[Sequence[str]],
    right: str,
    kinds: Sequence[str],
    title: str,
    narrow: bool = False,
) -> go.Figure:
    """`(K, S, 28, 28) uint8` glyphs of K kinds at S strengths, with the answer to each below it.

    A column for each kind, on a phone a row and only the answers other than `right`, which are framed with dashes.
    """
    count, strengths = glyphs.shape[:2]
    cell_x, cell_y = (46, 34) if narrow else (34, 41)  # in glyph pixels: room for the answer beside or below
    columns, rows = (strengths, count) if narrow else (count, strengths)
    figure = go.Figure(go.Scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip"))
    cells = []
    for kind in range(count):
        for strength in range(strengths):
            column, row = (strength, kind) if narrow else (kind, strength)
            corner = column * cell_x, row * cell_y
            cells.append(_answered(glyphs[kind, strength], answers[kind][strength], right, corner, narrow))
    images, shapes, annotations = zip(*cells, strict=True)  # all at once: one by one takes Plotly seconds
    figure.update_layout(
        images=images,
        shapes=shapes,
        annotations=[annotation for annotation in annotations if annotation],
        template=TEMPLATE,
        title={"text": title, "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
        height=120 + rows * 36 if narrow else 600,
        margin={"t": 90 if narrow else 150, "b": 8},
    )
    names = list(kinds), [str(i + 1) for i in range(strengths)]
    across, down = names[::-1] if narrow else names
    middle = SIDE / 2
    figure.update_xaxes(
        range=[-3, columns * cell_x], constrain="domain", side="top", tickmode="array", ticktext=across,
        tickvals=[i * cell_x + middle for i in range(columns)], tickangle=0 if narrow else -35,
        title="strength" if narrow else "corruption",
    )  # fmt: skip
    figure.update_yaxes(
        range=[rows * cell_y, -3], constrain="domain", scaleanchor="x", tickmode="array", ticktext=down,
        tickvals=[i * cell_y + middle for i in range(rows)], showgrid=False,
        title="corruption" if narrow else "strength",
    )  # fmt: skip
    return figure


def _answered(
    glyph: np.ndarray, answer: str, right: str, corner: tuple[int, int], beside: bool
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    """A glyph at a place, its frame, and its answer beside or below it; none beside one where it is right."""
    x, y = corner
    wrong = answer != right
    image = {
        "source": picture_address(glyph, 2), "x": x, "y": y, "sizex": SIDE, "sizey": SIDE, "xref": "x", "yref": "y",
        "sizing": "stretch",
    }  # fmt: skip
    frame = {
        "type": "rect", "x0": x - 0.5, "y0": y - 0.5, "x1": x + SIDE + 0.5, "y1": y + SIDE + 0.5,
        "line": {
            "color": WRONG if wrong else ACCENT, "width": 2 if wrong else 1, "dash": "dash" if wrong else "solid",
        },
    }  # fmt: skip
    if beside and not wrong:
        return image, frame, None  # there is little room
    text, most = label_text(answer), 2 if beside else SHORT
    text = ("✗ " if wrong and not beside else "") + (text if len(text) <= most else text[: most - 1] + "…")
    place = {"x": x + SIDE + 3, "y": y + SIDE / 2, "xanchor": "left"} if beside else {
        "x": x + SIDE / 2, "y": y + SIDE, "yanchor": "top",
    }  # fmt: skip
    font = {"size": 10 if beside else 12, "color": WRONG if wrong else GREY}
    return image, frame, {"text": text, "showarrow": False, "font": font, **place}


def league_figure(
    accuracies: np.ndarray, networks: Sequence[str], columns: Sequence[str], title: str, x_title: str, y_title: str
) -> go.Figure:
    """`(R, C)` accuracies in [0, 1], not a number where they are not known yet; a row for each network."""
    percent = np.asarray(accuracies, float) * 100
    text = [["" if np.isnan(v) else f"{v:.0f}" for v in row] for row in percent]
    figure = go.Figure(
        go.Heatmap(
            z=percent, x=list(columns), y=[label_text(name) for name in networks], text=text, texttemplate="%{text}",
            textfont={"size": 11, "color": ON_SCALE}, colorscale=SCALE, zmin=0, zmax=100, xgap=1, ygap=1,
            hoverongaps=False, showscale=False,  # the cells say it
            hovertemplate="%{y}, %{x}: %{z:.1f} % right<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=f"{title} (%)", height=220 + CELL_PX * len(networks))
    figure.update_xaxes(title=x_title, type="category", tickangle=-45 if len(columns) > 6 else 0)
    figure.update_yaxes(title=y_title, type="category", autorange="reversed", showgrid=False)
    return figure

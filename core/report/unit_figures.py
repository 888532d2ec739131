"""Figures of what units want: the samples that excite one most, with what it sees of them, and its ideal picture."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, label_text
from core.report.sample_figures import captioned_glyphs, corner

APART = 30  # times the smallest output that the largest may be on an axis from zero
Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels; the last two are one beyond


def excited_samples(
    glyphs: np.ndarray, boxes: Sequence[Box | None], captions: Sequence[str], columns: int, title: str
) -> go.Figure:
    """`(N, 28, 28)` glyphs from 0 to 255 under their captions, each with a dashed frame around what the unit saw."""
    figure = captioned_glyphs(glyphs, captions, columns, title)
    for i, box in enumerate(boxes):
        if box is None:
            continue
        x, y = corner(i, min(columns, len(glyphs)))
        top, left, bottom, right = box
        figure.add_shape(
            type="rect", x0=x + left, y0=y + top, x1=x + right, y1=y + bottom,
            line={"color": SECOND, "width": 2, "dash": "dot"},
        )  # fmt: skip
    return figure


def unit_bars(
    values: Sequence[float], names: Sequence[str], title: str, quantity: str = "output of the unit"
) -> go.Figure:
    """One bar for each source of the unit's output: the strongest sample, the user's own, the ideal.

    Where one is `APART` times as large as another, on a logarithmic axis, or the small one could not be seen.
    """
    written = [f"{value:.2f}".replace("-", "−") for value in values]
    far = min(values) > 0 and max(values) > APART * min(values)
    figure = go.Figure(
        go.Bar(
            y=[label_text(name) for name in names], x=[round(value, 4) for value in values], orientation="h",
            marker={"color": [ACCENT, GREY, SECOND][: len(names)]}, text=written,
            textposition="auto", hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=96 + 42 * len(names))
    figure.update_xaxes(title=quantity, zeroline=True, zerolinecolor=GREY)
    if far:
        low, high = np.log10([min(values) / 3, max(values) * 1.3])
        figure.update_xaxes(title=f"{quantity} (logarithmic)", type="log", range=[low, high], dtick=1)
    figure.update_yaxes(type="category", autorange="reversed", title="picture")
    return figure


def mean_row(columns: Sequence[str], means: np.ndarray, title: str) -> go.Figure:
    """`(F,)` means of scaled features over some rows of a table, in standard deviations from the mean of all rows."""
    order = np.argsort(np.abs(means))
    figure = go.Figure(
        go.Bar(
            y=[label_text(columns[i]) for i in order], x=means[order].round(3).astype(float), orientation="h",
            marker={"color": ACCENT}, hovertemplate="%{y}: %{x:.2f} standard deviations<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=90 + 26 * len(order))
    figure.update_xaxes(title="mean of these rows (standard deviations from all)", zeroline=True, zerolinecolor=GREY)
    figure.update_yaxes(type="category", title="feature")
    return figure

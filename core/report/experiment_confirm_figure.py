"""What the search said of a trial beside what its training anew says."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.experiments.confirm import Part
from core.report.experiment_figures import GRID
from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE

LOOKS = ((GREY, "circle-open"), (SECOND, "square"), (ACCENT, "diamond"))  # one for each part, in their order


def confirm_figure(parts: Sequence[Part], narrow: bool = False) -> go.Figure:
    """A row for each part: its mean in percent and its 95 % interval, where it has one."""
    figure = go.Figure()
    for i, (part, (colour, symbol)) in enumerate(zip(parts, LOOKS, strict=True)):
        known = np.isfinite(part.low)
        figure.add_scatter(
            x=[part.mean * 100], y=[i], mode="markers+text", textposition="top center", cliponaxis=False,
            text=f"{part.mean * 100:.2f} %" if narrow else f"{part.what}: {part.mean * 100:.2f} %",
            textfont={"color": colour, "size": 13},
            marker={"size": 12, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            error_x={
                "array": [(part.high - part.mean) * 100 if known else 0], "color": colour, "thickness": 2, "width": 6,
                "arrayminus": [(part.mean - part.low) * 100 if known else 0],
            },
            hovertemplate=f"{part.what}: %{{x:.2f}} %, {part.n} trainings<extra></extra>",
        )  # fmt: skip
    ends = [value * 100 for part in parts for value in (part.mean, part.low, part.high) if np.isfinite(value)]
    means = [part.mean * 100 for part in parts]
    spread = max(max(means) - min(means), 0.5)
    low, high = max(min(ends), min(means) - 4 * spread), min(max(ends), max(means) + 4 * spread)
    room = (high - low) * 0.2
    figure.update_layout(template=TEMPLATE, title="The search and new trainings", height=310)
    figure.update_xaxes(title="accuracy (%)", range=[low - room, high + room], showgrid=True, gridcolor=GRID)
    figure.update_yaxes(
        title="measured", range=[len(parts) - 0.5, -0.8], showgrid=False, tickvals=list(range(len(parts))),
        ticktext=["search", "new seeds", "test set"],
    )  # fmt: skip
    return figure

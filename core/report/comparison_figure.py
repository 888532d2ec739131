"""Networks side by side: how accurate each is, and how surely that is known."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.report.figures import DIGIT_COLOURS, TEMPLATE, label_text
from core.training.comparison import Candidate


def accuracy_intervals(
    candidates: Sequence[Candidate], title: str = "Test accuracy with its 95 % interval"
) -> go.Figure:
    """A point and its interval for each network, in percent, the first one at the top."""
    names = [label_text(candidate.name) for candidate in candidates]
    accuracy = [candidate.result.accuracy * 100 for candidate in candidates]
    low, high = zip(*((low * 100, high * 100) for low, high in (c.result.interval for c in candidates)), strict=True)
    colours = [DIGIT_COLOURS[i % len(DIGIT_COLOURS)] for i in range(len(candidates))]
    figure = go.Figure()
    for i, name in enumerate(names):
        figure.add_scatter(
            x=[accuracy[i]], y=[i], mode="markers+text", text=f"{name}: {accuracy[i]:.2f} %", textposition="top center",
            marker={"size": 11, "color": colours[i]}, textfont={"size": 13, "color": colours[i]}, cliponaxis=False,
            error_x={
                "array": [high[i] - accuracy[i]], "arrayminus": [accuracy[i] - low[i]], "color": colours[i],
                "thickness": 2, "width": 6,
            },
            hovertemplate=f"{name}: {accuracy[i]:.2f} % ({low[i]:.2f} to {high[i]:.2f} %)<extra></extra>",
        )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=110 + 70 * len(names))
    room = (max(high) - min(low)) * 0.25 or 1
    figure.update_xaxes(title="test accuracy (%)", range=[min(low) - room, max(high) + room], showgrid=True)
    figure.update_xaxes(gridcolor="rgba(128,136,149,0.2)")
    figure.update_yaxes(visible=False, range=[len(names) - 0.4, -0.7])
    return figure

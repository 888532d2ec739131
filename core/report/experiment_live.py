"""The trainings of a study that go on now, as curves."""

import html
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from core.report.curves import DASHES, LEGEND, MARKERS
from core.report.figures import DIGIT_COLOURS, TEMPLATE

HEIGHT_PX = 300
LONGEST = 60  # characters of a training's name
Named = tuple[str, Sequence[dict[str, Any]]]  # a training's name, and its epochs as the ledger has them


def running_curves(trainings: Sequence[Named], planned: int) -> go.Figure:
    """Validation accuracy after each epoch, a line for each training; `planned`: epochs of the longest one."""
    figure = go.Figure()
    for i, (name, epochs) in enumerate(trainings):
        text = html.escape(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…", quote=False)
        figure.add_scatter(
            x=[epoch["epoch"] for epoch in epochs], y=[epoch["accuracy"] * 100 for epoch in epochs],
            mode="lines+markers", name=text, hovertemplate=f"{text}<br>epoch %{{x}}: %{{y:.2f}} %<extra></extra>",
            line={"color": DIGIT_COLOURS[i % len(DIGIT_COLOURS)], "width": 2, "dash": DASHES[i % len(DASHES)]},
            marker={"size": 8, "symbol": MARKERS[i % len(MARKERS)]},
        )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE, title="In training now", height=HEIGHT_PX, showlegend=True, margin={"t": 60},
        legend=LEGEND | {"y": -0.34, "yanchor": "top"},
    )  # fmt: skip
    figure.update_xaxes(title="epoch", range=[0.5, max(planned, 1) + 0.5], dtick=max(1, round(planned / 8)))
    figure.update_yaxes(title="validation accuracy (%)")
    return figure

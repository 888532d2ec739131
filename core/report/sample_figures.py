"""Figures of samples: glyphs in a grid, what each class looks like on average, how many there are of each."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
import plotly.graph_objects as go

from core.data import Samples
from core.report.figures import ACCENT, GREY, TEMPLATE, WRONG, class_colour, label_text

SIDE = 28  # pixels of a glyph
GAP = 4  # between two glyphs
CAPTION = 12  # room above a glyph for its two lines of text


def glyph_grid(
    glyphs: np.ndarray,
    true: Sequence[str],
    predicted: Sequence[str],
    columns: int = 3,
    title: str = "The first test samples and what they are read as",
) -> go.Figure:
    """`(N, 28, 28)` glyphs with the answers; a wrong one is crossed, framed with dashes and says what it is."""
    captions = [
        label_text(answer) if answer == label else f"✗ {label_text(answer)}<br>is {label_text(label)}"
        for answer, label in zip(predicted, true, strict=True)
    ]
    figure = captioned_glyphs(glyphs, captions, columns, title)
    for i, (answer, label) in enumerate(zip(predicted, true, strict=True)):
        x, y = corner(i, columns)
        wrong = answer != label
        line = {"color": WRONG, "width": 3, "dash": "dash"} if wrong else {"color": ACCENT, "width": 1}
        figure.add_shape(type="rect", x0=x - 0.5, y0=y - 0.5, x1=x + SIDE + 0.5, y1=y + SIDE + 0.5, line=line)
        if wrong:
            figure.layout.annotations[i].font.color = WRONG
    return figure


def first_samples(samples: Samples, count: int = 6, columns: int = 6, title: str | None = None) -> go.Figure:
    """The first samples in their order, each under its label."""
    part = {"train": "training", "test": "test"}.get(samples.part, samples.part)
    captions = [label_text(samples.classes[label]) for label in samples.labels[:count].tolist()]
    title = title or f"The first {len(captions)} {part} samples of {label_text(samples.name)}"
    return captioned_glyphs(samples.images[:count].numpy(), captions, columns, title)


def mean_images(
    means: np.ndarray, counts: Sequence[int], classes: Sequence[str], title: str = "The mean of each class"
) -> go.Figure:
    """`(C, 28, 28)` means of each class's glyphs, from 0 to 255; a class without samples says so."""
    captions = [label_text(c) if count else f"{label_text(c)}: none" for c, count in zip(classes, counts, strict=True)]
    return captioned_glyphs(means, captions, 5 if len(classes) <= 10 else 8, title)


def class_counts(counts: Sequence[int], classes: Sequence[str], title: str | None = None) -> go.Figure:
    """How many samples there are of each class."""
    labels = [label_text(label) for label in classes]
    few = len(labels) <= 12
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=counts,
            marker={"color": [class_colour(label, i) for i, label in enumerate(classes)]},
            text=[f"{count:,}" for count in counts] if few else None,
            textposition="outside",
            textangle=0,
            textfont={"size": 11},
            constraintext="none",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:,} samples<extra></extra>",
        )
    )
    title = title or f"Samples of each class: {sum(counts):,} in all"
    figure.update_layout(template=TEMPLATE, title=title, height=300)
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title="samples", range=[0, max(1, *counts) * 1.12])
    return figure


def captioned_glyphs(glyphs: np.ndarray, captions: Sequence[str], columns: int, title: str) -> go.Figure:
    """`(N, 28, 28)` glyphs (uint8, or floats from 0 to 255) in rows, bright on dark as networks see them."""
    columns = min(columns, max(1, len(glyphs)))
    rows = -(-len(glyphs) // columns)
    width, height = columns * (SIDE + GAP), rows * (SIDE + GAP + CAPTION)
    figure = go.Figure(go.Scatter(x=[0], y=[0], mode="markers", marker={"opacity": 0}, hoverinfo="skip"))
    for i, (glyph, caption) in enumerate(zip(glyphs, captions, strict=True)):
        x, y = corner(i, columns)
        figure.add_annotation(
            x=x + SIDE / 2,
            y=y - 1,
            yanchor="bottom",
            text=caption,
            showarrow=False,
            font={"size": 13 if columns <= 3 else 11, "color": GREY},
        )
        figure.add_layout_image(
            source=picture_address(glyph), x=x, y=y, sizex=SIDE, sizey=SIDE, xref="x", yref="y", sizing="stretch"
        )
    figure.update_layout(
        template=TEMPLATE, title=title, height=60 + round(rows * (110 if columns > 3 else 150)), margin={"t": 44}
    )
    figure.update_xaxes(visible=False, range=[-GAP, width], constrain="domain")
    figure.update_yaxes(visible=False, range=[height, -GAP], scaleanchor="x", constrain="domain")
    return figure


def corner(position: int, columns: int) -> tuple[int, int]:
    """Where the upper left pixel of a glyph in such a grid stands, `(x, y)`."""
    row, column = divmod(position, columns)
    return column * (SIDE + GAP), row * (SIDE + GAP + CAPTION) + CAPTION


def picture_address(glyph: np.ndarray, scale: int = 4) -> str:
    """A `data:` address of the glyph as a PNG, enlarged without smoothing so that every pixel can be seen."""
    pixels = np.clip(np.rint(glyph), 0, 255).astype(np.uint8)
    large = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", large)[1].tobytes()).decode()

"""Arrays → Plotly figures, in one style: transparent, quiet greys that are legible on light and dark alike."""

import colorsys
import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.reading import written
from core.reading.types import GREEK

GREY = "#808895"  # 3.5 : 1 against white and 4.9 : 1 against the dark theme's background
FADED = 0.35  # opacity of what is not the point of a figure
ACCENT = "#1b9488"  # between the two themes' accents: 3.7 : 1 against white, 4.8 : 1 against the dark background
SECOND = "#e07b1a"  # what stands beside the first: another dash or marker tells it apart too
WRONG = "#d1495b"  # what went wrong; always marked by its place or a sign too
# Weights and what they make: negative orange, positive green, zero as clear as the page.
SIGNED_SCALE = [[0, "rgba(224,123,26,1)"], [0.5, "rgba(128,136,149,0)"], [1, "rgba(27,148,136,1)"]]
LONGEST_LABEL = 24  # characters of a name in a figure

# Ten hues that stay apart for colour-blind readers too (after Tableau's and Okabe and Ito's palettes).
DIGIT_COLOURS = (
    "#3b62d0", "#e07b1a", "#2a9d5c", "#d1495b", "#8a5cc9",
    "#94643a", "#d067ae", "#0e9f9a", "#a39b20", "#5f9fe8",
)  # fmt: skip
_ORDER = {label: i for i, label in enumerate([*"0123456789", *GREEK])}

_AXIS = {"automargin": True, "zeroline": False, "fixedrange": True, "title": {"standoff": 8}}

TEMPLATE = go.layout.Template(
    layout=go.Layout(
        font={"size": 14, "color": GREY},
        title={"font": {"size": 15}, "x": 0, "xanchor": "left", "xref": "container"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        xaxis=_AXIS | {"showgrid": False},
        yaxis=_AXIS | {"gridcolor": "rgba(128,136,149,0.2)"},
        colorway=DIGIT_COLOURS,
        bargap=0.25,
        showlegend=False,
    )
)


def class_colour(label: str, position: int = 0) -> str:
    """The colour of a class, the same in every figure; `position` tells unknown classes apart."""
    index = _ORDER.get(label, len(_ORDER) + position)
    if index < len(DIGIT_COLOURS):
        return DIGIT_COLOURS[index]
    hue = index * 0.618034 % 1  # the golden ratio keeps neighbours in the alphabet far apart in hue
    red, green, blue = colorsys.hls_to_rgb(hue, 0.48, 0.55)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def label_text(label: str) -> str:
    """A class or network name as a figure may show it: as people write it, short, and never as markup."""
    text = written(label)
    return html.escape(text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…", quote=False)


def percent(probability: float) -> str:
    """A probability in [0, 1] as people read it: "98.7 %"; never more than is known, so 99.97 % is "99.9 %"."""
    return f"{min(probability * 100, 99.9):.1f} %"


def probability_bars(probabilities: np.ndarray, classes: Sequence[str], title: str) -> go.Figure:
    """One bar for each class: `(C,)` probabilities in [0, 1] → percent; the likeliest stands out."""
    percent = np.asarray(probabilities, float) * 100
    best = int(percent.argmax())
    figure = go.Figure(
        go.Bar(
            x=[label_text(label) for label in classes],
            y=percent,
            marker={
                "color": [class_colour(label, i) for i, label in enumerate(classes)],
                "opacity": [1.0 if i == best else FADED for i in range(len(percent))],
            },
            text=[_percent(value) for value in percent],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
        )
    )
    figure.update_layout(template=TEMPLATE, title=title, height=260)
    figure.update_xaxes(type="category", title="class")
    figure.update_yaxes(range=[0, 112], tickvals=[0, 50, 100], title="probability (%)")
    return figure


def likeliest_bars(probabilities: np.ndarray, classes: Sequence[str], title: str, most: int = 5) -> go.Figure:
    """The likeliest of many classes from the top down: `(C,)` probabilities in [0, 1] → percent."""
    best = np.argsort(-np.asarray(probabilities, float), kind="stable")[:most]
    percent = np.asarray(probabilities, float)[best] * 100
    names = [f"{i}. {label_text(classes[k])}" for i, k in enumerate(best, 1)]  # two classes may have one name
    figure = go.Figure(
        go.Bar(
            x=percent,
            y=names,
            orientation="h",
            marker={"color": ACCENT, "opacity": [1.0] + [FADED] * (len(best) - 1)},
            text=[_percent(value) or f"{value:.2f}" for value in percent],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    )
    figure.update_layout(template=TEMPLATE, title=title, height=110 + 34 * len(best))
    figure.update_xaxes(range=[0, 115], tickvals=[0, 50, 100], title="probability (%)")
    figure.update_yaxes(type="category", autorange="reversed", title="class")
    return figure


def _percent(value: float) -> str:
    """Short, and never more than is known: 99.97 is not written as 100."""
    if value < 1:
        return ""
    return f"{min(value, 99.9):.1f}" if value > 99 else f"{value:.0f}"

"""Figures of where a network looked: maps on the picture, bars of a table's features, curves that test a map."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.inspection.trust import Chance, Curves
from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, label_text

FINEST = 112  # pixels a side of a drawn map: a photo's are averaged to that, or three of them would be a megabyte
UNDER = 0.28  # opacity of the grey picture under a map, over the page in either theme, so that the colours stand out
OVER_PHOTO = 0.7  # opacity of a map
STRONGEST = 99  # percentile of the pixels' strengths where the colours end: one pixel alone would make the rest pale
# As SIGNED_SCALE, but more saturated (Okabe and Ito's vermilion and green) and soon opaque: weak pixels are seen too.
MAP_SCALE = [
    [0, "rgba(226,84,0,1)"], [0.25, "rgba(226,94,0,0.88)"], [0.4, "rgba(236,112,0,0.55)"],
    [0.47, "rgba(240,120,0,0.2)"], [0.5, "rgba(128,136,149,0)"], [0.53, "rgba(0,170,130,0.2)"],
    [0.6, "rgba(0,165,125,0.55)"], [0.75, "rgba(0,160,120,0.9)"], [1, "rgba(0,155,115,1)"],
]  # fmt: skip
CUT_OFF = "The strongest 1 % of the pixels are cut off: they have the colour of the scale's end."
LEGEND = 92  # pixels below the maps, for the colour bar


def overlay_maps(
    picture: np.ndarray,
    maps: Sequence[np.ndarray],
    captions: Sequence[str],
    title: str,
    columns: int = 3,
    side: int = 300,
    own_scales: bool = False,
) -> go.Figure:
    """`(h, w)` maps over the picture `(h, w)` or `(h, w, 3)` in [0, 1]: green speaks for the class, orange against it.

    All maps share one scale, symmetric about 0, unless each is to have its own; it ends at the percentile `STRONGEST`
    of the pixels' strengths. `side` is a map's height in pixels.
    """
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    figure = make_subplots(rows, columns, subplot_titles=list(captions), horizontal_spacing=0.03, vertical_spacing=0.08)
    end = _end_of_scale(maps)
    for i, values in enumerate(maps):
        row, column = i // columns + 1, i % columns + 1
        own = _end_of_scale([values]) if own_scales else 1.0
        figure.add_trace(_map(values / own, picture.shape[:2]), row, column)
        if picture.ndim == 3:  # a photo's maps leave no pixel out and would hide it
            figure.data[-1].opacity = OVER_PHOTO
        figure.add_layout_image(_beneath(picture), row=row, col=column)
    unit = "share of each map's scale" if own_scales else "change of the score"
    figure.update_layout(template=TEMPLATE, title=title, height=rows * (side + 30) + 50 + LEGEND, margin={"t": 74})
    figure.update_layout(coloraxis=_scale(1.0 if own_scales else end, f"against  ←  {unit}  →  for"))
    figure.update_annotations(font={"size": 13, "color": GREY})
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain", autorange="reversed")
    for axis in figure.select_yaxes():
        axis.scaleanchor = axis.anchor
    return figure


def _end_of_scale(maps: Sequence[np.ndarray]) -> float:
    """Where the colours of these maps end; the very strongest pixel where fewer than 1 % are not zero."""
    strengths = np.concatenate([np.abs(values).ravel() for values in maps])
    return float(np.percentile(strengths, STRONGEST)) or float(strengths.max()) or 1.0


def _map(values: np.ndarray, shape: tuple[int, ...]) -> go.Heatmap:
    """The map's pixels lie on the picture's, whatever its own size."""
    height, width = shape
    factor = max(1, -(-max(values.shape) // FINEST))
    if factor > 1:
        size = values.shape[1] // factor, values.shape[0] // factor
        values = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    step_y, step_x = height / values.shape[0], width / values.shape[1]
    return go.Heatmap(
        z=values.astype(np.float32), x0=step_x / 2 - 0.5, dx=step_x, y0=step_y / 2 - 0.5, dy=step_y,
        coloraxis="coloraxis", hovertemplate="column %{x:.0f}, row %{y:.0f}: %{z:.3g}<extra></extra>",
    )  # fmt: skip


def _beneath(picture: np.ndarray) -> dict[str, object]:
    height, width = picture.shape[:2]
    return {
        "source": _pale_png(picture), "x": -0.5, "y": -0.5, "sizex": width,
        "sizey": height, "xref": "x", "yref": "y",
        "sizing": "stretch", "layer": "below",
    }  # fmt: skip


def _pale_png(picture: np.ndarray) -> str:
    """Ink alone in pale grey, clear where the paper is empty; a photo without its colours, as pale."""
    grey = picture if picture.ndim == 2 else picture @ np.array([0.299, 0.587, 0.114])
    shade = np.full_like(grey, 0.5) if picture.ndim == 2 else grey
    opacity = UNDER * (grey if picture.ndim == 2 else np.ones_like(grey)) * 255
    layers = np.stack([shade * 255] * 3 + [opacity], axis=-1).clip(0, 255).round().astype(np.uint8)
    return _address(layers)


def picture_png(picture: np.ndarray) -> str:
    """A `data:` address of a picture in [0, 1], grey or RGB; a small one enlarged so that its pixels can be seen."""
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return _address(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels)


def _address(pixels: np.ndarray) -> str:
    """Of `uint8` pixels, grey, BGR or BGR with opacity."""
    scale = max(1, FINEST // max(pixels.shape[:2]))
    large = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", large)[1].tobytes()).decode()


def _scale(largest: float, title: str) -> dict[str, object]:
    bar = {
        "orientation": "h", "y": 0, "yanchor": "top", "ypad": 8, "thickness": 12, "len": 0.9, "nticks": 5,
        "title": {"text": title, "side": "bottom"},
    }  # fmt: skip
    return {"colorscale": MAP_SCALE, "cmin": -largest, "cmax": largest, "colorbar": bar}


def feature_bars(features: Sequence[str], values: np.ndarray, title: str) -> go.Figure:
    """`(F,)` parts as bars beside each feature, the largest on top; green speaks for the class, orange against it."""
    order = np.argsort(np.abs(values))
    parts = values[order].astype(float)
    figure = go.Figure(
        go.Bar(
            y=[label_text(features[i]) for i in order], x=parts, orientation="h",
            marker={"color": [ACCENT if part >= 0 else SECOND for part in parts]},
            hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=110 + 28 * len(parts))
    figure.update_xaxes(title="change of the score: against  ←  0  →  for", zeroline=True, zerolinecolor=GREY)
    figure.update_yaxes(title="feature = its value", type="category")
    return figure


def curves_figure(
    curves: Curves, chance: Chance, removed: str, quantity: str, title: str, narrow: bool = False
) -> go.Figure:
    """The map's deletion and insertion curves over the band of the random orders; `removed`: "pixels of ink"."""
    texts = [
        f"removed: area {curves.deletion_area:.2f}, by chance {chance.deletion_areas.mean():.2f}",
        f"added: area {curves.insertion_area:.2f}, by chance {chance.insertion_areas.mean():.2f}",
    ]
    figure = make_subplots(
        2 if narrow else 1, 1 if narrow else 2, subplot_titles=texts, horizontal_spacing=0.12, vertical_spacing=0.24
    )
    for i, part in enumerate(("deletion", "insertion")):
        place = {"row": i + 1 if narrow else 1, "col": 1 if narrow else i + 1}
        random = np.array([getattr(one, part) for one in chance.curves]) * 100
        _band(figure, curves.shares * 100, random, place)
        figure.add_scatter(
            x=curves.shares * 100, y=getattr(curves, part) * 100, mode="lines+markers", marker={"size": 5},
            line={"color": ACCENT, "width": 3}, name="in the map's order", showlegend=not i,
            hovertemplate="%{x:.0f} %: %{y:.1f} %<extra>in the map's order</extra>", **place,
        )  # fmt: skip
        figure.update_xaxes(title=f"{removed} {('removed', 'added')[i]} (%)", **place)
        figure.update_yaxes(title=f"{quantity} (%)", rangemode="tozero", **place)
    figure.update_annotations(font={"size": 13, "color": GREY})
    figure.update_layout(
        template=TEMPLATE, title=title, height=700 if narrow else 400, showlegend=True, margin={"t": 70},
        legend={"orientation": "h", "y": -0.12 if narrow else -0.3, "yanchor": "top", "x": 0, "xanchor": "left"},
    )  # fmt: skip
    return figure


def _band(figure: go.Figure, x: np.ndarray, random: np.ndarray, place: dict[str, int]) -> None:
    """Between the lowest and the highest of the random orders `(R, S)`, with their mean."""
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=x, y=random.min(0), **edge, **place)
    figure.add_scatter(x=x, y=random.max(0), fill="tonexty", fillcolor="rgba(128,136,149,0.22)", **edge, **place)
    figure.add_scatter(
        x=x, y=random.mean(0), mode="lines", line={"color": GREY, "dash": "dash"},
        name="in random orders: mean and band", showlegend=place["row"] == 1 and place["col"] == 1,
        hovertemplate="%{x:.0f} %: %{y:.1f} %<extra>random orders, mean</extra>", **place,
    )  # fmt: skip

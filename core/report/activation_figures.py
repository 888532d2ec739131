"""What a layer makes, as figures: maps of channels, strips of numbers, tokens, attention, and one number's sum."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.report.figures import ACCENT, GREY, SECOND, SIGNED_SCALE, TEMPLATE
from core.report.filter_figures import NARROW_PX, WIDE_PX, number_cells
from core.report.tile_figure import GAP, Grid, colour_bar, tile_figure, tiles, where

BARS = 40  # numbers up to which a vector is shown as bars
STRIP = 32  # numbers to a row of a longer vector, at least
STRIP_PX = 420  # height of the longest vector's rows
MOST_CHANNELS = 128  # maps in one figure


def channel_maps(
    values: np.ndarray, title: str, width: str = "half", narrow: bool = False, numbers: Sequence[int] | None = None
) -> go.Figure:
    """`(C, h, w)` outputs as one map for each channel, all on one scale; ✗ where all is zero.

    `width`: "half" of the page or "full".
    """
    count = len(values)
    numbers = list(range(count)) if numbers is None else list(numbers)
    room = NARROW_PX if narrow else WIDE_PX if width == "full" else WIDE_PX // 2 - 20
    most = max(4, room // (60 if count > 12 else 95))
    columns = min(most, max(count, 4))
    grid = Grid(count, columns, room)
    silent = [not values[i].any() for i in range(count)]
    figure = tile_figure(
        grid, title, [f"{n + 1} ✗" if s else str(n + 1) for n, s in zip(numbers, silent, strict=True)], 10
    )
    figure.update_layout(shapes=[_dotted(grid.corner(i)) for i in np.flatnonzero(silent).tolist()])
    hover = "channel %{customdata[0]}, row %{customdata[1]}, column %{customdata[2]}<br>%{z:.4f}"
    ids = where(np.array(numbers), *values.shape[1:])
    figure.add_trace(tiles(grid, values, range(count), hover, ids, bar="activation"))
    return figure


def _dotted(corner: tuple[float, float]) -> dict[str, object]:
    x, y = corner
    line = {"color": GREY, "width": 1, "dash": "dot"}
    return {"type": "rect", "x0": x, "y0": y, "x1": x + 1 - GAP, "y1": y + 1 - GAP, "line": line}


def number_strip(values: np.ndarray, title: str, names: Sequence[str] | None = None, what: str = "node") -> go.Figure:
    """`(F,)` outputs: as bars where they are few, else as rows of cells."""
    count = len(values)
    if count <= BARS:
        labels = list(names) if names is not None else [str(i + 1) for i in range(count)]
        figure = go.Figure(
            go.Bar(
                x=labels, y=values, marker={"color": np.where(values < 0, SECOND, ACCENT).tolist()},
                hovertemplate=f"{what} %{{x}}: %{{y:.4f}}<extra></extra>",
            )
        )  # fmt: skip
        figure.update_layout(template=TEMPLATE, title=title, height=300)
        figure.update_xaxes(title=what, type="category")
        figure.update_yaxes(title="activation", zeroline=True, zerolinecolor=GREY)
        return figure
    across = max(STRIP, int(np.ceil((count * 2) ** 0.5)))
    rows = -(-count // across)
    height = min(18 * rows, STRIP_PX)
    cells = np.full(rows * across, np.nan, np.float32)
    cells[:count] = values
    numbers = np.arange(1, rows * across + 1).reshape(rows, across)
    largest = float(np.abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=cells.reshape(rows, across), customdata=numbers, x=np.arange(1, across + 1), y=numbers[:, 0],
            colorscale=SIGNED_SCALE, zmin=-largest, zmax=largest, hoverongaps=False, xgap=1, ygap=1,
            hovertemplate=f"{what} %{{customdata}}: %{{z:.4f}}<extra></extra>",
            colorbar=colour_bar("activation") | {"y": -55 / (height + 40)},
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=190 + height, margin={"b": 110})
    figure.update_xaxes(title=f"{what} in its row", nticks=6)
    figure.update_yaxes(title=f"first {what}", autorange="reversed", showgrid=False, nticks=6)
    return figure


def token_heat(
    values: np.ndarray, title: str, across: str = "number", down: str = "token", what: str = "activation"
) -> go.Figure:
    """`(T, F)` outputs: one row for each token."""
    largest = float(np.abs(values).max()) or 1.0
    count, width = values.shape
    figure = go.Figure(
        go.Heatmap(
            z=values, x=np.arange(1, width + 1), y=np.arange(1, count + 1), colorscale=SIGNED_SCALE, zmin=-largest,
            zmax=largest, hovertemplate=f"{down} %{{y}}, {across} %{{x}}<br>%{{z:.4f}}<extra></extra>",
            colorbar=colour_bar(what) | {"y": -0.24},
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=450, margin={"b": 125})
    figure.update_xaxes(title=across)
    figure.update_yaxes(title=down, autorange="reversed", showgrid=False)
    return figure


def attention_figure(
    maps: np.ndarray, picture: np.ndarray, patch: int | None, title: str, narrow: bool = False
) -> go.Figure:
    """`(heads, s, s)` shares that each head takes from each patch, after the `(h, w)` picture itself.

    `patch`: the one that attends, counted from 0 row by row, framed; None for the mean over all.
    """
    heads, side, _ = maps.shape
    room = NARROW_PX if narrow else WIDE_PX
    grid = Grid(heads + 1, min(3 if narrow else heads + 1, heads + 1), room)
    if not narrow:
        grid = Grid(heads + 1, max(heads + 1, 5), room)
    figure = tile_figure(grid, title, ["what it is shown", *(f"head {i + 1}" for i in range(heads))], 11)
    ink = [[0, "rgba(128,136,149,0)"], [1, GREY]]
    figure.add_trace(
        tiles(grid, picture[None], [0], "row %{customdata[1]}, column %{customdata[2]}: %{z:.2f}", None, 1.0,
              colorscale=ink, zmin=0, zmax=max(float(picture.max()), 1e-6))
    )  # fmt: skip
    hover = "head %{customdata[0]}: %{z:.1f} % from the patch<br>in row %{customdata[1]}, column %{customdata[2]}"
    percent = maps * 100
    figure.add_trace(
        tiles(
            grid, percent, range(1, heads + 1), hover, None, None, "share of its attention (%)", zmin=0,
            zmax=float(percent.max()), colorscale=[[0, "rgba(27,148,136,0)"], [1, ACCENT]],
        )
    )  # fmt: skip
    if patch is not None:
        for tile in range(heads + 1):
            _frame_patch(figure, grid.corner(tile), divmod(patch, side), side)
    return figure


def _frame_patch(figure: go.Figure, corner: tuple[float, float], place: tuple[int, int], side: int) -> None:
    cell = 0.92 / side
    x, y = corner[0] + place[1] * cell, corner[1] + place[0] * cell
    figure.add_shape(type="rect", x0=x, y0=y, x1=x + cell, y1=y + cell, line={"color": SECOND, "width": 2})


def one_map(
    values: np.ndarray,
    title: str,
    chosen: tuple[int, int] | None = None,
    outline: tuple[float, float, float, float] | None = None,
) -> go.Figure:
    """`(h, w)` one channel. With `chosen`, `(row, column)` from 0, that number is framed and others can be clicked on.

    `outline`: left, top, right, bottom of a frame, in pixels from the first one's middle, which is at 0.
    """
    h, w = values.shape
    largest = float(np.abs(values).max()) or 1.0
    rows, columns = np.mgrid[:h, :w]
    places = np.stack([rows + 1, columns + 1], -1).astype(np.int16)
    hover = "row %{customdata[0]}, column %{customdata[1]}<br>"
    figure = go.Figure(
        go.Heatmap(
            z=values, x=np.arange(w), y=np.arange(h), colorscale=SIGNED_SCALE, zmin=-largest, zmax=largest,
            customdata=places, hovertemplate=hover + "%{z:.4f}<extra></extra>",
            colorbar=colour_bar("activation") | {"y": -0.24},
        )
    )  # fmt: skip
    if chosen is not None:
        figure.add_trace(
            go.Scatter(  # a heat map cannot be clicked on, its cells' middles can
                x=columns.ravel(), y=rows.ravel(), mode="markers",
                marker={"size": max(5, 280 // max(h, w)), "opacity": 0, "symbol": "square"},
                customdata=np.concatenate([places, values[..., None]], -1).reshape(-1, 3),
                hovertemplate=hover + "%{customdata[2]:.4f}<extra></extra>",
            )
        )  # fmt: skip
        figure.update_layout(clickmode="event+select")
    if outline is not None:
        left, top, right, bottom = outline
        figure.add_shape(type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": SECOND, "width": 3})
    if chosen is not None:
        row, column = chosen
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": SECOND, "width": 3},
        )
    left, top, right, bottom = outline or (0, 0, 0, 0)
    figure.update_layout(template=TEMPLATE, title=title, height=430, margin={"b": 110})
    figure.update_xaxes(
        title="column (pixels)", constrain="domain", range=[min(-0.5, left) - 0.1, max(w - 0.5, right) + 0.1],
        tickvals=_ticks(w), ticktext=[str(t + 1) for t in _ticks(w)],
    )  # fmt: skip
    figure.update_yaxes(
        title="row (pixels)", constrain="domain", range=[max(h - 0.5, bottom) + 0.1, min(-0.5, top) - 0.1],
        scaleanchor="x", showgrid=False, tickvals=_ticks(h), ticktext=[str(t + 1) for t in _ticks(h)],
    )  # fmt: skip
    return figure


def _ticks(count: int) -> list[int]:
    step = max(1, count // 6)
    return list(range(0, count, step))


def product_tables(patch: np.ndarray, kernel: np.ndarray, title: str, narrow: bool = False) -> go.Figure:
    """`(h, w)` patch × `(h, w)` kernel = `(h, w)` products, each number in its cell."""
    rows, columns = (3, 1) if narrow else (1, 3)
    product = patch * kernel
    names = (
        f"patch, from {_short(patch.min())} to {_short(patch.max())}",
        "× kernel",
        f"= products, sum {product.sum():.4g}",
    )
    figure = make_subplots(
        rows, columns, subplot_titles=[name.replace("-", "−") for name in names], horizontal_spacing=0.06,
        vertical_spacing=0.09,
    )  # fmt: skip
    for i, (values, what) in enumerate(((patch, "pixel"), (kernel, "weight"), (product, "product"))):
        place = (i + 1, 1) if narrow else (1, i + 1)
        largest = float(np.abs(values).max()) or 1.0
        figure.add_trace(number_cells(values, what, largest), *place)
        figure.update_xaxes(
            constrain="domain", title="column" if not narrow or i == 2 else None, row=place[0], col=place[1], dtick=1
        )
        figure.update_yaxes(
            constrain="domain", autorange="reversed", scaleanchor=figure.data[-1].xaxis or "x", showgrid=False, dtick=1,
            title="row" if narrow or i == 0 else None, row=place[0], col=place[1],
        )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=960 if narrow else 400, margin={"t": 76})
    figure.update_annotations(font={"size": 13, "color": GREY})
    return figure


def _short(value: float) -> str:
    return f"{value:.3g}"


def contribution_bars(
    names: Sequence[str], values: Sequence[float], title: str, across: str = "what it brings to the sum"
) -> go.Figure:
    """What each part brings to a sum, one bar each, from the top down."""
    colours = [SECOND if value < 0 else ACCENT for value in values]
    figure = go.Figure(
        go.Bar(
            x=list(values), y=list(names), orientation="h", marker={"color": colours},
            text=[f"{v:.3g}".replace("-", "−") for v in values], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:.5f}<extra></extra>",
        )
    )  # fmt: skip
    low, high = min(0.0, *values), max(0.0, *values)
    room = (high - low) * 0.18 or 1.0
    figure.update_layout(template=TEMPLATE, title=title, height=110 + 26 * len(names))
    figure.update_xaxes(title=across, zeroline=True, zerolinecolor=GREY, range=[low - room, high + room])
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category", dtick=1)
    return figure

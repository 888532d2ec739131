"""Filters as figures: all of a layer with their frequency responses, one close up, and what they make of a picture."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.report.figures import TEMPLATE, label_text
from core.report.sample_figures import picture_address
from core.report.tile_figure import GAP, Grid, colour_bar, tile_figure, tiles, where

RESPONSE_SCALE = [[0, "rgba(59,98,208,0)"], [1, "rgba(59,98,208,1)"]]  # from nothing to a filter's own strongest
# As SIGNED_SCALE, but zero is light instead of clear, so that a number in the cell can be read in either theme.
CELL_SCALE = [[0, "rgb(224,123,26)"], [0.5, "rgb(240,241,243)"], [1, "rgb(27,148,136)"]]
WIDE_PX, NARROW_PX = 1180, 340
IN_PLACE = {"xref": "x", "yref": "y", "sizing": "stretch", "yanchor": "top", "layer": "below"}
MOST_NUMBERS = 9  # pixels a side up to which weights are written into their cells


def filter_grid(
    kernels: np.ndarray,
    numbers: Sequence[int],
    captions: Sequence[str],
    responses: tuple[np.ndarray, np.ndarray] | None,
    title: str,
    largest: float,
    narrow: bool = False,
    colour: tuple[np.ndarray, np.ndarray] | None = None,
) -> go.Figure:
    """`(K, h, w)` kernels, each beside its frequency response `(K, n, n)` over `(n,)` cycles per pixel.

    `numbers`: of the filters, from 0; `largest`: where the weights' common scale ends. `colour`: `(K, h, w, 3)`
    pictures in [0, 1] of filters that read colours, and their weights `(K, 3, h, w)`; they are shown instead.
    """
    each = 1 if responses is None else 2
    pairs = _pairs_in_a_row(len(kernels), each, narrow)
    grid = Grid(len(kernels) * each, pairs * each, NARROW_PX if narrow else WIDE_PX)
    places = [i * each for i in range(len(kernels))]
    spread = [text for caption in captions for text in ([caption] if each == 1 else [caption, ""])]
    figure = tile_figure(grid, title, spread, size=11 if narrow else 12)
    ids = where(np.array(numbers), *kernels.shape[1:])
    if colour is None:
        hover = "filter %{customdata[0]}, row %{customdata[1]}, column %{customdata[2]}<br>weight %{z:.4f}"
        figure.add_trace(tiles(grid, kernels, places, hover, ids, largest, "weight"))
    else:
        _add_colours(figure, grid, places, ids, *colour)
    if responses is not None:
        figure.add_trace(_response_tiles(grid, responses, numbers, [place + 1 for place in places]))
    return figure


def _pairs_in_a_row(count: int, each: int, narrow: bool) -> int:
    most = (3 if each == 2 else 5) if narrow else (5 if count <= 20 else 8) * (1 if each == 2 else 2)
    return max(1, min(most, count)) if count >= most else most


def _add_colours(
    figure: go.Figure, grid: Grid, places: Sequence[int], ids: np.ndarray, pictures: np.ndarray, weights: np.ndarray
) -> None:
    """RGB pictures, under cells that cannot be seen but tell each pixel's three weights."""
    images = []
    for picture, place in zip(pictures, places, strict=True):
        x, y = grid.corner(place)
        address = picture_address(picture[..., ::-1] * 255, 8)  # OpenCV's order of the colours
        images.append({"source": address, "x": x, "y": y, "sizex": 1 - GAP, "sizey": 1 - GAP} | IN_PLACE)
    figure.update_layout(images=images)
    told = np.concatenate([ids.astype(np.float32), weights.transpose(0, 2, 3, 1)], -1)
    hover = (
        "filter %{customdata[0]}, row %{customdata[1]}, column %{customdata[2]}<br>red %{customdata[3]:.4f}, green "
        "%{customdata[4]:.4f}, blue %{customdata[5]:.4f}"
    )
    clear = [[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]]
    figure.add_trace(tiles(grid, weights.mean(1), places, hover, told, colorscale=clear))


def _response_tiles(
    grid: Grid, responses: tuple[np.ndarray, np.ndarray], numbers: Sequence[int], places: Sequence[int]
) -> go.Heatmap:
    """Each filter's response as a share of its own strongest, lower frequencies in the middle."""
    step = 2 if len(numbers) <= 16 else 3  # as fine as such small pictures can show
    magnitudes, frequencies = responses[0][:, ::step, ::step], responses[1][::step]
    across, up = np.meshgrid(frequencies, -frequencies)
    told = np.zeros((*magnitudes.shape, 4), np.float32)
    told[..., 0] = (np.array(numbers) + 1)[:, None, None]
    told[..., 1], told[..., 2], told[..., 3] = across, up, magnitudes
    strongest = magnitudes.max((1, 2), keepdims=True)
    hover = (
        "filter %{customdata[0]}: answers %{customdata[3]:.3f}<br>to waves of %{customdata[1]:.2f} across, "
        "%{customdata[2]:.2f} up (cycles/pixel)"
    )
    shares = magnitudes / np.where(strongest > 0, strongest, 1)
    return tiles(grid, shares, places, hover, told, colorscale=RESPONSE_SCALE, zmin=0, zmax=1)


def filter_close_up(
    kernel: np.ndarray, response: tuple[np.ndarray, np.ndarray] | None, title: str, largest: float, narrow: bool = False
) -> go.Figure:
    """One `(h, w)` kernel with its weights written into its cells, and its frequency response with axes."""
    rows, columns = (2, 1) if narrow else (1, 2)
    if response is None:
        rows, columns = 1, 1
    figure = make_subplots(rows, columns, horizontal_spacing=0.12, vertical_spacing=0.16)
    figure.add_trace(number_cells(kernel, "weight", largest), 1, 1)
    _pixel_axes(figure, max(kernel.shape))
    if response is not None:
        magnitudes, frequencies = response
        place = (2, 1) if narrow else (1, 2)
        figure.add_trace(
            go.Heatmap(
                z=magnitudes, x=frequencies, y=-frequencies, colorscale=RESPONSE_SCALE, zmin=0, showscale=False,
                hovertemplate="answers %{z:.3f}<br>to waves of %{x:.2f} across, %{y:.2f} up<extra></extra>",
            ), *place,
        )  # fmt: skip
        figure.update_xaxes(title="across (cycles/pixel)", row=place[0], col=place[1], constrain="domain")
        figure.update_yaxes(
            title="up (cycles/pixel)", row=place[0], col=place[1], showgrid=False, constrain="domain",
            scaleanchor=figure.data[-1].xaxis,
        )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=700 if rows == 2 else 400)
    return figure


def number_cells(values: np.ndarray, what: str, largest: float, **more: object) -> go.Heatmap:
    """`(h, w)` numbers, written into their cells where these are few."""
    h, w = values.shape
    few = max(h, w) <= MOST_NUMBERS
    gap = 1 if few else 0
    return go.Heatmap(
        z=values, x=np.arange(1, w + 1), y=np.arange(1, h + 1), colorscale=CELL_SCALE, zmin=-largest, zmax=largest,
        showscale=False, xgap=gap, ygap=gap, texttemplate="%{z:.2f}" if few else None,
        textfont={"size": 11 if max(h, w) <= 5 else 9},
        hovertemplate=f"row %{{y}}, column %{{x}}<br>{what} %{{z:.4f}}<extra></extra>", **more,
    )  # fmt: skip


def _pixel_axes(figure: go.Figure, side: int) -> None:
    step = 1 if side <= MOST_NUMBERS else 5
    figure.update_xaxes(title="column (pixels)", row=1, col=1, constrain="domain", dtick=step)
    figure.update_yaxes(
        title="row (pixels)", row=1, col=1, autorange="reversed", showgrid=False, constrain="domain", dtick=step,
        scaleanchor="x",
    )  # fmt: skip


def effect_grid(
    parts: Sequence[tuple[str, np.ndarray]], numbers: Sequence[int], title: str, narrow: bool = False
) -> go.Figure:
    """One row for each filter: `parts` are the columns, each its name and `(K, h, w)` pictures.

    Each column has a scale of its own, symmetric about 0: the numbers are under the pointer.
    """
    columns, sets = len(parts), 1 if narrow else 2  # on a wide screen two filters to a row
    grid = Grid(len(numbers) * columns, columns * sets, NARROW_PX if narrow else WIDE_PX)
    captions = []
    for i, filter_number in enumerate(numbers):
        captions.append(f"{filter_number + 1}: {parts[0][0]}" if i < sets else str(filter_number + 1))
        captions += [name if i < sets else "" for name, _ in parts[1:]]
    figure = tile_figure(grid, title, captions, size=10 if narrow else 12)
    for at, (name, pictures) in enumerate(parts):
        places = [i * columns + at for i in range(len(numbers))]
        ids = where(np.array(numbers), *pictures.shape[1:])
        hover = f"filter %{{customdata[0]}}, {name}<br>row %{{customdata[1]}}, column %{{customdata[2]}}: %{{z:.4f}}"
        figure.add_trace(tiles(grid, pictures, places, hover, ids))
    figure.update_layout(margin={"b": 8}, height=grid.height_px - 50)
    return figure


def weight_table(weights: np.ndarray, features: Sequence[str], title: str, narrow: bool = False) -> go.Figure:
    """`(nodes, features)` weights of a dense layer that reads the rows of a table."""
    nodes, count = weights.shape
    largest = float(np.abs(weights).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=weights.T, x=np.arange(1, nodes + 1), y=[label_text(name) for name in features], colorscale=CELL_SCALE,
            zmin=-largest, zmax=largest, colorbar=colour_bar("weight") | {"y": -0.16}, xgap=1, ygap=1,
            texttemplate="%{z:.2f}" if nodes <= 15 and not narrow else None, textfont={"size": 11},
            hovertemplate="%{y} → node %{x}<br>weight %{z:.4f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, title=title, height=150 + 30 * count, margin={"b": 90})
    figure.update_xaxes(title="node", dtick=1 if nodes <= 15 else 5)
    figure.update_yaxes(title="feature", autorange="reversed", showgrid=False, dtick=1)
    return figure

"""Many small pictures in one figure, row by row, with each number under the pointer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.report.figures import GREY, SIGNED_SCALE, TEMPLATE

GAP = 0.08  # between two tiles, as a share of a tile
CAPTION_PX = 20  # room over a tile for its line of text
MOST_PIXELS, MOST_CELLS = 56, 150_000  # of a map's side, and of all maps in one layer of a figure
TOP_PX, BAR_PX = 44, 66  # for the title, and for the colour bar under the tiles


@dataclass(frozen=True)
class Grid:
    """Where tiles stand: `columns` to a row, one tile wide and high each, with a caption over it."""

    count: int
    columns: int
    width_px: int  # about as wide as the figure will be

    @property
    def rows(self) -> int:
        return max(1, -(-self.count // self.columns))

    @property
    def tile_px(self) -> float:
        return self.width_px / self.columns

    @property
    def pitch(self) -> float:
        """From one row to the next, in tiles."""
        return 1 + CAPTION_PX / self.tile_px

    def corner(self, position: int) -> tuple[float, float]:
        """The upper left of a tile, `(x, y)` in tiles, downwards."""
        row, column = divmod(position, self.columns)
        return float(column), row * self.pitch + self.pitch - 1

    @property
    def height_px(self) -> int:
        return round(TOP_PX + BAR_PX + self.rows * self.pitch * self.tile_px)


def tile_figure(grid: Grid, title: str, captions: Sequence[str], size: int = 12) -> go.Figure:
    """An empty figure of such tiles, with their captions; `tiles` makes what is added to it."""
    annotations = [_caption(grid.corner(i), caption, size) for i, caption in enumerate(captions) if caption]
    figure = go.Figure(  # all captions at once: Plotly checks them all again for each that is added
        layout={
            "template": TEMPLATE, "title": title, "height": grid.height_px, "annotations": annotations,
            "margin": {"t": TOP_PX, "b": BAR_PX, "l": 4, "r": 4},
        }
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.02, grid.columns], constrain="domain", constraintoward="left")
    figure.update_yaxes(
        visible=False, range=[grid.rows * grid.pitch, 0], scaleanchor="x", constrain="domain", constraintoward="top"
    )
    return figure


def _caption(corner: tuple[float, float], text: str, size: int) -> dict[str, object]:
    return {
        "x": corner[0], "y": corner[1], "text": text, "showarrow": False, "xanchor": "left", "yanchor": "bottom",
        "xshift": -2, "font": {"size": size, "color": GREY},
    }  # fmt: skip


def tiles(
    grid: Grid,
    pictures: np.ndarray,
    places: Sequence[int],
    hover: str,
    told: np.ndarray | None = None,
    largest: float | None = None,
    bar: str = "",
    **more: object,
) -> go.Heatmap:
    """`(K, h, w)` pictures at these places, as one layer of the figure.

    `told`: `(K, h, w, n)` what `hover` may name as `%{customdata[0]}` …; without it each pixel's picture by its place,
    its row and its column, from 1. `largest`: end of the colour scale, which is symmetric about 0; `bar`: the
    title of its bar, without which none is drawn. Of large pictures only every `step_for`-th pixel is shown.
    """
    count, h, w = pictures.shape
    told = told if told is not None else where(np.arange(count), h, w)
    largest = largest if largest is not None else _largest(pictures)
    step = step_for(pictures)
    pictures, told = pictures[:, ::step, ::step], told[:, ::step, ::step]
    h, w = pictures.shape[1:]
    z = np.full((grid.rows * (h + 1), grid.columns * (w + 1)), np.nan, np.float32)
    data = np.zeros((*z.shape, told.shape[-1]), told.dtype)
    for picture, words, place in zip(pictures, told, places, strict=True):
        row, column = divmod(place, grid.columns)
        down, across = row * (h + 1) + 1, column * (w + 1)
        z[down : down + h, across : across + w] = picture
        data[down : down + h, across : across + w] = words
    scale: dict[str, object] = {"colorscale": SIGNED_SCALE, "zmin": -largest, "zmax": largest}
    return go.Heatmap(
        z=z, x=_across(grid, w), y=_down(grid, h), customdata=data, hovertemplate=hover + "<extra></extra>",
        hoverongaps=False, showscale=bool(bar), colorbar=colour_bar(bar) if bar else None, **(scale | more),
    )  # fmt: skip


def _across(grid: Grid, w: int) -> np.ndarray:
    inside = np.linspace(0, 1 - GAP, w + 1)
    return np.append(np.concatenate([column + inside for column in range(grid.columns)]), grid.columns)


def _down(grid: Grid, h: int) -> np.ndarray:
    """Edges from the top down: each row of tiles has its caption's room first."""
    inside = np.linspace(0, 1 - GAP, h + 1)
    edges = [row * grid.pitch + np.append(0.0, grid.pitch - 1 + inside)[:-1] for row in range(grid.rows)]
    # The gap under a tile belongs to the caption's room of the next row, so a row's last edge begins that.
    for row in range(1, grid.rows):
        edges[row][0] = (row - 1) * grid.pitch + grid.pitch - GAP
    return np.append(np.concatenate(edges), (grid.rows - 1) * grid.pitch + grid.pitch - GAP)


def where(numbers: np.ndarray, h: int, w: int) -> np.ndarray:
    """`(K, h, w, 3) int16`: each pixel's number of its picture, from 1, its row and its column, from 1."""
    rows, columns = np.mgrid[1 : h + 1, 1 : w + 1]
    places = np.stack([np.zeros_like(rows), rows, columns], -1)[None].repeat(len(numbers), 0).astype(np.int16)
    places[..., 0] = (np.asarray(numbers) + 1)[:, None, None]
    return places


def step_for(pictures: np.ndarray) -> int:
    """Every how many pixels of `(K, h, w)` pictures are shown, so that a browser can hold them all."""
    longest = max(pictures.shape[1:])
    return max(1, -(-longest // MOST_PIXELS), int(np.ceil((pictures.size / MOST_CELLS) ** 0.5)))


def brief(label: str, narrow: bool) -> str:
    """A layer's label in a figure's title; on a phone without its details, or the title would be cut off."""
    return label.split(",")[0] if narrow else label


def colour_bar(title: str) -> dict[str, object]:
    """Under the figure, so that it takes no room beside it on a phone."""
    return {
        "orientation": "h", "thickness": 10, "len": 0.6, "x": 0, "xanchor": "left", "y": 0, "yanchor": "top",
        "ypad": 8, "title": {"text": title, "side": "bottom", "font": {"size": 12}}, "tickfont": {"size": 11},
        "outlinewidth": 0, "nticks": 5,
    }  # fmt: skip


def _largest(pictures: np.ndarray) -> float:
    finite = np.abs(pictures[np.isfinite(pictures)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0

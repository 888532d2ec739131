"""Figures of a space's maps: a scatter of tens of thousands of samples, and what its main axes explain."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, GREY, SECOND, TEMPLATE, WRONG, class_colour, label_text
from core.report.sample_figures import picture_address

# Shapes that scatter plots in 2-D and in 3-D both know, the plainest first; colour is never alone.
SYMBOLS = ("circle", "diamond", "square", "cross", "x", "circle-open", "diamond-open", "square-open")
MANY = 20_000  # samples: above, all marks are small and of the plainest shape, and class names say what lies where
NAMED_AT_MOST = 60  # groups whose names are written into the map
HEIGHT, NARROW_HEIGHT = 640, 440
GLYPHS_ACROSS = 26  # glyphs side by side that would fill the map's width
MOST_GLYPHS = 300


@dataclass(frozen=True, eq=False)
class Colouring:
    """What the colours of a map tell: groups with names, or one number for each sample."""

    title: str
    groups: np.ndarray | None = None  # (N,) indices into `names`
    names: tuple[str, ...] = ()  # as they are shown: never markup
    colours: tuple[str, ...] = ()
    values: np.ndarray | None = None  # (N,) float
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Marks:
    """What is drawn besides the samples."""

    flagged: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # indices: lost their neighbours
    chosen: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # indices
    centre: int | None = None  # the clicked sample, joined with
    neighbours: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # its true neighbours
    trail: np.ndarray | None = None  # (P, dimensions) places of a drawing as it grew


def by_class(labels: np.ndarray, classes: Sequence[str]) -> Colouring:
    """`(N,)` indices into the classes → the colours that the classes have on every page."""
    return Colouring(
        "class", labels, tuple(map(label_text, classes)), tuple(class_colour(c, i) for i, c in enumerate(classes))
    )


def by_set(sets: np.ndarray, names: Sequence[str]) -> Colouring:
    colours = [(ACCENT, SECOND, "#8a5cc9", "#5f9fe8", "#94643a", "#d067ae")[i % 6] for i in range(len(names))]
    return Colouring("set", sets, tuple(map(label_text, names)), tuple(colours))


def by_answer(right: np.ndarray, known: np.ndarray) -> Colouring:
    """`(N,) bool`: whether the network's answer is right, and whether it knows the class at all."""
    groups = np.where(known, np.where(right, 0, 2), 1)  # the wrong ones, which are few, on top
    return Colouring("answer", groups, ("right", "no class of the network's", "wrong"), (ACCENT, GREY, WRONG))


def by_value(title: str, shares: np.ndarray) -> Colouring:
    """`(N,)` numbers in [0, 1] → percent."""
    return Colouring(title, values=np.asarray(shares, float) * 100, unit="%")


def map_figure(
    layout: np.ndarray,
    colouring: Colouring,
    sets: np.ndarray,
    set_names: Sequence[str],
    title: str,
    axis: str,
    marks: Marks | None = None,
    narrow: bool = False,
    named: bool = True,
) -> tuple[go.Figure, list[np.ndarray]]:
    """`(N, 2 or 3)` places → the map, and for each of its first traces the indices of the samples in it.

    `axis` names the axes before their number; `named`: each class's name is written where its middle lies. Groups are
    told apart by colour and, where there is only one set, by shape; several sets have a shape each. Only places go to
    the browser, as float32.
    """
    marks = marks or Marks()
    places = np.asarray(layout, np.float32)
    figure = go.Figure()
    drawn = _valued(figure, places, colouring, narrow) if colouring.values is not None else _grouped(
        figure, places, colouring, sets, set_names
    )  # fmt: skip
    _besides(figure, places, marks)
    if named and len(colouring.names) <= NAMED_AT_MOST and colouring.title == "class":
        _write_names(figure, places, colouring, 0.5 if marks.trail is not None or marks.centre is not None else 1.0)
    _lay_out(figure, places, colouring, title, axis, narrow)
    return figure, drawn


def _grouped(
    figure: go.Figure, places: np.ndarray, colouring: Colouring, sets: np.ndarray, set_names: Sequence[str]
) -> list[np.ndarray]:
    """A trace for each group of each set."""
    assert colouring.groups is not None
    several = len(set_names) > 1 and colouring.title == "class"
    drawn, named = [], set()
    for number in range(len(set_names)) if several else [None]:
        for group, name in enumerate(colouring.names):
            inside = colouring.groups == group
            indices = np.flatnonzero(inside if number is None else inside & (sets == number))
            if not len(indices):
                continue
            shape = group if number is None else number
            symbol = SYMBOLS[0] if len(places) > MANY and number is None else SYMBOLS[shape % len(SYMBOLS)]
            marker = {"color": colouring.colours[group], "symbol": symbol, "size": _size(len(places), places.shape[1])}
            figure.add_trace(
                _scatter(
                    places[indices], mode="markers", marker=marker | {"opacity": 0.75}, name=name,
                    legendgroup=name, showlegend=name not in named, hovertemplate=f"{name}<extra></extra>",
                )
            )  # fmt: skip
            named.add(name)
            drawn.append(indices)
    if several:
        for number, name in enumerate(set_names):
            figure.add_trace(_scatter(
                np.full((1, places.shape[1]), np.nan, np.float32), mode="markers", name=label_text(name),
                marker={"color": GREY, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8}, legendgroup="sets",
            ))  # fmt: skip
    return drawn


def _valued(figure: go.Figure, places: np.ndarray, colouring: Colouring, narrow: bool) -> list[np.ndarray]:
    assert colouring.values is not None
    heading = {"text": f"{colouring.title} ({colouring.unit})", "side": "top" if narrow else "right"}
    bar: dict[str, Any] = {"title": heading}
    if narrow:
        bar |= {"orientation": "h", "y": -0.28, "thickness": 12}
    figure.add_trace(
        _scatter(
            places, mode="markers", name=colouring.title, showlegend=False,
            marker={
                "color": colouring.values.astype(np.float32), "colorscale": "Viridis", "cmin": 0, "cmax": 100,
                "colorbar": bar | {"thickness": 12}, "size": _size(len(places), places.shape[1]), "opacity": 0.8,
            },
            hovertemplate=f"{colouring.title} %{{marker.color:.0f}} {colouring.unit}<extra></extra>",
        )
    )  # fmt: skip
    return [np.arange(len(places))]


def _besides(figure: go.Figure, places: np.ndarray, marks: Marks) -> None:
    """What lies over the samples; pointing at it tells nothing."""
    quiet = {"hoverinfo": "skip"}
    if len(marks.flagged):
        figure.add_trace(_scatter(
            places[marks.flagged], mode="markers", name="neighbours lost", **quiet,
            marker={"symbol": "circle-open" if places.shape[1] == 3 else "x-thin-open", "color": GREY,
                    "size": 7 if len(places) <= MANY else 4, "opacity": 0.8, "line": {"width": 1, "color": GREY}},
        ))  # fmt: skip
    if len(marks.chosen) and len(marks.chosen) <= MANY:
        figure.add_trace(_scatter(
            places[marks.chosen], mode="markers", name="chosen", **quiet,
            marker={"symbol": "circle-open", "color": GREY, "size": 11, "line": {"width": 2, "color": GREY}},
        ))  # fmt: skip
    if marks.centre is not None and len(marks.neighbours):
        ends = np.full((3 * len(marks.neighbours), places.shape[1]), np.nan, np.float32)  # gaps between the lines
        ends[0::3], ends[1::3] = places[marks.centre], places[marks.neighbours]
        figure.add_trace(
            _scatter(ends, mode="lines", name="true neighbours", line={"color": GREY, "width": 2}, **quiet)
        )
        figure.add_trace(_scatter(
            places[[marks.centre]], mode="markers", name="clicked", showlegend=False, **quiet,
            marker={"symbol": "circle-open", "color": WRONG, "size": 16, "line": {"width": 3, "color": WRONG}},
        ))  # fmt: skip
    if marks.trail is not None and len(marks.trail):
        sizes = [7] * (len(marks.trail) - 1) + [15]
        figure.add_trace(_scatter(
            marks.trail, mode="lines+markers", name="your drawing", **quiet, line={"color": WRONG, "width": 3},
            marker={"symbol": "diamond", "color": WRONG, "size": sizes, "line": {"width": 1, "color": "white"}},
        ))  # fmt: skip


def _write_names(figure: go.Figure, places: np.ndarray, colouring: Colouring, opacity: float) -> None:
    """Each class's name where its middle sample lies; in 2-D on a plate, so that it can be read over the marks."""
    assert colouring.groups is not None
    notes = []
    for group, name in enumerate(colouring.names):
        own = places[colouring.groups == group]
        if not len(own):
            continue
        middle = np.median(own, 0)
        place = own[np.linalg.norm(own - middle, axis=1).argmin()]
        note = {
            "x": float(place[0]), "y": float(place[1]), "text": f"<b>{name}</b>", "showarrow": False,
            "font": {"size": 13, "color": "#16181d"}, "bgcolor": "rgba(255,255,255,0.8)",
            "bordercolor": colouring.colours[group], "borderwidth": 2, "borderpad": 2,
            "opacity": opacity,
        }  # fmt: skip
        notes.append(note | ({"z": float(place[2])} if places.shape[1] == 3 else {}))
    if places.shape[1] == 3:
        figure.update_layout(scene={"annotations": notes})
    else:
        figure.update_layout(annotations=notes)


def _lay_out(figure: go.Figure, places: np.ndarray, colouring: Colouring, title: str, axis: str, narrow: bool) -> None:
    many = colouring.groups is not None and len(colouring.names) > 12
    legend: dict[str, Any] = {"itemsizing": "constant", "font": {"size": 12}}
    if narrow:
        legend |= {"orientation": "h", "y": -0.2, "x": 0, "entrywidth": 34 if colouring.title == "class" else 110}
    elif many:
        legend |= {"entrywidth": 60, "orientation": "v", "tracegroupgap": 0}
    else:
        legend |= {"tracegroupgap": 2}
    figure.update_layout(
        template=TEMPLATE, title=title, height=NARROW_HEIGHT if narrow else HEIGHT,
        dragmode="pan" if narrow else "lasso", showlegend=not (narrow and many), legend=legend,
        uirevision=title, hovermode="closest",
    )  # fmt: skip
    if places.shape[1] == 3:
        quiet = {"showbackground": False, "gridcolor": "rgba(128,136,149,0.3)", "showspikes": False}
        axes = {f"{name}axis": quiet | {"title": {"text": f"{axis} {i}"}} for i, name in enumerate("xyz", 1)}
        figure.update_layout(scene=axes | {"aspectmode": "data", "dragmode": "orbit"}, dragmode="orbit")
        return
    figure.update_xaxes(title=f"{axis} 1", fixedrange=False, showgrid=True, gridcolor="rgba(128,136,149,0.15)")
    figure.update_yaxes(title=f"{axis} 2", fixedrange=False, scaleanchor="x", constrain="domain")


def _scatter(places: np.ndarray, **how: object) -> go.Scattergl | go.Scatter3d:
    x, y = places[:, 0], places[:, 1]
    if places.shape[1] == 3:
        return go.Scatter3d(x=x, y=y, z=places[:, 2], **how)
    return go.Scattergl(x=x, y=y, **how)


def _size(count: int, dimensions: int) -> float:
    """Marks of many samples are small, so that clouds do not become blots."""
    size = 8 if count <= 1000 else 6 if count <= 5000 else 4.5 if count <= MANY else 3
    return 0.4 * size if dimensions == 3 else size


def spread_out(layout: np.ndarray, most: int = MOST_GLYPHS, across: int = GLYPHS_ACROSS) -> tuple[np.ndarray, float]:
    """The samples whose glyphs can be drawn without overlapping, `(G,) int64`, and the side of a glyph in map units.

    In an order drawn once, each sample is taken whose square is still free (a greedy heuristic).
    """
    places = np.asarray(layout[:, :2], float)
    side = float(max(np.ptp(places, axis=0).max(), 1e-6)) / across
    cells: dict[tuple[int, int], list[int]] = {}
    taken: list[int] = []
    for index in np.random.default_rng(0).permutation(len(places)).tolist():
        column, row = np.floor(places[index] / side).astype(int).tolist()
        around = (cells.get((column + i, row + j), []) for i in (-1, 0, 1) for j in (-1, 0, 1))
        if any(np.abs(places[other] - places[index]).max() < side for others in around for other in others):
            continue
        cells.setdefault((column, row), []).append(index)
        taken.append(index)
        if len(taken) == most:
            break
    return np.array(taken, np.int64), side


def add_glyphs(
    figure: go.Figure, layout: np.ndarray, glyphs: np.ndarray, indices: np.ndarray, side: float, colours: Sequence[str]
) -> None:
    """Draws the glyphs `(N, 28, 28)` of these samples over a map in two dimensions, their ink in `(G,)` colours."""
    for index, colour in zip(indices.tolist(), colours, strict=True):
        x, y = layout[index, :2]
        light = [0.35 + 0.65 * int(colour[i : i + 2], 16) / 255 for i in (5, 3, 1)]  # blue, green, red, as cv2 has them
        picture = picture_address(glyphs[index][..., None] * np.array(light), 1)
        figure.add_layout_image(
            source=picture, x=float(x), y=float(y), sizex=side * 0.94, sizey=side * 0.94, xref="x", yref="y",
            xanchor="center", yanchor="middle", layer="above", opacity=0.92,
        )  # fmt: skip


def explained_bars(shares: np.ndarray, shown: int) -> go.Figure:
    """What each main axis explains of the variance, `(A,)` in [0, 1] → percent; the first `shown` are on the map."""
    percent = np.asarray(shares, float) * 100
    figure = go.Figure(
        go.Bar(
            x=[str(i) for i in range(1, len(percent) + 1)], y=percent,
            marker={"color": [ACCENT if i < shown else GREY for i in range(len(percent))]},
            text=[f"{value:.1f}" for value in percent], textposition="outside", cliponaxis=False,
            hovertemplate="axis %{x}: %{y:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    whole = percent[:shown].sum()
    title = f"The map's {shown} axes explain {whole:.1f} % of the variance"
    figure.update_layout(template=TEMPLATE, title=title, height=260)
    figure.update_xaxes(title="main axis", type="category")
    figure.update_yaxes(title="variance (%)", range=[0, max(1.0, float(percent.max(initial=0))) * 1.18])
    return figure

"""The time machine's figure: filters, confusions, embedding and the user's own drawing move together.

What a network has not, as filters and drawings where it takes rows of a table, has no panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.report.figures import ACCENT, FADED, GREY, SIGNED_SCALE, TEMPLATE, class_colour, label_text, percent
from core.report.result_figures import confusion_axes, confusion_layers
from core.training.replay import Frame, Replay

FRAME_MS = 600  # how long the play button shows each frame
SHORT = 2  # characters of a label that may stand for a point itself


Span = tuple[float, float]


@dataclass(frozen=True)
class _Panels:
    """Where the panels stand that this replay has: name → ends in x and in y, as shares of the figure."""

    height: int  # pixels
    places: dict[str, tuple[Span, Span]]


# Panel → pixels of its height, and under it for the names of its axis and the next one's title.
_STACKED = {"filters": (112, 50), "confusion": (293, 86), "embedding": (227, 50), "reading": (141, 50)}
_ROW, _GAP, _UNDER = 262, 85, 45  # pixels: of panels side by side, between two rows, under the last one
CONTROLS = 160  # pixels above the panels: the title, the play button and the slider


def replay_figure(replay: Replay, narrow: bool = False, drawing: str = "your drawing") -> go.Figure:
    """One figure with a slider over all snapshots and a play button; nothing is asked of a server while it moves.

    `narrow` stacks the panels for a phone's width; `drawing` is what the glyph that is read is called.
    """
    panels = _panels(replay, narrow)
    largest = max((float(np.abs(f.filters).max()) for f in replay.frames if f.filters is not None), default=1.0)
    frames = [
        go.Frame(
            name=str(i),
            data=_traces(replay, frame, largest),
            layout={"annotations": _titles(replay, frame, panels, drawing)},
        )
        for i, frame in enumerate(replay.frames)
    ]
    last = len(frames) - 1
    figure = go.Figure(data=_traces(replay, replay.frames[last], largest), frames=frames)
    figure.update_layout(
        template=TEMPLATE,
        title={
            "text": f"{label_text(replay.name)}, from its first step to its last",
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 14},
        },
        height=panels.height,
        margin={"t": CONTROLS, "b": 10, "l": 10, "r": 10},
        annotations=_titles(replay, replay.frames[last], panels, drawing),
        sliders=[_slider(replay.frames, text_size=11 if narrow else 13)],
        updatemenus=[_buttons()],
    )  # fmt: skip
    _axes(figure, replay, panels, narrow)
    return figure


def has_filters(replay: Replay) -> bool:
    """Whether the network has a first layer of filters; a multilayer perceptron has none."""
    return any(frame.filters is not None for frame in replay.frames)


def has_reading(replay: Replay) -> bool:
    """Whether a glyph was read at each moment; the networks for rows of a table read none."""
    return any(frame.probabilities is not None for frame in replay.frames)


def _panels(replay: Replay, narrow: bool) -> _Panels:
    present = {"filters": has_filters(replay), "reading": has_reading(replay)}
    names = [name for name in _STACKED if present.get(name, True)]
    return _stacked(names) if narrow else _in_pairs(names)


def _stacked(names: list[str]) -> _Panels:
    """One under the other, for a phone."""
    total = sum(sum(_STACKED[name]) for name in names)
    places, top = {}, total
    for name in names:
        height, gap = _STACKED[name]
        left = 0.1 if name in ("confusion", "reading") else 0.0  # the names on its axis
        places[name] = ((left, 1.0), ((top - height) / total, top / total))
        top -= height + gap
    return _Panels(total + CONTROLS + 10, places)


def _in_pairs(names: list[str]) -> _Panels:
    """Two side by side; one that is left over has a row of its own."""
    rows = [names[i : i + 2] for i in range(0, len(names), 2)]
    total = len(rows) * _ROW + (len(rows) - 1) * _GAP + _UNDER
    places, top = {}, total
    for row in rows:
        for name, (start, end) in zip(row, [(0.0, 0.44), (0.56, 1.0)] if len(row) == 2 else [(0.0, 1.0)], strict=True):
            if name in ("confusion", "reading"):  # the names on its axis
                start += 0.06
            places[name] = ((start, end), ((top - _ROW) / total, top / total))
        top -= _ROW + _GAP
    return _Panels(total + CONTROLS + 10, places)


def _traces(replay: Replay, frame: Frame, largest: float) -> list[go.Heatmap | go.Scatter | go.Bar]:
    """Layers: filters, right answers, mistakes, embedding, reading; without what this replay has not."""
    filters = go.Heatmap(
        z=montage(frame.filters), xaxis="x", yaxis="y", colorscale=SIGNED_SCALE, zmin=-largest, zmax=largest,
        showscale=False, hovertemplate="weight %{z:.2f}<extra></extra>",
    )  # fmt: skip
    return [
        *([filters] if has_filters(replay) else []),
        *confusion_layers(frame.confusion, xaxis="x2", yaxis="y2"),
        _points(replay, frame),
        *([_reading(replay, frame)] if has_reading(replay) else []),
    ]


def montage(filters: np.ndarray | None) -> np.ndarray:
    """`(K, h, w)` kernels in rows with a gap of nothing between them; `(1, 1)` of nothing where there are none."""
    if filters is None or not len(filters):
        return np.full((1, 1), np.nan, np.float32)
    count, h, w = filters.shape
    columns = min(count, int(np.ceil(np.sqrt(count * 2))))  # twice as wide as high
    rows = -(-count // columns)
    picture = np.full((rows * (h + 1) - 1, columns * (w + 1) - 1), np.nan, np.float32)
    for i, kernel in enumerate(filters):
        row, column = divmod(i, columns)
        picture[row * (h + 1) : row * (h + 1) + h, column * (w + 1) : column * (w + 1) + w] = kernel.round(3)
    return picture


def _points(replay: Replay, frame: Frame) -> go.Scatter:
    """Each sample as its own label where labels are short, else as a dot; told by the pointer in any case."""
    names = [label_text(label) for label in replay.classes]
    colours = [class_colour(label, i) for i, label in enumerate(replay.classes)]
    own = replay.labels.tolist()
    as_text = all(len(label_text(label)) <= SHORT for label in replay.classes)
    x, y = frame.points.round(3).astype(np.float32).T
    return go.Scatter(
        x=x,
        y=y,
        xaxis="x3",
        yaxis="y3",
        mode="text" if as_text else "markers",
        text=[names[label] for label in own],
        textfont={"size": 11, "color": [colours[label] for label in own]},
        marker={"size": 6, "color": [colours[label] for label in own], "symbol": [label % 8 for label in own]},
        hovertemplate="%{text}<extra></extra>",
    )


def _reading(replay: Replay, frame: Frame) -> go.Bar:
    count = len(replay.classes)
    percent = np.zeros(count) if frame.probabilities is None else frame.probabilities * 100
    best = int(percent.argmax())
    return go.Bar(
        x=np.arange(count),
        y=percent.round(1).astype(np.float32),
        xaxis="x4",
        yaxis="y4",
        marker={
            "color": [class_colour(label, i) for i, label in enumerate(replay.classes)],
            "opacity": [1.0 if i == best else FADED for i in range(count)],
        },
        hovertemplate="%{x}: %{y} %<extra></extra>",
    )


def _titles(replay: Replay, frame: Frame, panels: _Panels, drawing: str) -> list[dict[str, object]]:
    """A line over each panel that says what it shows, with this frame's figures."""
    reading = ""
    if frame.probabilities is not None:
        best = int(frame.probabilities.argmax())
        sure = percent(float(frame.probabilities[best]))
        reading = f"{drawing} is read as <b>{label_text(replay.classes[best])}</b>, {sure} sure"
    texts = {
        "filters": "first filters (weights)",
        "confusion": f"{replay.tested:,} test samples: <b>{frame.accuracy * 100:.1f} %</b> right",
        "embedding": f"{len(replay.labels):,} embedded, 2 axes: {frame.explained * 100:.0f} % of variance",
        "reading": reading,
    }
    return [
        {
            "text": texts[name], "x": place[0][0], "y": place[1][1], "xref": "paper", "yref": "paper",
            "xanchor": "left", "yanchor": "bottom", "yshift": 6, "showarrow": False,
            "font": {"size": 13, "color": GREY},
        }
        for name, place in panels.places.items()
    ]  # fmt: skip


def _axes(figure: go.Figure, replay: Replay, panels: _Panels, narrow: bool) -> None:
    names = [label_text(label).replace(" ", "<br>" if narrow else " ") for label in replay.classes]
    hidden = {"visible": False}
    across, down = confusion_axes(names, x="x2")
    limit = max(float(np.abs(frame.points).max()) for frame in replay.frames) * 1.08 or 1.0
    (confusion_x, confusion_y), (embedding_x, embedding_y) = panels.places["confusion"], panels.places["embedding"]
    figure.update_layout(
        xaxis2=across | {"domain": confusion_x, "anchor": "y2", "constraintoward": "left"},
        yaxis2=down | {"domain": confusion_y, "anchor": "x2", "constraintoward": "top"},
        xaxis3={"domain": embedding_x, "anchor": "y3", "range": [-limit, limit]} | hidden,
        yaxis3={"domain": embedding_y, "anchor": "x3", "range": [-limit, limit]} | hidden,
    )
    if "filters" in panels.places:
        x, y = panels.places["filters"]
        figure.update_layout(
            xaxis={"domain": x, "anchor": "y", "constrain": "domain"} | hidden,
            yaxis={
                "domain": y, "anchor": "x", "autorange": "reversed", "scaleanchor": "x",
                "constrain": "domain", "constraintoward": "top",
            } | hidden,
        )  # fmt: skip
    if "reading" in panels.places:
        x, y = panels.places["reading"]
        figure.update_layout(
            xaxis4={
                "domain": x, "anchor": "y4", "tickmode": "array", "tickvals": list(range(len(names))),
                "ticktext": names, "title": "class", "tickfont": {"size": 11}, "range": [-0.5, len(names) - 0.5],
            },
            yaxis4={
                "domain": y, "anchor": "x4", "range": [0, 104], "tickvals": [0, 50, 100],
                "title": "probability (%)",
            },
        )  # fmt: skip


def _slider(frames: Sequence[Frame], text_size: int) -> dict[str, object]:
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    return {
        "active": len(frames) - 1,
        "steps": [
            {"label": moment(frame), "method": "animate", "args": [[str(i)], at_once]}
            for i, frame in enumerate(frames)
        ],
        "currentvalue": {"font": {"size": text_size, "color": GREY}, "xanchor": "right"},
        "font": {"color": "rgba(0,0,0,0)", "size": 1},
        "bgcolor": GREY,
        "activebgcolor": ACCENT,
        "bordercolor": GREY,
        "tickcolor": GREY,
        "x": 0,
        "y": 1,
        "yanchor": "bottom",
        "len": 1,
        "pad": {"b": 34},
    }  # fmt: skip


def moment(frame: Frame) -> str:
    """When a frame was taken, in words."""
    if not frame.step:
        return "before any training"
    seen = f"{frame.step:,} {'batch' if frame.step == 1 else 'batches'}, {frame.examples:,} examples"
    return seen + (f", epoch {frame.epoch}" if frame.epoch else "")


def _buttons() -> dict[str, object]:
    play = {"frame": {"duration": FRAME_MS, "redraw": True}, "transition": {"duration": 0}}
    stop = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "pad": {"b": 74},
        "bgcolor": "rgba(128,136,149,0.18)",
        "bordercolor": GREY,
        "font": {"color": GREY, "size": 14},
        "buttons": [
            {"label": "▶", "method": "animate", "args": [None, play]},
            {"label": "❚❚", "method": "animate", "args": [[None], stop]},
        ],
    }

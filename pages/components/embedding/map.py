"""Map: the space in two or three dimensions, what is lassoed on it, and where the map lies."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.embedding.answers import Answers, answer_samples
from core.embedding.maps import PCA, Map, MapConfig, make_map
from core.embedding.trust import NEIGHBOURS, Trust, nearest, trust
from core.reading import written
from core.report.embedding_figures import (
    Colouring,
    Marks,
    add_glyphs,
    by_answer,
    by_class,
    by_set,
    by_value,
    explained_bars,
    map_figure,
    spread_out,
)
from core.report.figures import class_colour
from pages.components.embedding import view
from pages.components.embedding.map_parts import CLICKED, chosen_samples, clicked_sample, say_how_true
from pages.components.embedding.map_progress import show_progress
from pages.components.embedding.pointer import CHART, pointer
from pages.components.embedding.scene import Scene
from pages.components.figure import show_figure
from pages.components.kept import kept
from pages.components.screen import is_narrow
from pages.components.train.tested import with_progress

CONFIG = {
    "displaylogo": False, "scrollZoom": True, "displayModeBar": True,
    "modeBarButtons": [["lasso2d", "select2d", "pan2d", "zoom2d", "resetScale2d", "toImage"]],
}  # fmt: skip
TURNED = {"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["resetCameraDefault3d", "toImage"]]}
AT_ONCE = 10_000  # samples whose neighbours are found without asking; 70,000 take a minute
TRUST_ASKED = "embedding_trust_asked"  # session state: the space whose map shall be measured however long it takes


def map_panel(scene: Scene) -> None:
    view.choose_view(len(scene.space))
    config = _config()
    shown = show_progress(scene.space, config)
    if shown is None:
        shown = _pca(scene, config.dimensions)
    scene.show(shown)
    measured = _measured(scene, shown)
    if measured is None and (st.session_state[view.COLOUR] == "trust" or st.session_state.get(view.LOST)):
        st.info("Measure the map first: the button stands below it.", icon=":material/rule:")
    narrow = is_narrow()
    chart, side = st.columns([1, 1] if st.session_state.get(view.PEN) else [5, 2])
    with side:
        trail = None
        if st.session_state.get(view.PEN):
            from pages.components.embedding.pen import drawn_trail

            trail = drawn_trail(scene, shown)
        else:
            clicked_sample(scene, _clicked(scene), _answers_if_known(scene), measured)
    with chart:
        _chart(scene, shown, measured, narrow, trail)
    _below(scene, shown, measured)


def _config() -> MapConfig:
    state = st.session_state
    return MapConfig(
        state[view.KIND], state[view.DIMENSIONS], state[view.PERPLEXITY], state[view.NEIGHBOURS],
        float(state[view.MIN_DISTANCE]), state[view.SEED],
    )  # fmt: skip


def _pca(scene: Scene, dimensions: int) -> Map:
    config = MapConfig(PCA, dimensions)
    return kept(("map", scene.space.sha256, *config.decisive), lambda: make_map(scene.space.embeddings, config))


def _measured(scene: Scene, shown: Map) -> Trust | None:
    """How far the map can be trusted; None while that would take long and nobody asked for it."""
    space, name = scene.space, scene.space.sha256
    if len(space) < 3:
        return None
    if len(space) > AT_ONCE and st.session_state.get(TRUST_ASKED) != name:
        return None

    def measure() -> Trust:
        if len(space) <= AT_ONCE:
            return trust(space.embeddings, kept(("neighbours", name), lambda: nearest(space.embeddings)), shown.layout)
        neighbours = kept(
            ("neighbours", name),
            lambda: with_progress("Finding every sample's neighbours …", lambda t: nearest(space.embeddings, tell=t)),
        )
        return with_progress("Measuring the map …", lambda t: trust(space.embeddings, neighbours, shown.layout, t))

    return kept(("trust", name, *shown.config.decisive), measure)


def _answers(scene: Scene) -> Answers:
    labels = hash(scene.space.labels.tobytes())  # they may be put right
    return kept(
        ("answers", scene.key, labels),
        lambda: with_progress("Reading the samples …", lambda tell: answer_samples(scene.subject, scene.space, tell)),
    )


def _answers_if_known(scene: Scene) -> Answers | None:
    return _answers(scene) if st.session_state[view.COLOUR] in ("answer", "confidence") else None


def _colouring(scene: Scene, measured: Trust | None) -> Colouring:
    space, wanted = scene.space, st.session_state[view.COLOUR]
    if wanted == "set":
        return by_set(space.sets, space.set_names)
    if wanted == "answer":
        answers = _answers(scene)
        return by_answer(answers.right, answers.known)
    if wanted == "confidence":
        return by_value("confidence", _answers(scene).confidence)
    if wanted == "trust" and measured is not None:
        return by_value("near neighbours", measured.shares)
    return by_class(space.labels, space.classes)


def _clicked(scene: Scene) -> int | None:
    key, index = st.session_state.get(CLICKED, ("", None))
    return index if key == scene.key and index is not None and index < len(scene.space) else None


def _chart(scene: Scene, shown: Map, measured: Trust | None, narrow: bool, trail: np.ndarray | None) -> None:
    space, flat = scene.space, shown.config.dimensions == 2
    clicked = _clicked(scene)
    marks = Marks(
        np.flatnonzero(measured.flagged) if measured and st.session_state.get(view.LOST) else np.zeros(0, np.int64),
        centre=clicked,
        neighbours=_neighbours(scene, clicked),
        trail=trail,
    )
    title = shown.config.title + ("" if narrow else f": {len(space):,} samples")
    axis = "main axis" if shown.config.kind == PCA else f"{view.KINDS[shown.config.kind]} axis"
    colouring = _colouring(scene, measured)
    pictures = bool(st.session_state.get(view.GLYPHS)) and flat
    figure, drawn = map_figure(
        shown.layout, colouring, space.sets, space.set_names, title, axis, marks, narrow, named=not pictures
    )
    if pictures:
        chosen, side = spread_out(shown.layout, across=16 if narrow else 26)
        colours = [class_colour(space.classes[label], int(label)) for label in space.labels[chosen]]
        add_glyphs(figure, shown.layout, space.glyphs, chosen, side, colours)
    map_key = repr((scene.key, shown.config.decisive, colouring.title))
    _lassoable(scene, figure, drawn, flat, f"embedding_chart_{abs(hash(map_key))}")
    pointer(map_key, drawn, space.glyphs, _describe(scene, measured), lambda index: _click(scene, index))


def _neighbours(scene: Scene, clicked: int | None) -> np.ndarray:
    if clicked is None:
        return np.zeros(0, np.int64)
    from core.embedding.maps import closest

    near = closest(scene.space.embeddings, scene.space.embeddings[[clicked]], NEIGHBOURS + 1)[0]
    return near[near != clicked][:NEIGHBOURS]


def _click(scene: Scene, index: int) -> None:
    st.session_state[CLICKED] = (scene.key, index)
    scene.choose([index])


def _describe(scene: Scene, measured: Trust | None) -> Callable[[int], str]:
    space = scene.space

    def describe(index: int) -> str:
        text = written(space.classes[space.labels[index]])
        if len(space.set_names) > 1:
            text += f"\n{space.set_names[space.sets[index]]}"
        if measured is not None:
            text += f"\n{round(measured.shares[index] * measured.neighbours)} of {measured.neighbours} neighbours near"
        return text

    return describe


@st.fragment
def _lassoable(scene: Scene, figure: go.Figure, drawn: list[np.ndarray], flat: bool, key: str) -> None:
    """The chart, and under it what is chosen; a lasso runs only this again."""

    def lassoed() -> None:
        points = st.session_state[key].selection.points
        found = {int(drawn[p["curve_number"]][p["point_index"]]) for p in points if p["curve_number"] < len(drawn)}
        scene.choose(sorted(found))

    with st.container(key=CHART):
        if flat:
            st.plotly_chart(figure, key=key, config=CONFIG, on_select=lassoed, selection_mode=("box", "lasso"))
        else:
            st.plotly_chart(figure, key=key, config=TURNED)
    st.caption(
        "Each mark is a sample; point at one to see it, click it for its true neighbours. "
        + (
            "Draw round some to choose them; the mouse wheel zooms, a double click shows all."
            if flat
            else "Turn the map with the mouse or a finger; the wheel zooms. Choose several at once in 2-D."
        )
    )
    chosen_samples(scene)


def _below(scene: Scene, shown: Map, measured: Trust | None) -> None:
    st.subheader("Can this map be trusted?")
    if measured is None:
        if len(scene.space) < 3:
            st.caption("There are too few samples to say.")
            return
        st.button(
            f"Measure it for {len(scene.space):,} samples", icon=":material/rule:", key="embedding_measure",
            on_click=lambda: st.session_state.update({TRUST_ASKED: scene.space.sha256}),
            help="Every sample's true neighbours are looked for in the space; that takes a minute or two.",
        )  # fmt: skip
    else:
        say_how_true(measured, shown)
    if len(shown.explained):
        show_figure(
            explained_bars(shown.explained, shown.config.dimensions),
            "embedding_explained",
            "Green axes are on the map, grey ones are not: what differs only along grey axes lies on one spot here.",
        )

"""Distances: from chosen samples to all others, between all pairs, within and between classes."""

import re
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.embedding.distances import METRICS, PAIRED, Order, Separation, distances, draw, most_central, orders, separate
from core.embedding.files import distances_csv
from core.errors import DataError
from core.reading import written
from core.report.distance_figures import class_means_figure, pairs_figure, separation_figure, short, to_all_figure
from core.report.figures import percent
from pages.components.embedding.parts import cards, careful, choose_metric, labels_key, picture, sample_name, staying
from pages.components.embedding.scene import Scene
from pages.components.figure import show_figure
from pages.components.kept import kept
from pages.components.screen import is_narrow

if TYPE_CHECKING:
    from core.embedding.space import Space

MOST_CHOSEN = 30  # rows of the heat map, columns of the table
FEW_ROWS = 40  # all of which are shown at once, as reports print them
MOST_ROWS = 1000  # of the table as shown: each row carries its picture
MOST_COLUMNS = 2000  # of the heat map of chosen samples
MOST_PAIRED = 300  # samples of the heat map of all pairs: 90,000 cells
CENTRAL, CHOSEN, NUMBERS = "central", "chosen", "numbers"
WAYS = {
    CENTRAL: ":material/adjust: The most central of each class",
    CHOSEN: ":material/lasso_select: Those chosen on the map",
    NUMBERS: ":material/tag: By number",
}
WAY, NUMBERS_TYPED = "distances_way", "distances_numbers"


@careful
def distances_panel(scene: Scene) -> None:
    """The table first, as reports print it; then the whole space."""
    if len(staying(scene)) < 2:
        st.info("Distances need at least two samples; choose more sets or samples above.", icon=":material/info:")
        return
    metric = choose_metric()
    st.fragment(_to_all)(scene, metric)
    _pairs(scene, metric)


@careful
def _to_all(scene: Scene, metric: str) -> None:
    st.subheader("Chosen samples to all others")
    chosen = _choose(scene, metric)
    if not len(chosen):
        return
    space, others = scene.space, staying(scene)
    found = kept(
        ("distances", scene.key, metric, tuple(chosen.tolist())),
        lambda: distances(space.embeddings[chosen], space.embeddings, metric),
    )
    unit = METRICS[metric].short
    said = orders(found[:, others], np.searchsorted(others, chosen), space.labels[others])
    cards(
        space,
        chosen,
        [_seen_from(space, others, order, row) for order, row in zip(said, found[:, others], strict=True)],
    )
    st.caption(
        "Under each: its nearest neighbour of its own class, of another class (✗), and how often one of its own class "
        "is nearer than one of another: 100 % means that every one of its class is nearer than all others."
    )
    _table(scene, chosen, found, metric)
    columns = others[draw(space.labels[others], MOST_COLUMNS)]
    few = "" if len(columns) == len(others) else f" {len(columns):,} of {len(others):,} samples were drawn."
    show_figure(
        to_all_figure(
            found[:, columns], [sample_name(space, i) for i in chosen], [sample_name(space, i) for i in columns],
            space.labels[columns], space.classes, f"Chosen samples to all ({unit})", unit,
        ),
        "distances_to_all",
        "Green is near. Where the network tells classes apart, each row is green in the stretch of its own class only."
        + few,
    )  # fmt: skip


def _choose(scene: Scene, metric: str) -> np.ndarray:
    """`(K,)` samples."""
    space, there = scene.space, staying(scene)
    ways = [way for way in WAYS if way != CHOSEN or len(scene.chosen)]
    if st.session_state.get(WAY) not in ways:
        st.session_state[WAY] = CHOSEN if CHOSEN in ways else CENTRAL
    way = st.segmented_control(
        "Which samples", ways, required=True, wrap=True, key=WAY, format_func=WAYS.get, persist_state="session",
        help="The most central sample of a class has the least sum of squared differences to the others of its class.",
    )  # fmt: skip
    if way == CENTRAL:
        found = there[most_central(space.embeddings[there], space.labels[there], metric)]
    elif way == CHOSEN:
        found = np.intersect1d(scene.chosen, there)
    else:
        typed = st.text_input(
            f"Numbers, 1 to {len(space):,}", "1-3", key=NUMBERS_TYPED, persist_state="session",
            help="Such as: 1, 5, 20-22. A sample's number stands in the table below, and on the map.",
        )  # fmt: skip
        found = np.intersect1d(numbers_in(typed, len(space)), there)
    if len(found) > MOST_CHOSEN:
        st.caption(f"{len(found):,} samples are chosen; the first {MOST_CHOSEN} are shown.")
    return found[:MOST_CHOSEN]


def numbers_in(text: str, count: int) -> np.ndarray:
    """`"1, 5, 20-22"` → positions from 0; raises `DataError` for anything else, or numbers that are not there."""
    found: list[int] = []
    for part in re.split(r"[,;\s]+", text.strip()):
        match = re.fullmatch(r"(\d{1,9})(?:[-–](\d{1,9}))?", part)
        if match is None:
            raise DataError(f"{part!r} is no number of a sample; type numbers such as 1, 5, 20-22.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= count:
            raise DataError(f"There is no sample {part}; their numbers run from 1 to {count:,}.")
        found += range(first - 1, last)
    return np.unique(np.array(found, np.int64))


def _seen_from(space: "Space", others: np.ndarray, order: Order, row: np.ndarray) -> str:
    """What stands next to one sample, as HTML."""
    lines = [f"<b>{escape(sample_name(space, int(others[order.sample])))}</b>"]
    for sign, nearest in (("", order.nearest_own), ("✗ ", order.nearest_other)):
        if nearest is not None:
            lines.append(f"{sign}{escape(sample_name(space, int(others[nearest])))}: {short(row[nearest])}")
    if order.in_order is not None:
        lines.append(_share(order.in_order))
    return "<br>".join(lines)


def _share(share: float) -> str:
    """0 and 100 % only where it is."""
    return "100 %" if share == 1 else "under 0.1 %" if 0 < share < 0.001 else percent(share)


def _table(scene: Scene, chosen: np.ndarray, found: np.ndarray, metric: str) -> None:
    space, others = scene.space, staying(scene)
    shown = others
    if len(others) > MOST_ROWS:
        shown = np.sort(others[np.argsort(found[:, others].min(0), kind="stable")[:MOST_ROWS]])
        st.caption(
            f"The table shows the {MOST_ROWS:,} samples that are nearest to any of the chosen; the file has all."
        )
    shown = shown[np.argsort(space.labels[shown], kind="stable")]
    columns = {f"to {sample_name(space, i)}": found[n, shown] for n, i in enumerate(chosen.tolist())}
    table = pd.DataFrame(
        {
            "number": shown + 1,
        }
        | ({"picture": [picture(space, i) for i in shown]} if space.glyphs.any() else {})
        | {
            "label": [written(space.classes[i]) for i in space.labels[shown]],
        }
        | ({"set": [space.set_names[i] for i in space.sets[shown]]} if len(space.set_names) > 1 else {})
        | columns
    )
    form = {name: st.column_config.NumberColumn(format="%.4g") for name in columns}
    st.dataframe(
        table, hide_index=True, width="stretch", key="distances_table",
        height="content" if len(table) <= FEW_ROWS else 320,
        column_config=form | {"picture": st.column_config.ImageColumn(width="small")},
    )  # fmt: skip
    st.download_button(
        f"{METRICS[metric].title} to all {len(space):,} samples (CSV)",
        lambda: distances_csv(found, chosen.tolist(), space, METRICS[metric].short),
        "distances.csv", "text/csv", icon=":material/download:", key="distances_csv", on_click="ignore",
    )  # fmt: skip


def _pairs(scene: Scene, metric: str) -> None:
    space, others, narrow, unit = scene.space, staying(scene), is_narrow(), METRICS[metric].short
    st.subheader("All pairs")
    few = others[draw(space.labels[others], 120 if narrow else MOST_PAIRED)]
    found = kept(
        ("pairs", labels_key(scene), metric, len(few)),
        lambda: distances(space.embeddings[few], space.embeddings[few], metric),
    )
    show_figure(
        pairs_figure(
            found, [sample_name(space, i) for i in few], space.labels[few], space.classes,
            f"Between {len(few)} samples ({unit})", unit, narrow,
        ),
        "distances_pairs",
        "Green is near. Squares on the diagonal are classes whose samples stand together; green outside of them: two "
        "classes that come near each other." + _drawn(len(few), len(others)),
    )  # fmt: skip
    paired = others[draw(space.labels[others], PAIRED)]
    with st.spinner("Comparing all pairs …"):
        made = kept(
            ("separation", labels_key(scene), metric),
            lambda: separate(space.embeddings[paired], space.labels[paired], len(space.classes), metric),
        )
    drawn = _drawn(made.samples, len(others))
    _separation(made, metric, drawn)
    _class_means(space, made, metric, drawn, narrow)


def _separation(made: Separation, metric: str, drawn: str) -> None:
    if made.overlap is None:
        st.info(
            "Pairs within and between classes need two classes at least, and one with two samples.",
            icon=":material/info:",
        )
        return
    show_figure(
        separation_figure(made.within, made.between, "Distances within and between classes", METRICS[metric].title),
        "distances_separation",
        "Dotted: the medians. The less the two hills overlap, the better the space tells classes apart." + drawn,
    )
    st.markdown(
        f"**Overlap: {_share(made.overlap)}.** Take one pair of samples within a class and one pair of two classes, at "
        "random: so often the second pair is the nearer one. 0 % would mean that all distances are in order, 50 % that "
        "the distance says nothing.",
        help="1 − the area under the ROC curve of “the farther the pair, the likelier it is of two classes”; equal "
        "distances count half. The pairs share samples, so it is surer than few samples, but less sure than so many "
        "pairs suggest.",
    )


def _class_means(space: "Space", made: Separation, metric: str, drawn: str, narrow: bool) -> None:
    there = np.flatnonzero(np.isfinite(made.mean).any(0))
    mean, names = made.mean[np.ix_(there, there)], [space.classes[i] for i in there]
    show_figure(
        class_means_figure(mean, names, "Mean distance from class to class", METRICS[metric].short, narrow),
        "distances_class_means",
        "Green is near: on the diagonal how far two samples of one class are apart on average, elsewhere two samples "
        "of two classes. A green cell outside the diagonal names two classes that are easily mixed up." + drawn,
    )
    with st.expander("The same as a table"):
        table = pd.DataFrame(mean, columns=[written(name) for name in names])
        table.insert(0, "class", [written(name) for name in names])
        form = {written(name): st.column_config.NumberColumn(format="%.4g") for name in names}
        st.dataframe(table, hide_index=True, width="stretch", column_config=form, key="distances_mean_table")


def _drawn(shown: int, of: int) -> str:
    return "" if shown == of else f" Of {of:,} samples {shown:,} were drawn, the same share of each class."

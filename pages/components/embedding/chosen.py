"""Chosen: samples from the lasso or by a filter, as a grid; relabel, remove, send away, teach again."""

import hashlib
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.embedding.answers import Answers
from core.embedding.corrections import glyph_id
from core.embedding.distances import draw
from core.embedding.neighbours import MOST_SAMPLES, accuracy_by_k
from core.embedding.trust import nearest, trust
from core.reading import written
from core.report.figures import percent
from pages.components.embedding.chosen_actions import AGAIN, CHANGED, PANEL, actions
from pages.components.embedding.chosen_retrain import retrain_panel
from pages.components.embedding.parts import answers_of, careful, image, labels_key, staying
from pages.components.embedding.scene import Scene
from pages.components.kept import kept
from pages.components.train.attempt import show_problem
from pages.components.train.tested import with_progress

if TYPE_CHECKING:
    from core.embedding.space import Space

AT_ONCE = 24
VOTERS = 5  # neighbours that have to disagree with a label
MOST_TRUSTED = 10_000  # samples up to which the map's lost neighbours are looked for here: seconds
MAP, CLASS, WRONG, UNSURE, STRANGE, LOST = "map", "class", "wrong", "unsure", "strange", "lost"
FILTERS = {
    MAP: ":material/lasso_select: Chosen on the map",
    CLASS: ":material/category: A class",
    WRONG: ":material/close: Wrong answers",
    UNSURE: ":material/help: Least confident",
    STRANGE: ":material/hub: Among strangers",
    LOST: ":material/wrong_location: Lost on the map",
}
ABOUT = {
    MAP: "What you lassoed or clicked on the map.",
    CLASS: "All samples under one label.",
    WRONG: "The network answers something else than the label, the surest mistakes first: look here for wrong labels.",
    UNSURE: "The network is least sure of these, the least sure first.",
    STRANGE: f"Their {VOTERS} nearest neighbours vote for another class than their label: odd ones, or wrong labels.",
    LOST: "Most of their true neighbours are not near them on the map in view: do not trust their place there.",
}
FILTER, ONE_CLASS, SHOWN = "chosen_filter", "chosen_class", "chosen_shown"


@careful
def chosen_panel(scene: Scene) -> None:
    """The grid with its actions; below it, what the corrections change."""
    _choose_again(scene)
    st.fragment(_samples)(scene)
    retrain_panel(scene)


def _choose_again(scene: Scene) -> None:
    """After a letters set was changed its space is another one: the same pictures are chosen there."""
    if wanted := st.session_state.pop(AGAIN, None):
        key, glyphs = wanted
        if key != scene.key:
            ids = [glyph_id(glyph) for glyph in scene.space.glyphs]
            scene.choose([i for i, one in enumerate(ids) if one in glyphs])


@careful
def _samples(scene: Scene) -> None:
    if st.session_state.pop(CHANGED, False):
        st.rerun()  # the whole page: labels have changed
    show_problem(PANEL)
    answers = answers_of(scene)
    _filter_widget(scene, answers)
    listed = _listed(scene, answers, st.session_state[FILTER])
    st.caption(ABOUT[st.session_state[FILTER]])
    if not len(listed):
        _nothing()
        actions(scene, listed, False)
        return
    ticked = _grid(scene, answers, listed)
    actions(scene, ticked if len(ticked) else listed, bool(len(ticked)))


def _filter_widget(scene: Scene, answers: Answers) -> None:
    if FILTER not in st.session_state:
        wrong = (answers.known & ~answers.right).any()
        st.session_state[FILTER] = MAP if len(scene.chosen) else WRONG if wrong else UNSURE
    filters = [f for f in FILTERS if f not in (WRONG, UNSURE) or scene.space.glyphs.any()]  # answers need pictures
    if st.session_state[FILTER] not in filters:
        st.session_state[FILTER] = STRANGE
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Which samples", filters, required=True, wrap=True, key=FILTER, persist_state="session",
            format_func=lambda f: f"{FILTERS[f]} ({len(scene.chosen):,})" if f == MAP else FILTERS[f],
        )  # fmt: skip
        if st.session_state[FILTER] == CLASS:
            st.selectbox(
                "Class",
                list(scene.space.classes),
                format_func=written,
                key=ONE_CLASS,
                persist_state="session",
                width=160,
            )


def _listed(scene: Scene, answers: Answers, chosen: str) -> np.ndarray:
    """The samples that the filter finds, `(K,)`, in the order in which they are shown."""
    space, there = scene.space, staying(scene)
    if chosen == MAP:
        return scene.chosen[np.isin(scene.chosen, there)]
    if chosen == CLASS:
        return there[space.labels[there] == space.classes.index(st.session_state[ONE_CLASS])]
    if chosen in (WRONG, UNSURE):
        found = there[(answers.known & ~answers.right)[there]] if chosen == WRONG else there
        sign = -1 if chosen == WRONG else 1
        found = found[np.argsort(sign * answers.confidence[found], kind="stable")]
        return found if chosen == WRONG else found[:200]
    if len(there) <= VOTERS or len(space) < 3:
        return np.array([], np.int64)
    return _strange(scene) if chosen == STRANGE else _lost(scene)


def _strange(scene: Scene) -> np.ndarray:
    space, there = scene.space, staying(scene)
    few = there[draw(space.labels[there], MOST_SAMPLES)]
    if len(few) < len(there):
        st.caption(f"{len(few):,} of {len(there):,} samples were drawn and asked.")
    made = kept(
        ("strange", labels_key(scene)),
        lambda: with_progress(
            "Asking the neighbours …",
            lambda tell: accuracy_by_k(space.embeddings[few], space.labels[few], [VOTERS], tell=tell),
        ),
    )
    return few[~made.right[0]]


def _lost(scene: Scene) -> np.ndarray:
    space = scene.space
    if len(space) > MOST_TRUSTED:
        st.caption(f"Only up to {MOST_TRUSTED:,} samples are looked through here; the map marks all of them.")
        return np.array([], np.int64)
    name, shown = space.sha256, scene.map
    found = kept(  # as the map keeps it
        ("trust", name, *shown.config.decisive),
        lambda: with_progress(
            "Looking for neighbours on the map …",
            lambda tell: trust(
                space.embeddings, kept(("neighbours", name), lambda: nearest(space.embeddings)), shown.layout, tell
            ),
        ),
    )
    return np.intersect1d(np.flatnonzero(found.flagged), staying(scene))


def _nothing() -> None:
    if st.session_state[FILTER] == MAP:
        st.info(
            "Nothing is chosen yet: draw a lasso on the map (section Map), or use another filter here.",
            icon=":material/lasso_select:",
        )
    else:
        st.info("No sample is like that.", icon=":material/check:")


def _grid(scene: Scene, answers: Answers, listed: np.ndarray) -> np.ndarray:
    """Shows the samples with a box to tick each; those that are ticked."""
    space = scene.space
    place = hashlib.sha256(f"{scene.key} {st.session_state[FILTER]}".encode()).hexdigest()[:8]
    shown = st.session_state.setdefault(SHOWN, AT_ONCE)
    ticked = []
    with st.grid(min_column_width=105, key="chosen_cards"):
        for i in listed[:shown].tolist():
            with st.container(gap="xxsmall"):
                st.html(_card(scene, answers, space, i))
                if st.checkbox(f"{i + 1}", key=f"chosen_tick_{place}_{i}"):
                    ticked.append(i)
    if len(listed) > shown:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(f"Show {min(AT_ONCE, len(listed) - shown)} more", key="chosen_more", on_click=_more)
            st.caption(f"{shown} of {len(listed):,} samples are shown.")
    return np.array(ticked, np.int64)


def _more() -> None:
    st.session_state[SHOWN] += AT_ONCE


def _card(scene: Scene, answers: Answers, space: "Space", i: int) -> str:
    label = escape(written(space.classes[space.labels[i]]))
    said, wrong = f"<b>{label}</b>", False
    if space.glyphs[i].any() and scene.subject.classes:
        answer = escape(written(scene.subject.classes[int(answers.predicted[i])]))
        wrong = bool(answers.known[i] and not answers.right[i])
        sign = "✗ " if wrong else "✓ " if answers.known[i] else ""
        said += f"<br>{sign}read as {answer}<br>{percent(float(answers.confidence[i]))} sure"
    return (
        f'<figure class="chosen-card{" wrong" if wrong else ""}">{image(space, i)}'
        f"<figcaption>{said}</figcaption></figure>"
    )

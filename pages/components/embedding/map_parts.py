"""What stands beside and under the map: the clicked sample, the chosen ones, and how true the map is."""

from html import escape

import numpy as np
import streamlit as st

from core.embedding.answers import Answers
from core.embedding.maps import PCA, Map, closest
from core.embedding.trust import FLAGGED, NEIGHBOURS, Trust
from core.reading import written
from core.report.figures import percent
from core.report.sample_figures import picture_address
from pages.components.embedding.scene import SECTION, Scene
from pages.components.tiles import show_tiles

SHOWN_AT_MOST = 40
CLICKED = "embedding_clicked"  # session state: (key of the space, the sample)


def clicked_sample(scene: Scene, index: int | None, answers: Answers | None, measured: Trust | None) -> None:
    """The clicked sample, and its true neighbours as glyphs."""
    space = scene.space
    if index is None:
        st.caption(
            "**Click a sample** to see it here, with those that are truly nearest to it in the space; lines on the map "
            "lead to them."
        )
        return
    name = written(space.classes[space.labels[index]])
    lines = [f"{space.set_names[space.sets[index]]}, sample {index + 1}"]
    if answers is not None:
        answer = written(scene.subject.classes[answers.predicted[index]])
        lines.append(f"read as {answer}, {percent(float(answers.confidence[index]))} sure")
    if measured is not None:
        near = round(float(measured.shares[index]) * measured.neighbours)
        lines.append(f"{near} of its {measured.neighbours} true neighbours are near on the map")
    text = "".join(f"<span>{escape(line)}</span>" for line in lines)
    st.html(
        f'<figure class="embedding-clicked"><img alt="{escape(name)}" src="{picture_address(space.glyphs[index])}">'
        f"<figcaption><strong>{escape(name)}</strong>{text}</figcaption></figure>"
    )
    others = closest(space.embeddings, space.embeddings[[index]], NEIGHBOURS + 1)[0]
    others = others[others != index][:NEIGHBOURS]
    st.caption(f"The {len(others)} nearest in the space, the nearest first:")
    st.html(glyphs_html(scene, others, space.labels[index]))


def glyphs_html(scene: Scene, indices: np.ndarray, label: int | None = None) -> str:
    """Small glyphs with their classes; those of another class than `label` are marked."""
    space = scene.space
    cards = []
    for index in indices.tolist():
        name = escape(written(space.classes[space.labels[index]]))
        other = label is not None and space.labels[index] != label
        cards.append(
            f'<figure class="{"other" if other else ""}"><img alt="{name}" '
            f'src="{picture_address(space.glyphs[index], 2)}"><figcaption>{"≠ " if other else ""}{name}</figcaption>'
            "</figure>"
        )
    return f'<div class="embedding-glyphs">{"".join(cards)}</div>'


def chosen_samples(scene: Scene) -> None:
    """A small grid of the chosen samples, and the way to what can be done with them."""
    chosen = scene.chosen
    if not len(chosen):
        return
    names, counts = np.unique(scene.space.labels[chosen], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:8]
    classes = ", ".join(f"{counts[i]:,} × {written(scene.space.classes[names[i]])}" for i in order)
    more = " …" if len(names) > 8 else ""
    with st.container(key="embedding_chosen_grid"):
        st.markdown(f"**{len(chosen):,} sample{'s' if len(chosen) > 1 else ''} chosen**: {classes}{more}")
        st.html(glyphs_html(scene, chosen[:SHOWN_AT_MOST]))
        if len(chosen) > SHOWN_AT_MOST:
            st.caption(f"The first {SHOWN_AT_MOST} of {len(chosen):,} are shown.")
        with st.container(horizontal=True):
            if st.button("Work with them", icon=":material/lasso_select:", key="embedding_work", on_click=_work):
                st.rerun()
            if st.button(
                "Choose none", icon=":material/deselect:", key="embedding_none", on_click=_choose_none, args=(scene,)
            ):
                st.rerun()


def _choose_none(scene: Scene) -> None:
    scene.choose([])
    st.session_state.pop(CLICKED, None)


def _work() -> None:
    st.session_state[SECTION] = "Chosen"


def say_how_true(measured: Trust, shown: Map) -> None:
    """The whole map's numbers, and in words what they mean."""
    flagged = float(measured.flagged.mean())
    show_tiles(
        {
            "Trustworthiness": f"{measured.trustworthiness:.3f}",
            "Continuity": f"{measured.continuity:.3f}",
            "Neighbours kept": percent(float(measured.shares.mean())),
            "Samples flagged": percent(flagged),
        },
        {
            "Trustworthiness": "1 where everything that is near on the map is near in the space too; intruders "
            "lower it (Venna and Kaski, 2001).",
            "Continuity": "1 where everything that is near in the space is near on the map too; torn neighbourhoods "
            "lower it (Venna and Kaski, 2001).",
            "Neighbours kept": f"Of a sample's {measured.neighbours} true neighbours, the share that is among the "
            f"{measured.near} nearest on the map; the mean of all samples.",
            "Samples flagged": f"Less than {FLAGGED:.0%} of their true neighbours are near on the map.",
        },
    )
    if flagged > 1 / 3:
        text = "Do not believe this map's details: many samples lie far from their true neighbours."
        text += " t-SNE or UMAP keep neighbours better." if shown.config.kind == PCA else ""
    elif flagged > 0.05:
        text = "Groups can be believed, single samples not everywhere: mark lost neighbours to see where."
    else:
        text = "Neighbours on this map are neighbours in the space, nearly everywhere."
    if shown.config.kind != PCA:
        text += " How far groups are from each other, and how large they are, still means little."
    if measured.rows < len(measured.shares):
        text += f" The first two numbers are estimates from {measured.rows:,} samples."
    st.caption(text)

"""Neighbours: what stands next to a sample or a drawing, how they vote, and how often such votes are right."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
import torch

from core.embedding.distances import METRICS, draw
from core.embedding.neighbours import MOST_SAMPLES, ByK, accuracy_by_k, nearest, vote
from core.embedding.space import embed_glyphs
from core.errors import DataError
from core.networks.base import as_input
from core.reading import written
from core.report.distance_figures import by_k_figure, short, votes_figure
from core.report.figures import percent
from core.report.sample_figures import picture_address
from core.training.results import wilson
from pages.components.embedding.measured import measured
from pages.components.embedding.parts import answers_of, cards, careful, choose_metric, labels_key, sample_name, staying
from pages.components.embedding.scene import Scene
from pages.components.figure import show_figure
from pages.components.kept import kept

if TYPE_CHECKING:
    from core.embedding.space import Space

MOST_K = 25
KS = (1, 3, 5, 7, 10, 15, 25, 50)
AT_ONCE = 3000  # samples whose neighbours are counted without being asked: about a second
MOST_BARS = 20  # classes with a bar each
SAMPLE, DRAWING = "sample", "drawing"
WAYS = {SAMPLE: ":material/database: A sample of the space", DRAWING: ":material/draw: Drawing"}
WAY, NUMBER, K = "neighbours_way", "neighbours_number", "neighbours_k"


@dataclass(frozen=True, eq=False)
class Asked:
    """What the neighbours are asked about."""

    name: str
    glyph: np.ndarray  # (28, 28) uint8
    row: np.ndarray  # (D,) its embedding
    truth: str | None
    itself: int | None  # its place in the space


@careful
def neighbours_panel(scene: Scene) -> None:
    """One question first; then how often such answers are right."""
    if len(staying(scene)) < 2:
        st.info("Neighbours need at least two samples; choose more sets or samples above.", icon=":material/info:")
        return
    metric = choose_metric()
    st.fragment(_one)(scene, metric)
    _by_k(scene, metric)


@careful
def _one(scene: Scene, metric: str) -> None:
    asked = _choose(scene)
    if asked is None:
        return
    space, others = scene.space, staying(scene)
    k = st.slider(
        "k, the number of neighbours that vote", 1, min(MOST_K, len(others) - 1) if len(others) > 2 else 2,
        min(5, max(1, len(others) - 1)), key=K, persist_state="session",
    )  # fmt: skip
    itself = None
    if asked.itself is not None:
        place = int(np.searchsorted(others, asked.itself))
        itself = place if place < len(others) and others[place] == asked.itself else None
    found, away = nearest(asked.row, space.embeddings[others], k, metric, itself)
    indices = others[found]
    said = vote(space.labels[indices], len(space.classes))
    _answers(scene, asked, space.classes[said.winner], said.counts.max() / len(indices), said.tied)
    st.markdown(
        f"**Its {len(indices)} nearest {'neighbours' if len(indices) > 1 else 'neighbour'}**, the nearest first"
    )
    cards(
        space, indices,
        [
            f"<b>{escape(sample_name(space, i))}</b><br>{METRICS[metric].short} {short(d)}"
            for i, d in zip(indices.tolist(), away, strict=True)
        ],
        space.labels[indices] != said.winner,
    )  # fmt: skip
    st.caption("Framed with dashes: neighbours that vote for another class than the majority.")
    _bars(space, said.counts, len(indices))


def _choose(scene: Scene) -> Asked | None:
    own = kept(("width", scene.key), lambda: _is_own(scene))
    ways = list(WAYS) if own else [SAMPLE]
    if st.session_state.get(WAY) not in ways:
        st.session_state[WAY] = SAMPLE
    way = st.segmented_control(
        "Whose neighbours", ways, required=True, wrap=True, key=WAY, format_func=WAYS.get, persist_state="session"
    )
    if not own:
        st.caption("This space does not come from the network above, so a drawing has no place in it.")
    return _sample(scene) if way == SAMPLE else _drawing(scene)


def _is_own(scene: Scene) -> bool:
    """Whether the network makes such numbers as the space holds: of an imported space it need not."""
    glyph = scene.space.glyphs[:1]
    if not glyph.any():
        return False
    made = embed_glyphs(scene.subject, scene.layer, torch.from_numpy(glyph), scene.space.reduction)
    there = scene.space.embeddings[:1]
    return bool(made.shape == there.shape and np.allclose(made, there, rtol=1e-3, atol=1e-3))


def _sample(scene: Scene) -> Asked:
    space = scene.space
    first = int(scene.chosen[0]) + 1 if len(scene.chosen) else 1
    st.session_state[NUMBER] = min(st.session_state.get(NUMBER, first), len(space))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            f"Number, 1 to {len(space):,}", 1, len(space), key=NUMBER, persist_state="session", width=180
        )
        st.button("Any other", icon=":material/casino:", key="neighbours_any", on_click=_any, args=(len(space),))
        if space.glyphs.any():
            st.button(
                "A mistake", icon=":material/close:", key="neighbours_mistake", on_click=_mistake, args=(scene,),
                help="A sample that the network reads as something else than its label; another one each time.",
            )  # fmt: skip
        if len(scene.chosen):
            st.button(
                "One of the chosen", icon=":material/lasso_select:", key="neighbours_chosen",
                on_click=_one_of, args=(scene.chosen,),
            )  # fmt: skip
    i = number - 1
    return Asked(f"sample {number}", space.glyphs[i], space.embeddings[i], space.classes[space.labels[i]], i)


def _any(count: int) -> None:
    st.session_state[NUMBER] = int(np.random.default_rng().integers(count)) + 1


def _one_of(indices: np.ndarray) -> None:
    st.session_state[NUMBER] = int(np.random.default_rng().choice(indices)) + 1


def _mistake(scene: Scene) -> None:
    answers = answers_of(scene)
    wrong = np.flatnonzero(answers.known & ~answers.right)
    if len(wrong):
        _one_of(wrong)


def _drawing(scene: Scene) -> Asked | None:
    from core.reading import segment
    from core.reading.picture import decode_picture
    from pages.components.canvas import canvas

    png = canvas(on_change=lambda: None)
    if png is None:
        st.caption("Draw a symbol; it is the same sheet as on the Draw page.")
        return None
    symbols = [s for s in segment(decode_picture(png, "The drawing")).segments if s.reason is None]
    if not symbols:
        raise DataError("No symbol was found on the drawing; write one large.")
    if len(symbols) > 1:
        st.caption("There are several symbols on the sheet; the largest is taken.")
    glyph = np.rint(max(symbols, key=lambda s: max(s.box[2:])).glyph * 255).astype(np.uint8)
    row = embed_glyphs(scene.subject, scene.layer, torch.from_numpy(glyph)[None], scene.space.reduction)[0]
    return Asked("your drawing", glyph, row, None, None)


def _answers(scene: Scene, asked: Asked, winner: str, share: float, tied: bool) -> None:
    """The sample beside the neighbours' answer and the network's."""
    subject = scene.subject
    lines = [f"The neighbours answer <b>{escape(written(winner))}</b>, {_all(share)} of them{_mark(winner, asked)}"]
    if tied:
        lines.append("Two classes have equally many votes; the one of the nearest neighbour wins.")
    if asked.glyph.any() and subject.classes:
        probabilities = subject.probabilities(as_input(torch.from_numpy(asked.glyph)[None]))[0]
        best = subject.classes[int(probabilities.argmax())]
        lines.append(
            f"The network answers <b>{escape(written(best))}</b>, {percent(float(probabilities.max()))} sure"
            f"{_mark(best, asked) if asked.truth in (None, *subject.classes) else '; it was never taught this class'}"
        )
    seen = f'<img alt="{asked.name}" src="{picture_address(asked.glyph)}">' if asked.glyph.any() else ""
    truth = f", which is {escape(written(asked.truth))}" if asked.truth else ""
    st.html(
        f'<figure class="embedding-asked">{seen}'
        f"<figcaption>{asked.name.capitalize()}{truth}<br>{'<br>'.join(lines)}</figcaption></figure>"
    )


def _mark(answer: str, asked: Asked) -> str:
    return "" if asked.truth is None else ": right ✓" if answer == asked.truth else ": wrong ✗"


def _all(share: float) -> str:
    return "all" if share == 1 else f"{share * 100:.0f} %"


def _bars(space: "Space", counts: np.ndarray, k: int) -> None:
    voted = np.arange(len(counts)) if len(counts) <= MOST_BARS else np.flatnonzero(counts)
    show_figure(
        votes_figure(counts[voted], [space.classes[i] for i in voted]), "neighbours_votes",
        f"Each of the {k} neighbours has one vote. One tall bar: they agree." if k > 1 else "One neighbour, one vote.",
    )  # fmt: skip


def _by_k(scene: Scene, metric: str) -> None:
    st.subheader("How often neighbours are right")
    space, others = scene.space, staying(scene)
    few = others[draw(space.labels[others], MOST_SAMPLES)]
    ks = [k for k in KS if 3 * k <= len(few)] or [1]  # more than a third would outvote any class
    embeddings, labels = space.embeddings[few], space.labels[few]

    def show(made: ByK) -> None:
        _show_by_k(scene, made, few, metric)

    measured(
        f"by-k {labels_key(scene)} {metric}",
        f"Measure on {len(few):,} samples",
        f"{len(few):,} samples ask their neighbours",
        lambda tell: accuracy_by_k(embeddings, labels, ks, metric, tell),
        show,
        "neighbours_by_k",
        len(few) <= AT_ONCE,
    )


def _show_by_k(scene: Scene, made: ByK, few: np.ndarray, metric: str) -> None:
    count = made.right.shape[1]
    intervals = np.array([wilson(int(right.sum()), count) for right in made.right])
    answers = answers_of(scene)
    known = answers.known[few]
    network = float(answers.right[few].mean()) if known.all() and scene.space.glyphs.any() else None
    show_figure(
        by_k_figure(
            made.ks, made.accuracies, intervals[:, 0], intervals[:, 1], network, "Accuracy by number of neighbours"
        ),
        "neighbours_accuracy",
        "The band is the 95 % interval. Where the line stays near the dashed one, the space itself tells the classes "
        "apart, and the last layer has little left to do.",
    )
    best = int(made.accuracies.argmax())
    low, high = intervals[best]
    st.markdown(
        f"**Best: k = {made.ks[best]}, {percent(float(made.accuracies[best]))} right** "
        f"({low * 100:.1f} to {percent(float(high))}), {METRICS[metric].title.lower()}."
    )
    drawn = "" if count == len(staying(scene)) else (
        f" {count:,} samples were drawn, the same share of each class: with more to ask, neighbours answer a little "
        "better."
    )  # fmt: skip
    st.caption(
        f"Cross-validated by leaving one out: each of the {count:,} samples is answered by all others, never by "
        "itself. The best k was chosen on the same samples, which flatters it a little; neighbours of the "
        f"same writer may help as well.{drawn}"
    )

"""How far a map can be trusted: its curves against chance, and the same map of a network that learned nothing."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.inspection import trust
from core.inspection.attributions import Attribution, Method, methods_for
from core.report.attribution_figures import CUT_OFF, curves_figure, overlay_maps
from core.report.figures import label_text
from pages.components.figure import show_figure
from pages.components.inspect.looked_question import Question
from pages.components.kept import kept
from pages.components.train.tested import with_progress

REMOVED = {"glyphs": "pixels of ink", "photos": f"tiles of {trust.TILE}×{trust.TILE} pixels", "features": "features"}
ICONS = {
    trust.TRUSTWORTHY: (st.success, ":material/verified:"),
    trust.PARTLY: (st.info, ":material/rule:"),
    trust.CHANCE: (st.warning, ":material/casino:"),
    trust.BLIND: (st.warning, ":material/visibility_off:"),
    trust.UNTESTABLE: (st.info, ":material/help:"),
}
WORDS = {
    trust.TRUSTWORTHY: "trustworthy",
    trust.PARTLY: "half",
    trust.CHANCE: "not more than chance",
    trust.BLIND: "shows the input",
    trust.UNTESTABLE: "cannot be tested",
}


def trust_panel(question: Question, attribution: Attribution) -> None:
    """A sentence, the curves and the map without learning; of a photo when it is asked for."""
    st.subheader("Can this map be trusted?")
    if question.view.subject.takes == "photos" and not st.toggle(
        "Test this map", key="inspect_looked_test", persist_state="session",
        help="Removes and adds tiles in the map's order and in random orders; takes a few seconds for a photo.",
    ):  # fmt: skip
        st.caption("A map that looks convincing proves nothing: it is tested by what its order removes and adds.")
        return
    found = trust_of(question, attribution)
    name, narrow = question.name_of(attribution.target), question.narrow
    show, icon = ICONS[found.verdict]
    subject = question.view.subject
    quantity = "probability" if subject.classes else "activation"
    show(trust.in_words(found, name, quantity), icon=icon)
    st.caption(
        "Area: how far the map's curve lies from the mean of the random orders below, 0 where it is no better than "
        "chance; for either test, what is expected of a good map counts as plus."
    )
    show_figure(
        curves_figure(
            found.curves, found.chance, REMOVED[subject.takes], quantity,
            f"Removed and added in order: {label_text(name)}", narrow,
        ),
        "inspect_looked_curves",
        "A map that marks what matters falls below the band when its pixels are removed, and rises above it when they "
        f"are added. The band spans {len(found.chance.curves)} random orders"
        + (" of the same ink; empty paper is not counted." if subject.takes == "glyphs" else "."),
    )  # fmt: skip
    _without_learning(question, found, narrow)


def _without_learning(question: Question, found: trust.Trust, narrow: bool) -> None:
    subject = question.view.subject
    text = (
        f"Are the same pixels strong in both? {found.similarity:.2f} on a scale from 0 to 1 (rank correlation, without "
        "its sign)"
    )
    if subject.takes == "features":
        text = text.replace("pixels", "features")
        st.caption(f"{text}, the mean over {trust.MOST_DRAWS} networks with random weights. {_reading(found)}")
        return
    draws = trust.DRAWS.get(subject.takes, trust.MOST_DRAWS)
    figure = overlay_maps(
        subject.seen(question.inputs), [found.attribution.values, found.without_learning.values],
        ["as it is", "with random weights"], "The same map of a network that learned nothing", 2,
        160 if narrow else 260, own_scales=True,
    )  # fmt: skip
    show_figure(
        figure, "inspect_looked_random",
        f"{text}. Do the two look alike? {found.ssim:.2f}, where 1 is the same picture (SSIM, structural similarity of "
        f"their strengths). {_draws(draws)} {_reading(found)} {CUT_OFF}",
    )  # fmt: skip


def _draws(count: int) -> str:
    if count == 1:
        return "Measured with one network with random weights, which is shown."
    return f"Both numbers are means over {count} networks with random weights, of which the first is shown."


def _reading(found: trust.Trust) -> str:
    if found.similarity >= trust.SIMILAR:
        return f"From {trust.SIMILAR} on the map owes more to the input and the layers' order than to the weights."
    if found.ssim >= trust.SIMILAR:
        return "The two are alike in outline, which is the input's, but differ in which parts speak for the class."
    return "The two differ: the map depends on the weights."


def trust_of(question: Question, attribution: Attribution) -> trust.Trust:
    view, target = question.view, attribution.target
    subject, inputs = view.subject, question.inputs

    def by_chance() -> trust.Chance:
        if subject.takes != "photos":
            return trust.chance(subject, inputs, target)
        return with_progress("Random orders …", lambda tell: trust.chance(subject, inputs, target, progress=tell))

    def make() -> trust.Trust:
        orders = kept(("chance", *view.keys, target), by_chance)
        return trust.judge(subject, inputs, attribution, orders, _untrained(view.key, subject), question.layer)

    return kept(("trust", *question.key, target), make)


@st.cache_resource(max_entries=6, show_spinner=False)
def _untrained(key: str, _subject: object) -> tuple:
    return trust.draw_untrained(_subject)


def comparison(question: Question, map_by: Callable[[Method], Attribution]) -> None:
    """All methods' scores for this input side by side."""
    if not st.toggle(
        "Compare all methods on this input", key="inspect_looked_compare", persist_state="session",
        help="Tests every method's map of the class in the same way.",
    ):  # fmt: skip
        return
    methods = methods_for(question.view.subject)
    found = {m.name: trust_of(question.by(m), map_by(m)) for m in methods}
    table = pd.DataFrame(
        {
            "method": [name[0].upper() + name[1:] for name in found],
            "verdict": [WORDS[one.verdict] for one in found.values()],
            "removed: better than chance by": [one.deletion_gain for one in found.values()],
            "added: better than chance by": [one.insertion_gain for one in found.values()],
            "like random weights": [one.similarity for one in found.values()],
        }
    )
    numbers = {name: st.column_config.NumberColumn(format="%+.2f") for name in table.columns[2:4]}
    numbers["like random weights"] = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(table, hide_index=True, width="stretch", column_config=numbers, key="inspect_looked_table")
    st.caption(
        "Better than chance: by how much area the curve beats the mean of the random orders, from −1 to 1. Like random "
        f"weights: rank correlation; from {trust.SIMILAR} on the map would look much the same without learning."
    )

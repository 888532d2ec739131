"""What the network answers to what it is shown, beside the controls."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.reading import written
from core.report.figures import likeliest_bars, percent, probability_bars
from pages.components.figure import show_figure
from pages.components.inspect.view import View

MANY = 20  # classes: more bars than a phone has room for; of so many only the likeliest are shown
MOST = 5


def show_answer(view: View) -> None:
    """The probabilities of all classes, or of the likeliest where there are many; of a photo also what is seen."""
    if view.specimen is None:
        return
    _show_classes(view)
    if view.subject.takes == "photos":
        seen = _seen(view.keys, view)
        height, width = seen.shape[:2]
        st.image(seen, f"What the network sees: the middle, {height} × {width} pixels", width=200)


def _show_classes(view: View) -> None:
    subject, specimen = view.subject, view.specimen
    assert specimen is not None
    if not subject.classes:
        st.caption("This network has no output layer: its filters and layers can be looked at, but it names nothing.")
        return
    probabilities = answer(view)
    title = f"What {subject.name} answers" + (f", {subject.moment}" if subject.moment else "")
    if len(subject.classes) > MANY:
        figure = likeliest_bars(probabilities, subject.classes, title, MOST)
        what = f"The {MOST} likeliest of {len(subject.classes):,} classes"
    else:
        figure, what = probability_bars(probabilities, subject.classes, title), "How likely each class is"
    st.markdown(_verdict(probabilities, subject.classes, specimen.label))
    show_figure(figure, "inspect_answer", f"{what}, for {specimen.name}. A second bar nearly as long: it hesitates.")
    if _is_refused(view.keys, view):
        st.markdown(
            ":material/block: Reading, it would **refuse** this: it is unlike anything the network has learnt. The "
            "bars only say which class it resembles most."
        )


def _verdict(probabilities: np.ndarray, classes: Sequence[str], truth: str | None) -> str:
    """The answer, how sure it is, and whether it is right where that is known."""
    best = int(probabilities.argmax())
    said = f"**{written(classes[best])}**, {percent(float(probabilities[best]))} sure"
    if truth is None:
        return f"It answers {said}."
    if truth == classes[best]:
        return f":material/check: It answers {said}: right."
    return f":material/close: **Wrong:** it answers {said}, but it is **{written(truth)}**."


def answer(view: View) -> np.ndarray:
    """`(C,)` calibrated probabilities of the specimen's classes."""
    return _answer(view.keys, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _is_refused(keys: tuple[str, str], _view: View) -> bool:
    """Whether the log-sum-exp of the logits lies below the network's refusal threshold, where it has one."""
    assert _view.specimen is not None
    subject = _view.subject
    if subject.threshold is None or subject.takes != "glyphs":
        return False
    return bool(subject.logits(subject.inputs(_view.specimen)).logsumexp(1).item() < subject.threshold)


@st.cache_data(max_entries=16, show_spinner=False)
def _seen(keys: tuple[str, str], _view: View) -> np.ndarray:
    assert _view.specimen is not None
    return _view.subject.seen(_view.subject.inputs(_view.specimen))


@st.cache_data(max_entries=64, show_spinner=False)
def _answer(keys: tuple[str, str], _view: View) -> np.ndarray:
    assert _view.specimen is not None
    return _view.subject.probabilities(_view.subject.inputs(_view.specimen))[0]

"""What the network answers to what it is shown, beside the controls."""

import numpy as np
import streamlit as st

from core.report.figures import probability_bars
from pages.components.figure import show_figure
from pages.components.inspect.view import View

MOST = 10  # classes that are shown


def show_answer(view: View) -> None:
    """The probabilities of all classes, or of the likeliest where there are many."""
    subject, specimen = view.subject, view.specimen
    if specimen is None:
        return
    if not subject.classes:
        st.caption("This network has no output layer: its filters and layers can be looked at, but it names nothing.")
        return
    probabilities = answer(view)
    best = np.argsort(-probabilities)[:MOST] if len(probabilities) > MOST else np.arange(len(probabilities))
    moment = f", {subject.moment}" if subject.moment else ""
    what = "Each class" if len(best) == len(probabilities) else f"The {MOST} likeliest classes"
    show_figure(
        probability_bars(
            probabilities[best], [subject.classes[i] for i in best], f"What {subject.name} answers{moment}"
        ),
        "inspect_answer",
        f"{what} of {specimen.name}; one tall bar: it is sure.",
    )


def answer(view: View) -> np.ndarray:
    """`(C,)` calibrated probabilities of the specimen's classes."""
    return _answer(view.keys, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _answer(keys: tuple[str, str], _view: View) -> np.ndarray:
    assert _view.specimen is not None
    return _view.subject.probabilities(_view.subject.inputs(_view.specimen))[0]

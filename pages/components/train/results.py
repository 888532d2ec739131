"""The test set's figures of a trained network: how often it is right, then where it is wrong, then everything else."""

import streamlit as st

from pages.components.train.tested import STYLE, Tested, test_of
from pages.components.train.titles import dataset_title


def results_panel(network: str) -> None:
    """Everything of the network's test, the plain answer first."""
    st.html(STYLE)
    if tested := test_of(network):
        _headline(tested)
        _figures(tested)


def _headline(tested: Tested) -> None:
    from core.training.tested import CHANGED, has_changed

    result, name = tested.result, dataset_title(tested.samples.name)
    low, high = result.interval
    wrong = len(result) - int(result.right.sum())
    st.html(
        f'<div class="test-accuracy"><b>{result.accuracy:.2%}</b> of the test samples get the right answer'
        f"<span>95 % interval: {low:.2%} to {high:.2%}</span></div>"
    )
    st.markdown(
        f"{_mistakes(wrong)} in {len(result):,} test samples of *{name}*. Other samples of the same kind "
        "would give a little more or less; the interval says by how much."
    )
    if has_changed(tested.network.passport, tested.samples):
        st.warning(CHANGED, icon=":material/warning:")


def _mistakes(count: int) -> str:
    return "No mistake" if not count else "One mistake" if count == 1 else f"{count:,} mistakes"


@st.fragment
def _figures(tested: Tested) -> None:
    """As a fragment, so that a click into the confusion matrix leaves the rest of the page alone."""
    from pages.components.train import result_parts as parts  # torch comes with it, and takes seconds

    parts.confusions(tested)
    names = ["First answers", "Each class", "Confidence", "Learning curves"]
    tabs = st.tabs(names, key="train_results_tab", on_change="rerun")
    shown = [parts.first_answers, parts.each_class, parts.confidence, parts.learning]
    for tab, show in zip(tabs, shown, strict=True):
        if tab.open:
            with tab:
                show(tested)

"""A first look at a data set and at a network, before anything is trained."""

import numpy as np
import pandas as pd
import streamlit as st

from core.data import Samples, load
from core.data.overview import Overview, overview
from core.errors import InklingError
from core.networks.spec import NetworkSpec
from core.report.figures import label_text
from core.report.sample_figures import captioned_glyphs, class_counts, first_samples, mean_images
from core.training import TrainingConfig
from pages.components.diagram import show_diagram
from pages.components.figure import show_figure
from pages.components.structure import layer_table, totals_tiles
from pages.components.tiles import show_tiles


@st.cache_data(max_entries=16, show_spinner="Loading the data set …")
def _overviews(dataset: str) -> tuple[Overview, Overview]:
    """Of the training and the test part; raises `DataError`."""
    return overview(load(dataset, "train")), overview(load(dataset, "test"))


def dataset_classes(dataset: str) -> tuple[str, ...] | None:
    """None where the data set cannot be loaded."""
    try:
        return _overviews(dataset)[0].first.classes
    except InklingError:
        return None


def one_of_each_panel(dataset: str) -> None:
    """A test sample of each class, for where there is nothing else to see yet."""
    try:
        test = _overviews(dataset)[1]
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    what = "One test sample of each class: what the network is to tell apart"
    if test.first.is_table:
        st.markdown(f"**{what}**")
        _rows(test.each)
        return
    names = [label_text(test.each.classes[label]) for label in test.each.labels.tolist()]
    columns = 5 if len(names) <= 10 else 8
    show_figure(
        captioned_glyphs(test.each.images.numpy(), names, columns, what),
        "train_one_of_each",
        "Choose an architecture and press *Train*: from then on, its progress stands here.",
    )


def data_panel(dataset: str) -> None:
    """All that there is to see of a data set."""
    try:
        train, test = _overviews(dataset)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    show_tiles(
        {
            "Training samples": f"{train.size:,}",
            "Test samples": f"{test.size:,}",
            "Classes": str(len(train.counts)),
            "In memory": _in_memory(train.megabytes + test.megabytes),
        },
        {"Training samples": "A twelfth of them calibrates and does not teach."},
    )
    for note in train.notes:
        st.markdown(f":material/info: {note}")
    _first(test, "train_data_first")
    left, right = st.columns(2)
    with left:
        show_figure(
            class_counts(train.counts, train.first.classes, "Training samples of each class"),
            "train_class_counts",
            "Classes with few samples are learned last and tested least.",
        )
    with right:
        if train.first.is_table:
            st.dataframe(_mean_features(train), width="stretch")
            st.caption("Each feature's mean by class, in standard deviations from the mean of all patients.")
        else:
            show_figure(
                mean_images(train.means, train.counts, train.first.classes),
                "train_mean_images",
                "What all samples of a class have in common is bright; blurred means that they differ.",
            )


def _in_memory(megabytes: float) -> str:
    return f"{megabytes:,.1f} MB" if megabytes >= 1 else f"{megabytes * 1000:,.0f} kB"


def _rows(samples: Samples) -> None:
    rows = pd.DataFrame(samples.inputs.numpy(), columns=list(samples.columns)).round(2)
    rows.insert(0, "class", [samples.classes[label] for label in samples.labels.tolist()])
    st.dataframe(rows, hide_index=True, width="stretch")
    st.caption("In standard deviations from the training part's mean.")


def _first(part: Overview, key: str) -> None:
    if part.first.is_table:
        st.markdown("**The first six test rows**")
        _rows(part.first)
    else:
        show_figure(
            first_samples(part.first, title="The first six test samples"),
            key,
            "Ink is bright, as the networks see it; each with its true class.",
        )


def _mean_features(part: Overview) -> pd.DataFrame:
    return pd.DataFrame(
        np.asarray(part.means).T, index=list(part.first.columns), columns=list(part.first.classes)
    ).round(2)


def network_panel(config: TrainingConfig, classes: int) -> None:
    """The layers of the network that is chosen: drawn, and as a table."""
    try:
        drawing, layers, totals = _structure(config.spec(classes))
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    show_diagram(drawing)
    st.caption("Boxes are what is computed, arrows carry the shape of what flows: channels × height × width.")
    show_tiles(totals)
    st.dataframe(layers, hide_index=True, width="stretch", key="train_layers")


@st.cache_data(max_entries=32, show_spinner="Drawing the network …")
def _structure(spec: NetworkSpec) -> tuple[str, pd.DataFrame, dict[str, str]]:
    from core.networks.base import build
    from core.networks.steps import trace_steps
    from core.networks.summary import count_totals, summarise
    from core.report.diagram import diagram_html

    network = build(spec)
    drawing = diagram_html(trace_steps(network))
    return drawing, layer_table(summarise(network)), totals_tiles(count_totals(network))

"""What the head reaches on pictures that did not teach it, each of them with its answer, and the head to take away."""

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.data.pictures import decode_picture
from core.errors import InklingError
from core.reading import written
from core.report.curves import Curve, compare_curves
from core.report.figures import likeliest_bars, percent
from core.report.result_figures import confusion_figure, per_class_figure
from pages.components.figure import show_figure
from pages.components.tiles import show_tiles
from pages.components.transfer.photos_cards import photo_cards

if TYPE_CHECKING:
    from core.transfer.photo_job import PhotoResult

AT_ONCE = 24  # cards on a page
KINDS = {"wrong first": "Wrong first", "in order": "In their order"}


def show_photos_result(result: "PhotoResult") -> None:
    if not result.backbone.learned:
        st.warning(
            "The backbone has **random weights**: it has learned nothing, and the head works with whatever such "
            "weights happen to keep of a picture. With trained weights it is usually better.",
            icon=":material/casino:",
        )
    _headline(result)
    for note in result.notes:
        st.caption(note)
    _cost(result)
    with st.container(key="photos_figures"):
        left, right = st.columns(2)
        with left:
            show_figure(
                confusion_figure(result.test.confusion, result.classes), "photos_confusion",
                "A row for each true class. Green is right; red are mistakes.",
            )  # fmt: skip
        with right:
            show_figure(
                per_class_figure(result.test.per_class), "photos_per_class",
                "Precision: of what is taken for a class, the share that is it. Recall: of a class, the share found.",
            )  # fmt: skip
    _loss(result)
    _answers(result)
    _try(result)
    _take(result)


def _how(result: "PhotoResult") -> str:
    return f"{result.folds}-fold cross-validation" if result.folds else "the set’s own test part"


def _headline(result: "PhotoResult") -> None:
    low, high = result.test.interval
    right, of = int(result.test.right.sum()), len(result.test)
    show_tiles(
        {
            "Right": percent(result.test.accuracy) if right < of else "all",
            "95 % interval": f"{low * 100:.0f}–{high * 100:.0f} %",
            "Pictures": f"{right:,} of {of:,}",
        },
        {"95 % interval": "Where the share on very many such pictures would lie (Wilson’s interval)."},
    )
    taught, first = result.taught, result.taught.first_perfect_epoch
    perfect = f"all, first after epoch {first}" if first else f"{percent(taught.accuracies[-1])} at the end"
    st.markdown(
        f"Measured by **{_how(result)}**: no picture was judged by a head that it had taught. Of the pictures that "
        f"taught it, the head reads {perfect}; that says nothing about new ones."
    )


def _cost(result: "PhotoResult") -> None:
    epochs, heads = result.config.epochs, result.folds + 1
    said = (
        f"{result.features:,} features a picture. {heads * epochs:,} epochs ({heads} "
        f"head{'s' if heads > 1 else ''} of {epochs}) took {result.teach_s:.1f} s"
    )
    if result.computed:
        each = result.pass_s / result.computed
        said += (
            f"; the one pass of {result.computed:,} pictures through {result.backbone.name} took {result.pass_s:.1f} s "
            f"({each * 1000:.0f} ms each). Had every epoch of one head passed them all, that would have been "
            f"{result.pass_s * epochs / 60:,.1f} minutes"
        )
    else:
        said += "; all features were on disk already, so no picture passed through the backbone"
    st.caption(f"{said}.")


def _loss(result: "PhotoResult") -> None:
    epochs = np.arange(1, len(result.taught.losses) + 1)
    show_figure(
        compare_curves(
            [Curve("head", epochs, np.array(result.taught.losses))],
            "epoch", "loss (nats per picture)", "Loss of the head while it learns",
        ),
        "photos_loss",
        "On the pictures that teach, with dropout at work. It falls towards nought even where new pictures are read "
        "wrongly.",
    )  # fmt: skip


def _answers(result: "PhotoResult") -> None:
    st.subheader("Each tested picture")
    test = result.test
    order = st.segmented_control(
        "Order", list(KINDS), default="wrong first", required=True, format_func=KINDS.get, key="photos_order",
        label_visibility="collapsed",
    )  # fmt: skip
    positions = np.arange(len(test))
    if order == "wrong first":
        positions = np.lexsort((-test.confidence, test.right))
    pages = -(-len(test) // AT_ONCE)
    page = 1
    if pages > 1:
        page = st.number_input(f"Page, 1 to {pages}", 1, pages, key="photos_page", width=180)
    cards = []
    for i in positions[(page - 1) * AT_ONCE : page * AT_ONCE]:
        answer, actual = (written(result.classes[k]) for k in (test.predicted[i], test.labels[i]))
        sure = f"{percent(test.confidence[i])} sure"
        if test.right[i]:
            cards.append((result.tested[i], "<b>✓ {}</b><span>{}</span>", (answer, sure), False))
        else:
            cards.append((result.tested[i], "<b>✗ {}</b>, is {}<span>{}</span>", (answer, actual, sure), True))
    st.html(photo_cards(cards))
    with st.expander("As a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "picture": [photo.name for photo in result.tested],
                    "actual": [result.classes[k] for k in test.labels],
                    "predicted": [result.classes[k] for k in test.predicted],
                    "confidence": (test.confidence * 100).round(1),
                }
            ),
            hide_index=True, width="stretch", key="photos_table",
            column_config={"confidence": st.column_config.NumberColumn(format="%.1f %%")},
        )  # fmt: skip


def _try(result: "PhotoResult") -> None:
    st.subheader("Try it")
    file = st.file_uploader("A picture: PNG, JPEG, WebP, BMP or GIF", key="photos_try")
    if file is None:
        return
    try:
        pixels = decode_picture(file.getvalue(), file.name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return
    picture, answer = st.columns([1, 2])
    picture.image(pixels, width="stretch")
    with answer:
        show_figure(
            likeliest_bars(result.read(pixels), result.classes, "What the head takes it for"), "photos_tried",
            "It always answers one of its classes, whatever the picture shows.",
        )  # fmt: skip


def _take(result: "PhotoResult") -> None:
    st.subheader("Take the head away")
    name = re.sub(r"[^\w-]+", "-", result.photo_set.name).strip("-") or "photos"
    st.download_button(
        "Download the head", result.to_zip, f"{name}-head.zip", "application/zip", key="photos_download",
        on_click="ignore", icon=":material/download:",
    )  # fmt: skip
    st.caption(
        "A ZIP with the head’s weights (safetensors) and a JSON file that names the backbone, its weights’ SHA-256, "
        "the classes and the measured accuracy. It is no network of Inkling’s store: it reads features of photographs, "
        "not glyphs, and needs the backbone before it."
    )

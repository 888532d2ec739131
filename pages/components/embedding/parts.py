"""What the sections about distances, neighbours and chosen samples share."""

import hashlib
from collections.abc import Callable
from functools import wraps
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.embedding.answers import Answers, answer_samples
from core.embedding.corrections import Correction, correct_space, list_corrections, removed_from
from core.embedding.distances import METRICS, SSD
from core.errors import InklingError
from core.reading import written
from core.report.sample_figures import picture_address
from core.transfer.curation import datasets_of
from pages.components.embedding.scene import Scene
from pages.components.kept import kept
from pages.components.train.tested import with_progress

if TYPE_CHECKING:
    from core.embedding.space import Space

STYLE = Path(__file__).with_name("sections.css")
METRIC = "embedding_metric"
PICTURE_SCALE = 2


def with_corrections(scene: Scene) -> Scene:
    """The same scene under the labels that the user put right; its key stays, for the embeddings are the same."""
    corrections = list_corrections()
    if not corrections:
        return scene
    space = kept(
        ("corrected", scene.key, corrections), lambda: correct_space(scene.space, corrections, datasets_of(scene.space))
    )
    return Scene(scene.subject, scene.layer, space, scene.key)


def staying(scene: Scene) -> np.ndarray:
    """The samples that were not removed, `(K,)`."""
    corrections = list_corrections()
    if not corrections:
        return np.arange(len(scene.space))
    return kept(
        ("staying", scene.key, corrections),
        lambda: np.flatnonzero(~removed_from(scene.space, corrections, datasets_of(scene.space))),
    )


def labels_key(scene: Scene) -> str:
    """A cache key: changes with the space, and with every correction."""
    corrections: tuple[Correction, ...] = list_corrections()
    return f"{scene.key} {hashlib.sha256(repr(corrections).encode()).hexdigest() if corrections else ''}"


def careful(panel: Callable[..., None]) -> Callable[..., None]:
    """A section whose errors are sentences on the page, in a fragment's own runs too."""

    @wraps(panel)
    def shown(*arguments: Any) -> None:
        st.html(STYLE)
        try:
            panel(*arguments)
        except InklingError as error:
            st.error(str(error), icon=":material/error:")

    return shown


def answers_of(scene: Scene) -> Answers:
    """What the network answers to the samples; found once, for the map too."""
    labels = hash(scene.space.labels.tobytes())  # they may be put right
    return kept(
        ("answers", scene.key, labels),
        lambda: with_progress("Reading the samples …", lambda tell: answer_samples(scene.subject, scene.space, tell)),
    )


def choose_metric() -> str:
    """Shows the choice of the distance."""
    metric = st.segmented_control(
        "Distance", list(METRICS), default=SSD, required=True, wrap=True, key=METRIC, persist_state="session",
        format_func=lambda m: METRICS[m].title,
    )  # fmt: skip
    st.caption(METRICS[metric].about)
    return metric


def sample_name(space: "Space", index: int) -> str:
    """How a sample is called: its number in the space, and what it is."""
    return f"{index + 1} · {written(space.classes[space.labels[index]])}"


def picture(space: "Space", index: int) -> str:
    """The glyph as an address for tables and cards."""
    return picture_address(space.glyphs[index], PICTURE_SCALE)


def image(space: "Space", index: int) -> str:
    """The glyph as HTML; nothing where a sample of an imported space has no picture."""
    if not space.glyphs[index].any():
        return ""
    return f'<img alt="{escape(sample_name(space, index))}" src="{picture(space, index)}">'


def cards(space: "Space", indices: np.ndarray, captions: list[str], wrong: np.ndarray | None = None) -> None:
    """Glyphs in rows, each over its caption, which is HTML; marked where it is wrong."""
    figures = "".join(
        f'<figure class="embedding-card{" wrong" if wrong is not None and wrong[n] else ""}">'
        f"{image(space, i)}<figcaption>{caption}</figcaption></figure>"
        for n, (i, caption) in enumerate(zip(indices.tolist(), captions, strict=True))
    )
    st.html(f'<div class="embedding-cards">{figures}</div>')

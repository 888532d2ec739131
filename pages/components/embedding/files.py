"""Files: take the space, its map and its distances away; bring tables in and explore them."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from core.data.pictures import decode_picture
from core.embedding.distances import METRICS, PAIRED, SSD, draw, separate
from core.embedding.files import (
    FOUND,
    LABEL_PLACES,
    Table,
    class_means_csv,
    embeddings_csv,
    embeddings_npy,
    embeddings_npz,
    map_csv,
    read_table,
    space_of,
)
from core.errors import DataError
from core.transfer.letters_files import read_csv
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import as_name, free_letters_name, save_letters
from pages.components.embedding.imported import SETS, explore
from pages.components.embedding.parts import METRIC, careful, staying
from pages.components.embedding.scene import Scene
from pages.components.train.attempt import attempt, show_problem

PANEL = "embedding_files"
CHANGED = "files_changed"  # session state: another space was chosen by a button here
VECTORS, COURSE = "vectors", "course"
KINDS = {VECTORS: ":material/table: Vectors, one table", COURSE: ":material/grid_on: The course's two files"}
BYTES_A_NUMBER = 10  # in a CSV, about
PREVIEW = 5  # rows and columns


@careful
def files_panel(scene: Scene) -> None:
    """Out first, then in."""
    _out(scene)
    st.fragment(_in)()


def _out(scene: Scene) -> None:
    st.subheader("Take away")
    space, network = scene.space, scene.subject.name
    layer = scene.layer or "dense layer before the output"
    shown = scene.map
    stem = re.sub(r"[^\w.-]+", "-", f"{network}-{space.set_names[0].rpartition('/')[2]}")[:60].strip("-")
    size, maps = space.embeddings.size, {f"{shown.config.kind}_{shown.config.dimensions}d": shown.layout}
    with st.container(horizontal=True):
        _download(
            f"Embeddings (CSV, {_megabytes(size * BYTES_A_NUMBER)})", f"{stem}-embeddings.csv", "csv",
            lambda: embeddings_csv(space, network, layer),
        )  # fmt: skip
        _download(
            f"Everything (.npz, {_megabytes(size * 4 + space.glyphs.size)})",
            f"{stem}.npz", "npz",
            lambda: embeddings_npz(space, network, layer, maps),
        )  # fmt: skip
        _download(
            f"Embeddings (.npy, {_megabytes(size * 4)})",
            f"{stem}.npy",
            "npy",
            lambda: embeddings_npy(space),
        )
        _download(
            f"Map: {shown.config.title} (CSV)", f"{stem}-{shown.config.kind}.csv", "map",
            lambda: map_csv(space, network, layer, shown.layout),
        )  # fmt: skip
        metric = st.session_state.get(METRIC, SSD)
        _download(
            f"Class by class: mean {METRICS[metric].short} (CSV)", f"{stem}-class-distances.csv", "means",
            lambda: _class_means(scene, metric),
        )  # fmt: skip
    st.caption(
        f"{len(space):,} samples, {space.embeddings.shape[1]:,} numbers each: a row a sample with its id, set, label, "
        "network and layer. NumPy files open with `numpy.load`, without pickle; the .npz holds glyphs, labels and the "
        "map too. The map is the one that section Map shows; distances to chosen samples are in section Distances."
    )


def _download(label: str, name: str, key: str, make: Callable[[], bytes]) -> None:
    st.download_button(label, make, name, icon=":material/download:", key=f"files_{key}", on_click="ignore")


def _class_means(scene: Scene, metric: str) -> bytes:
    space, there = scene.space, staying(scene)
    few = there[draw(space.labels[there], PAIRED)]
    made = separate(space.embeddings[few], space.labels[few], len(space.classes), metric)
    return class_means_csv(made.mean, space.classes)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{max(1, count // 1000)} kB"


@careful
def _in() -> None:
    if st.session_state.pop(CHANGED, False):
        st.rerun()  # the whole page: it shows another space now
    st.subheader("Bring in")
    show_problem(PANEL)
    kind = st.segmented_control(
        "What", list(KINDS), default=VECTORS, required=True, wrap=True, format_func=KINDS.get, key="files_kind",
        persist_state="session",
    )  # fmt: skip
    if kind == VECTORS:
        _vectors()
    else:
        _course()


def _vectors() -> None:
    st.caption(
        "A CSV with a row for each sample: any number of numbers, and a column of labels where you have them; with a "
        "header or without. What is taken away above can be brought in again."
    )
    file = st.file_uploader("Table of vectors (CSV)", type=["csv", "txt", "tsv"], key="files_vectors")
    if file is None:
        return
    place = st.selectbox(
        "The column of labels is", LABEL_PLACES, key="files_labels", width=260,
        help=f"“{FOUND}”: a column called label, class or category, else the only one with more than numbers.",
    )  # fmt: skip
    table = read_table(file.getvalue(), file.name, place)
    _preview(table)
    st.button(
        "Explore it", icon=":material/explore:", type="primary", key="files_explore", on_click=_explore,
        args=(file.name, table),
    )  # fmt: skip


def _course() -> None:
    st.caption(
        "As the classic course's embedding task makes them: one file with 784 intensities a row (28×28 pixels), one "
        "with the category of each row."
    )
    left, right = st.columns(2)
    intensities = left.file_uploader("Intensities (CSV)", type=["csv", "txt"], key="files_intensities")
    categories = right.file_uploader("Categories (CSV)", type=["csv", "txt"], key="files_categories")
    if intensities is None or categories is None:
        return
    meanings = st.text_input(
        "Names of the categories, where they are numbers", key="files_meanings", placeholder="alpha, beta, gamma",
        help="In the order of the numbers from 0 on. Left empty, the numbers are the names.",
    )  # fmt: skip
    names = [name.strip() for name in meanings.split(",") if name.strip()]
    letters = LettersSet("", read_csv(intensities.getvalue(), categories.getvalue(), names))
    st.markdown(f"**{len(letters.letters):,} pictures, {len(letters.classes)} categories**: {_few(letters.classes)}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Letters set", free_letters_name("from the course's files"), key="files_name", width=240)
        st.button(
            "Keep as letters and explore through the network", icon=":material/explore:", type="primary",
            key="files_letters", on_click=attempt, args=(PANEL, _keep, letters, name),
        )  # fmt: skip
        st.button(
            "Explore the 784 intensities themselves", icon=":material/grid_on:", key="files_pixels",
            on_click=_explore_pixels, args=(intensities.name, letters),
        )  # fmt: skip


def _preview(table: Table) -> None:
    st.markdown(" ".join(table.notes))
    few = table.vectors[:PREVIEW, :PREVIEW]
    rows = pd.DataFrame(few, columns=[f"number {i + 1}" for i in range(few.shape[1])])
    if table.labels is not None:
        rows.insert(0, "label", table.labels[:PREVIEW])
    st.dataframe(rows, hide_index=True, width="content", key="files_preview")
    more = table.vectors.shape[1] - PREVIEW
    st.caption("The first rows" + (f", without {more:,} more numbers each." if more > 0 else "."))


def _explore(name: str, table: Table) -> None:
    space = attempt(PANEL, space_of, table, name)
    if space is not None:
        explore(name, space)
        st.session_state[CHANGED] = True


def _explore_pixels(name: str, letters: LettersSet) -> None:
    pictures = [decode_picture(letter.png, name) for letter in letters.letters]
    vectors = np.stack([picture[..., 0].ravel() for picture in pictures]).astype(np.float32)
    _explore(name, Table(vectors, tuple(letter.label for letter in letters.letters), None, ()))


def _keep(letters: LettersSet, name: str) -> None:
    name = as_name(name)
    if free_letters_name(name) != name:
        raise DataError(f"There is a letters set {name!r} already; choose another name.")
    save_letters(LettersSet(name, letters.letters))
    st.session_state[SETS] = [f"letters:{name}"]
    st.session_state[CHANGED] = True


def _few(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:12]) + (f" and {len(classes) - 12} more" if len(classes) > 12 else "")

"""The address carries the view: opened somewhere else, the same network, samples, map and section are shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.networks import list_readers
from pages.components.embedding.scene import SECTION
from pages.components.embedding.view import (
    COLOUR,
    COLOURS,
    DIMENSIONS,
    KIND,
    MIN_DISTANCE,
    NEIGHBOURS,
    PERPLEXITY,
    SEED,
)
from pages.components.keys import NETWORK_PICKER

LAYER, SETS, COUNT = "embedding_layer", "embedding_sets", "embedding_count"  # as choice.py names them: it needs torch
LAST = "embedding_link"  # session state: what the address carried when the page last wrote it
WRONG = "embedding_link_wrong"  # session state: (what of the last link opened cannot be shown, the address since)


@dataclass(frozen=True)
class Part:
    """One thing that an address carries."""

    key: str  # of its widget
    read: Callable[[str], Any]  # raises `ValueError` for what it cannot be


def _one_of(*values: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(f"it is one of: {', '.join(values)}")
        return text

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text[:12]) <= high:
            raise ValueError(f"it is a whole number from {low:,} to {high:,}")
        return int(text)

    return read


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("it is a number from 0 to 1")
    return value


def parts(sections: list[str]) -> dict[str, Part]:
    """Name in the address → what it stands for; layer and sets are judged where they are looked for."""
    return {
        "network": Part(NETWORK_PICKER, _one_of(*(passport.name for passport in list_readers()))),
        "section": Part(SECTION, _one_of(*sections)),
        "samples": Part(COUNT, _whole(1, 70_000)),
        "map": Part(KIND, _one_of("pca", "tsne", "umap")),
        "dimensions": Part(DIMENSIONS, lambda text: int(_one_of("2", "3")(text))),
        "colour": Part(COLOUR, _one_of(*COLOURS)),
        "perplexity": Part(PERPLEXITY, _whole(2, 200)),
        "neighbours": Part(NEIGHBOURS, _whole(2, 200)),
        "distance": Part(MIN_DISTANCE, _share),
        "seed": Part(SEED, _whole(0, 2**31 - 1)),
    }


def follow_link(sections: list[str]) -> None:
    """Before the first widget: what an address that was just opened carries becomes the widgets' state."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    if not given or given == st.session_state.get(LAST):
        return
    wrong = []
    for name, part in parts(sections).items():
        if name not in given:
            continue
        try:
            st.session_state[part.key] = part.read(given[name][-1])
        except ValueError as error:
            wrong.append(f"{name} is {given[name][-1][:40]!r}, but {error}")
    if "layer" in given:
        st.session_state[LAYER] = given["layer"][-1][:100]
    if "sets" in given:
        st.session_state[SETS] = list(dict.fromkeys(text[:300] for text in given["sets"]))[:20]
    st.session_state[WRONG] = wrong, None
    st.session_state[LAST] = given


def report(problem: str) -> None:
    """One more thing that was asked for and cannot be shown; said until the view changes again."""
    wrong, since = st.session_state.get(WRONG, ([], None))
    st.session_state[WRONG] = [*(wrong if since is None else []), problem], None


def write_link(sections: list[str]) -> None:
    """After the choices: the address carries what is shown, and a link's faults are said until the view changes."""
    state = st.session_state
    view = {name: [f"{state[part.key]}"] for name, part in parts(sections).items() if part.key in state}
    view["sets"] = list(state.get(SETS) or [])
    if state.get(LAYER):
        view["layer"] = [state[LAYER]]
    for name in ("perplexity",) * (state.get(KIND) != "tsne") + ("neighbours", "distance") * (
        state.get(KIND) != "umap"
    ):
        view.pop(name, None)
    if state.get(KIND, "pca") == "pca":
        view.pop("seed", None)
    if {name: st.query_params.get_all(name) for name in st.query_params} != view:
        st.query_params.from_dict(view)
    state[LAST] = view
    _say_what_is_wrong(view)


def _say_what_is_wrong(view: dict[str, list[str]]) -> None:
    wrong, since = st.session_state.get(WRONG, ([], None))
    if since is not None and since != view:
        wrong = []
    st.session_state[WRONG] = wrong, view
    if wrong:
        st.warning("Not all that was asked for can be shown: " + "; ".join(wrong) + ".", icon=":material/link_off:")

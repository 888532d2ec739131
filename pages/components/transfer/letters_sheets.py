"""A picture with symbols on it: each that is found gets its label, or is left out, and becomes a letter."""

import hashlib
from collections.abc import Callable

import numpy as np
import streamlit as st

from core.data.pictures import decode_picture
from core.reading import segment, written
from core.report.sample_figures import picture_address
from core.transfer.glyphs import picture_of, png_of
from core.transfer.letters_set import MAX_LABEL, Letter, as_label
from pages.components.markup import plain
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import add

MAX_FOUND = 60  # symbols of one picture that are offered
NINE = 9  # samples of each letter: what the classic course's students drew


def label_field(desk: Desk, key: str) -> str:
    """Shows the field for the letter that comes next; what was typed, and how many of it there are."""
    text = st.text_input(
        "This is a", "α", max_chars=MAX_LABEL, key=key, persist_state="session", width=180,
        help="Any name or sign: α and alpha are the same letter; a word, a symbol or an emoji will do as well.",
    )  # fmt: skip
    label = as_label(text)
    count = desk.letters.counts.get(label, 0)
    more = f"; {NINE - count} more make nine" if 0 < count < NINE else ""
    st.caption(f"{plain(written(label))}: {count} picture{'s' if count != 1 else ''} so far{more}.")
    return label


def offer(
    desk: Desk, content: bytes, name: str, label: str, key: str, after: Callable[[], None] = lambda: None
) -> None:
    """Shows the symbols that are found on a picture file, ready to be added; `after` is done when they were.

    Raises `PictureError` where it is no picture. Adding starts the page over.
    """
    found = symbols_on(content, name)
    if not found:
        st.info("No symbol was found. Write large and dark on empty paper.", icon=":material/search_off:")
        return
    token = hashlib.sha256(content).hexdigest()[:10]
    if len(found) == 1:
        _show(found[0][0])
        labels = [label]
    else:
        labels = _labels_of_each(found, label, f"{key}_{token}")
    taken = tuple(
        Letter(given, png_of(picture), name) for given, (_, picture) in zip(labels, found, strict=True) if given
    )
    if st.button(
        f"Add as {plain(written(label))}" if len(found) == 1 else f"Add {len(taken)} of {len(found)}",
        key=f"{key}_add", type="primary", icon=":material/add:", disabled=not taken, shortcut="Ctrl+Enter",
    ):  # fmt: skip

        def added() -> None:
            st.session_state[f"{key}_added"] = token
            after()

        add(desk, taken, added)


def is_added(content: bytes, key: str) -> bool:
    """Whether this very picture was added last: a cleared sheet sends its old drawing once more."""
    return st.session_state.get(f"{key}_added") == hashlib.sha256(content).hexdigest()[:10]


@st.cache_data(max_entries=12, show_spinner="Looking for symbols")
def symbols_on(content: bytes, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Glyph and picture of its own for each symbol of a picture file, in reading order, `uint8`."""
    found = [s for s in segment(decode_picture(content, name)).segments if s.reason is None]
    return [(np.rint(s.glyph * 255).astype(np.uint8), picture_of(s)) for s in found[:MAX_FOUND]]


def _labels_of_each(found: list[tuple[np.ndarray, np.ndarray]], label: str, key: str) -> list[str]:
    """A field under each symbol; an empty one leaves the symbol out."""
    st.markdown(
        f"**{len(found)} symbols**, in reading order{f', the first {MAX_FOUND}' if len(found) == MAX_FOUND else ''}. "
        "Correct what is something else; empty the field of what shall not be taken."
    )
    labels = []
    with st.grid(min_column_width=84, gap="small", key="letters_found"):
        for number, (glyph, _) in enumerate(found, 1):
            with st.container(gap="xsmall"):
                _show(glyph, f"symbol {number}")
                text = st.text_input(
                    f"Symbol {number}", written(label), max_chars=MAX_LABEL, key=f"{key}_{number}_{label}",
                    label_visibility="collapsed",
                )  # fmt: skip
                labels.append(as_label(text) if text.strip() else "")
    return labels


def _show(glyph: np.ndarray, name: str = "the symbol that was found") -> None:
    st.html(f'<img class="letters-glyph" alt="{name}" src="{picture_address(glyph, 2)}">')

"""The set itself: every letter as both preparations see it; choose, remove, relabel, take back."""

import base64
import html

import numpy as np
import streamlit as st
import torch

from core.networks.base import as_input
from core.reading import written
from core.report.sample_figures import captioned_glyphs, picture_address
from core.training.augment import augment
from core.transfer.glyphs import COURSE, OURS
from core.transfer.letters_set import MAX_LABEL, Letter, as_label
from core.transfer.preparation import glyph_of
from pages.components.figure import show_figure
from pages.components.screen import is_narrow
from pages.components.transfer.desk import Desk
from pages.components.transfer.letters_edit import change, steps_back, telling, undo
from pages.components.transfer.letters_grid import choose, letters_grid

PAGE = 300  # letters that are shown at once
SHOWN = {
    "both": ("Both", (COURSE, OURS)),
    "course": ("The course's", (COURSE,)),
    "ours": ("Inkling's", (OURS,)),
}
PREPARATION_HELP = (
    "What the network gets of each picture, 28×28 pixels. The course's programme makes it grey, scales it by 36/128 "
    "about its middle, crops 28×28 from there and inverts it: it was made for pictures of 133×133 with the letter in "
    "the middle. Inkling looks for the ink, cuts the largest symbol out and places it as MNIST's digits are, whatever "
    "the picture's size and polarity."
)
COPIES = 8  # changed copies of a letter in the preview
PREVIEWED = 6  # letters, at most


@st.fragment
def look(desk: Desk) -> None:
    """All letters by class; what is chosen of them can be changed."""
    if not desk.letters.letters:
        st.info("This set is empty: add letters above. Nine of each are a good start.", icon=":material/draw:")
        return
    with telling():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shown = st.segmented_control(
                "What the network gets", list(SHOWN), default="both", required=True, key="letters_shown",
                format_func=lambda s: SHOWN[s][0], help=PREPARATION_HELP, persist_state="session",
            )  # fmt: skip
            part = _part(desk)
            _undo(desk)
        actions = st.container(key="letters_actions")
        chosen = letters_grid(desk.letters, desk.letters.letters[part], SHOWN[shown][1])
        if shown == "both":
            st.caption(
                "Left: the course's preparation. Right: Inkling's. Point at a letter to see where it comes from."
            )
        with actions:
            _act(desk, chosen)
        letters = [letter for letter in desk.letters.letters if letter.id in chosen]
        if len(letters) == 1:
            _show_one(letters[0])
        _augmentation(desk, letters)


def _part(desk: Desk) -> slice:
    count = len(desk.letters.letters)
    if count <= PAGE:
        return slice(None)
    pages = -(-count // PAGE)
    page = st.number_input(f"Page, 1 to {pages}", 1, pages, key="letters_page", width=150)
    return slice((page - 1) * PAGE, page * PAGE)


def _undo(desk: Desk) -> None:
    if (steps := steps_back(desk)) and st.button(
        "Undo change",
        key="letters_undo",
        icon=":material/undo:",
        help=f"Takes back: {steps[-1][0]}. {len(steps)} in all.",
    ):
        choose(())
        undo(desk)


def _act(desk: Desk, chosen: frozenset[str]) -> None:
    if not chosen:
        st.caption("Tap letters to choose them; then remove them or give them another label. Every change is saved.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = f"{len(chosen)} picture{'s' if len(chosen) != 1 else ''}"
        if st.button(f"Remove {what}", key="letters_remove", icon=":material/delete:"):
            change(desk, desk.letters.without(chosen), f"removed {what}", lambda: choose(()))
        text = st.text_input("They are", max_chars=MAX_LABEL, key="letters_relabel_to", placeholder="β", width=140)
        if st.button("Relabel", key="letters_relabel", icon=":material/label:"):
            label = as_label(text)
            done = f"relabelled {what} as {written(label)}"
            change(desk, desk.letters.relabelled(chosen, label), done, lambda: choose(()))
        if st.button("Choose none", key="letters_choose_none", type="tertiary"):
            choose(())
            st.rerun(scope="fragment")


def _show_one(letter: Letter) -> None:
    """The picture as it came, and what each preparation makes of it."""
    shown = [(_address_of(letter.png), f"as it came: {letter.origin}")]
    for preparation, name in ((COURSE, "the course's"), (OURS, "Inkling's")):
        glyph = glyph_of(letter.png, preparation)
        shown.append(("", f"{name}: no symbol") if glyph is None else (picture_address(glyph), name))
    figures = "".join(
        "<figure>"
        + (f'<img alt="" src="{address}">' if address else "")
        + f"<figcaption>{html.escape(text)}</figcaption>"
        "</figure>"
        for address, text in shown
    )
    st.html(f'<div class="letters-one">{figures}</div>')


def _address_of(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _augmentation(desk: Desk, chosen: list[Letter]) -> None:
    with st.expander("How training changes the letters", icon=":material/auto_awesome:", on_change="rerun") as expander:
        if not expander.open:
            return
        letters = chosen or [next(x for x in desk.letters.letters if x.label == c) for c in desk.letters.classes]
        glyphs = [(letter, glyph) for letter in letters[:PREVIEWED] if (glyph := glyph_of(letter.png)) is not None]
        if not glyphs:
            st.caption("None of these pictures shows a symbol.")
            return
        columns = 5 if is_narrow() else COPIES + 1
        pictures = [picture for _, glyph in glyphs for picture in (glyph, *_copies(glyph, columns - 1))]
        captions = [text for letter, _ in glyphs for text in (written(letter.label), *[""] * (columns - 1))]
        figure = captioned_glyphs(np.stack(pictures), captions, columns, "Letters and changed copies of them")
        show_figure(
            figure, "letters_augmented",
            "The first of each row is the letter; the others are changed as hands and cameras change it: rotation, "
            "slant, size, bends, pen, blur and noise. Training makes new copies all the time. They are never kept in "
            "the set: copies of one letter on both sides of a cross-validation would make it look too good.",
        )  # fmt: skip


def _copies(glyph: np.ndarray, count: int) -> np.ndarray:
    """`(count, 28, 28) uint8`, always the same."""
    batch = as_input(torch.from_numpy(glyph.copy())[None].repeat(count, 1, 1))
    changed = augment(batch, torch.Generator().manual_seed(0))
    return (changed[:, 0] * 255).round().to(torch.uint8).numpy()

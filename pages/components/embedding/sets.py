"""The sets whose samples can be shown: each by an id that a link can carry."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
import torch

from core.data import Samples, load, names
from core.data.registry import PARTS
from core.data.uploads import list_uploads
from core.errors import DataError, InklingError
from core.networks import TrainedNetwork
from core.reading import segment
from core.reading.own_hand import list_own_hand, load_own_hand
from core.reading.picture import decode_picture
from core.transfer.letters_store import list_letters, open_letters
from core.transfer.preparation import letters_of
from pages.components.embedding.imported import ID, imported_name
from pages.components.kept import kept
from pages.components.train.tested import samples_of
from pages.components.transfer.choice import example, examples

if TYPE_CHECKING:
    from core.transfer.letters_set import LettersSet

OWN, DRAWING, HAND = "own", "drawing", "hand"
DATA, LETTERS, EXAMPLE = "data:", "letters:", "example:"
WITHOUT_FILES = ("digits-8x8", "strokes-digits", "strokes-greek")  # embedded: always there
DRAWN = "draw_canvas_drawn"  # as pages/components/canvas.py names it, which can only be imported while the app runs
UNNAMED = "drawn"  # the class of what was drawn on the canvas: nobody said what it is


def offered() -> dict[str, str]:
    """Id → what it is called, the most likely ones first."""
    found = {OWN: "the network's own test set"}
    if (st.session_state.get(DRAWN) or {}).get("strokes"):
        found[DRAWING] = "your drawing"
    if name := imported_name():
        found[ID] = f"imported: {name}"
    if list_own_hand():
        found[HAND] = "your own hand"
    found |= {f"{LETTERS}{name}": f"letters: {name}" for name in list_letters()}
    found |= {f"{EXAMPLE}{name}": name for name in examples()}
    for name in sorted(names(), key=lambda name: name not in WITHOUT_FILES):
        found |= {f"{DATA}{name}:{part}": f"{name}, {part}" for part in reversed(PARTS)}
    for name in list_uploads():
        if name.startswith("folder:"):
            title = name.removeprefix("folder:").rpartition("/")[2]
            found |= {f"{DATA}{name}:{part}": f"uploaded: {title}, {part}" for part in reversed(PARTS)}
    return found


def first_choice(trained: TrainedNetwork) -> tuple[str, str]:
    """The set for a first visit, and, where it is not the network's own test set, a sentence that says why."""
    try:
        samples_of(trained)
        return OWN, ""
    except InklingError as error:
        known = set(trained.passport.classes)
        name = "strokes-greek" if "beta" in known else "digits-8x8"
        return f"{DATA}{name}:test", f"{error} Until then {name} is shown, which needs no files."


def samples_in(set_id: str, trained: TrainedNetwork, count: int | None) -> Samples:
    """The samples of a set, at most `count`, drawn once; letters are never drawn from. Raises `DataError`."""
    if set_id == DRAWING:
        return _drawing()
    if set_id == HAND:
        return _own_hand()
    if set_id.startswith(LETTERS):
        return _letters(open_letters(set_id.removeprefix(LETTERS)))
    if set_id.startswith(EXAMPLE):
        return _letters(example(set_id.removeprefix(EXAMPLE)))
    if set_id == OWN:
        samples = samples_of(trained)
    else:
        name, _, part = set_id.removeprefix(DATA).rpartition(":")
        with st.spinner(f"Loading {name.rpartition('/')[2]} …"):
            samples = load(name, part)
    if samples.is_table:
        raise DataError(f"The samples of {samples.name!r} are rows of a table, not glyphs; choose another set.")
    if count is None or count >= len(samples):
        return samples
    return kept(("drawn samples", samples.sha256, count), lambda: _drawn(samples, count))


def _drawn(samples: Samples, count: int) -> Samples:
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:count]
    return samples.take(order.sort().values)


def _letters(letters: "LettersSet") -> Samples:
    if not letters.letters:
        raise DataError(f"The letters set {letters.name!r} is empty; add letters on Greek Transfer.")
    return replace(letters_of(letters).samples, part="")


def _own_hand() -> Samples:
    samples = load_own_hand()
    if samples is None:
        raise DataError("There are no digits of your own hand any more; write some on Train, Results.")
    return samples


def _drawing() -> Samples:
    """Every symbol on the canvas."""
    png = (st.session_state.get(DRAWN) or {}).get("png")
    found = (
        [] if png is None else [s.glyph for s in segment(decode_picture(png, "The drawing")).segments if not s.reason]
    )
    if not found:
        raise DataError(
            "Nothing can be read in your drawing; draw a symbol large on the Draw page, or here on the map."
        )
    images = torch.from_numpy(np.rint(np.stack(found) * 255).astype(np.uint8))
    return Samples("your drawing", "", images, torch.zeros(len(found), dtype=torch.int64), (UNNAMED,))

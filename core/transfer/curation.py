"""Chosen samples of a space put right: relabelled, removed, sent to a letters set; every step can be undone.

Letters of the store are really changed; of data sets, which belong to others, a list of corrections is kept.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.data import names
from core.data.registry import PARTS, READERS
from core.embedding.corrections import Correction, correct, glyph_id, restore_corrections
from core.embedding.space import Space
from core.errors import DataError
from core.transfer.letters_set import Letter, LettersSet, as_label
from core.transfer.letters_store import as_name, delete_letters, is_taken, list_letters, open_letters, save_letters
from core.transfer.preparation import PREPARATIONS, glyph_of, png_of

DATASET, LETTERS, OTHER = "data set", "letters", "other"


@dataclass(frozen=True)
class Source:
    """Where the samples of one of a space's sets come from."""

    kind: str  # DATASET, LETTERS or OTHER, whose samples can only be sent to a letters set
    name: str
    part: str = ""


@dataclass(frozen=True)
class Change:
    """What was done, and what is needed to undo it."""

    said: str  # a sentence
    letters: tuple[LettersSet, ...] = ()  # as they were before
    created: tuple[str, ...] = ()  # letters sets that were not there before
    corrections: tuple[Correction, ...] | None = None  # the whole list, as it was; None: it was not touched


def source_of(set_name: str) -> Source:
    """Where a set of a space comes from: `Space.set_names` holds its samples' name, and of data sets their part."""
    plain = re.sub(r" \(\d+\)$", "", set_name)  # the second of the same name
    name, _, part = plain.rpartition(" ")
    kinds = tuple(form.split(":")[0] + ":" for form in READERS)
    if part in PARTS and (name in names() or name.startswith(kinds)):
        return Source(DATASET, name, part)
    return next(
        (Source(LETTERS, known) for known in (set_name, plain) if known in list_letters()), Source(OTHER, plain)
    )


def datasets_of(space: Space) -> list[str | None]:
    """The data set of each set of the space; None where it is none."""
    found = [source_of(name) for name in space.set_names]
    return [source.name if source.kind == DATASET else None for source in found]


def relabel(space: Space, chosen: Sequence[int], label: str) -> Change:
    """Gives the chosen samples this label; raises `DataError` where nothing of them can be changed."""
    label = as_label(label)
    return _change(space, chosen, label, lambda letters, ids: letters.relabelled(ids, label), f"now called {label!r}")


def remove(space: Space, chosen: Sequence[int]) -> Change:
    """Takes the chosen samples out; raises `DataError` where nothing of them can be changed."""
    return _change(space, chosen, None, lambda letters, ids: letters.without(ids), "removed")


def send(space: Space, chosen: Sequence[int], name: str) -> Change:
    """Copies the chosen glyphs under their labels to a letters set, which is made where there is none."""
    _expect_some(chosen)
    name = as_name(name)
    fresh = not is_taken(name)
    before = LettersSet(name) if fresh else open_letters(name)
    new = tuple(
        Letter(
            as_label(space.classes[space.labels[i]]), png_of(space.glyphs[i]), f"{space.set_names[space.sets[i]]} {i}"
        )
        for i in chosen
        if space.glyphs[i].any()
    )
    if not new:
        raise DataError("None of the chosen samples has a picture, so there is no letter to send.")
    after = before.with_letters(new)
    save_letters(after)
    added = len(after.letters) - len(before.letters)
    known = "" if added == len(chosen) else f"; {len(chosen) - added} were there already or have no picture"
    said = f"{_many(added)} sent to {name!r}{known}."
    return Change(said, () if fresh else (before,), (name,) if fresh else ())


def undo(change: Change) -> None:
    """Puts everything back as it was before the change."""
    for letters in change.letters:
        save_letters(letters)
    for name in change.created:
        delete_letters(name)
    if change.corrections is not None:
        restore_corrections(change.corrections)


def letters_among(space: Space, chosen: Sequence[int], letters: LettersSet) -> frozenset[str]:
    """The ids of the set's letters that the chosen samples are: of the same label, and of the same glyph."""
    wanted = {(space.classes[space.labels[i]], glyph_id(space.glyphs[i])) for i in chosen}
    ids = set()
    for letter in letters.letters:
        for preparation in PREPARATIONS:
            glyph = glyph_of(letter.png, preparation)
            if glyph is not None and (letter.label, glyph_id(glyph)) in wanted:
                ids.add(letter.id)
    return frozenset(ids)


def _change(
    space: Space,
    chosen: Sequence[int],
    label: str | None,
    edit: Callable[[LettersSet, frozenset[str]], LettersSet],
    done: str,
) -> Change:
    _expect_some(chosen)
    edits: list[tuple[LettersSet, LettersSet]] = []  # all is found out before anything is written
    corrections: list[Correction] = []
    untouched = {}
    for number in np.unique(space.sets[list(chosen)]).tolist():
        source, own = source_of(space.set_names[number]), [i for i in chosen if space.sets[i] == number]
        if source.kind == DATASET:
            corrections += [
                Correction(source.name, glyph_id(space.glyphs[i]), space.classes[space.labels[i]], label) for i in own
            ]
        elif source.kind == LETTERS:
            before = open_letters(source.name)
            ids = letters_among(space, own, before)
            if not ids:
                raise DataError(f"{source.name!r} has changed since this space was made; open the page anew.")
            edits.append((before, edit(before, ids)))
        else:
            untouched[source.name] = len(own)
    kept_nowhere = f"The samples of {', '.join(untouched)} are kept nowhere"
    if not corrections and not edits:
        raise DataError(f"{kept_nowhere}, so they cannot be changed; send them to a letters set, where they can.")
    for _, after in edits:
        save_letters(after)
    stood = correct(corrections) if corrections else None
    rest = f" {kept_nowhere} and stay as they are." if untouched else ""
    count = len(chosen) - sum(untouched.values())
    return Change(f"{_many(count)} {done}.{rest}", tuple(before for before, _ in edits), (), stood)


def _expect_some(chosen: Sequence[int]) -> None:
    if not len(chosen):
        raise DataError("No sample is chosen; choose some first.")


def _many(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"

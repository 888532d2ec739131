"""Letters sets: labelled pictures of symbols to teach."""

import hashlib
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property

from core.errors import DataError
from core.reading.types import GREEK

MAX_LETTERS = 5_000  # of a set: teaching from a handful; more belongs into a data set (Train, upload)
MAX_CLASSES = 200
MAX_LABEL = 40  # characters
NAMES = {sign: name for name, sign in GREEK.items()} | {"ς": "sigma"}  # α → alpha, as data and networks call it


@dataclass(frozen=True)
class Letter:
    """A picture of one symbol and what it is. A picture of 28×28 on black is a glyph already and stays as it is."""

    label: str
    png: bytes
    origin: str  # where it comes from, for people: a file's name, "canvas", "camera"

    @cached_property
    def id(self) -> str:
        """The same picture under the same label has the same id."""
        return hashlib.sha256(self.label.encode() + b"\0" + self.png).hexdigest()[:16]


@dataclass(frozen=True)
class LettersSet:
    """Letters under one name; every change makes a new set."""

    name: str
    letters: tuple[Letter, ...] = ()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order in which they first came."""
        return tuple(dict.fromkeys(letter.label for letter in self.letters))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many letters there are of each class, in the classes' order."""
        return {label: sum(letter.label == label for letter in self.letters) for label in self.classes}

    def with_letters(self, letters: tuple[Letter, ...]) -> "LettersSet":
        """These besides; a picture that is there already under that label is not taken twice."""
        return replace(self, letters=tuple({letter.id: letter for letter in self.letters + letters}.values()))

    def without(self, ids: frozenset[str]) -> "LettersSet":
        return replace(self, letters=tuple(letter for letter in self.letters if letter.id not in ids))

    def relabelled(self, ids: frozenset[str], label: str) -> "LettersSet":
        changed = (replace(letter, label=label) if letter.id in ids else letter for letter in self.letters)
        return replace(self, letters=()).with_letters(tuple(changed))


def plain_text(text: str, what: str, longest: int) -> str:
    """What somebody typed, without spaces round it, in Unicode's composed form; raises `DataError` for no name."""
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    if not plain:
        raise DataError(f"{what} is empty; give it one, such as {'alpha' if what == 'The label' else 'my-letters'}.")
    if len(plain) > longest:
        raise DataError(f"{what} has {len(plain):,} characters; at most {longest} are possible.")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in plain):
        raise DataError(f"{what} holds characters that cannot be shown ({plain!r}); leave them out.")
    return plain


def as_label(text: str) -> str:
    """What somebody typed as a class's name: a small Greek letter by its English name; raises `DataError` for none."""
    plain = plain_text(text, "The label", MAX_LABEL)
    return NAMES.get(plain, plain.lower() if plain.lower() in GREEK else plain)


def check_size(letters: LettersSet) -> None:
    """Raises `DataError` where a set is larger than sets may be."""
    if len(letters.letters) > MAX_LETTERS:
        raise DataError(
            f"A letters set holds at most {MAX_LETTERS:,} pictures, not {len(letters.letters):,}; take fewer, or train "
            "on them as a data set (Train, Upload)."
        )
    if len(letters.classes) > MAX_CLASSES:
        raise DataError(f"A letters set holds at most {MAX_CLASSES} different letters, not {len(letters.classes):,}.")

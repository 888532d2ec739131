"""Letters sets: labelled pictures of symbols to teach."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property


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

    def with_letters(self, letters: tuple[Letter, ...]) -> "LettersSet":
        """These besides; a picture that is there already under that label is not taken twice."""
        return replace(self, letters=tuple({letter.id: letter for letter in self.letters + letters}.values()))

    def without(self, ids: frozenset[str]) -> "LettersSet":
        return replace(self, letters=tuple(letter for letter in self.letters if letter.id not in ids))

    def relabelled(self, ids: frozenset[str], label: str) -> "LettersSet":
        changed = (replace(letter, label=label) if letter.id in ids else letter for letter in self.letters)
        return replace(self, letters=()).with_letters(tuple(changed))

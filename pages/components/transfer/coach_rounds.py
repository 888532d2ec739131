"""The rounds of the coach in this session: each a letters set that was taught and measured, and what it gained."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.networks import open_network
from core.reading import written
from pages.components.caches import fingerprint
from pages.components.transfer.desk import Desk

if TYPE_CHECKING:
    from core.transfer.attempt import Attempt
    from core.transfer.coach import Gain

ROUNDS = "coach_rounds_so_far"
MOST = 40  # rounds that are remembered: each holds a network


@dataclass(frozen=True, eq=False)
class Round:
    number: int  # from 1
    key: tuple[str, ...]  # of the network, the method and the letters
    pictures: frozenset[str]
    attempt: "Attempt"
    added: str  # what was drawn since the round before; empty for the first
    gain: "Gain | None"  # over the round before; None where nothing could be measured


def known_rounds(desk: Desk, method: str) -> list[Round]:
    """The rounds up to the one of these letters, if it is among them: after an undo those behind it are dropped."""
    rounds: list[Round] = st.session_state.setdefault(ROUNDS, [])
    key = _key(desk, method)
    for position, one in enumerate(rounds):
        if one.key == key:
            del rounds[position + 1 :]
            return rounds
    return []


def rounds_with(desk: Desk, method: str, found: "Attempt") -> list[Round]:
    """The rounds with this one; they begin anew where letters were taken out, or with another network or method."""
    from core.transfer.coach import gain

    rounds: list[Round] = st.session_state.setdefault(ROUNDS, [])
    key, pictures = _key(desk, method), frozenset(letter.id for letter in desk.letters.letters)
    last = rounds[-1] if rounds else None
    if last is None or last.key[:3] != key[:3] or not last.pictures < pictures:
        rounds[:] = [Round(1, key, pictures, found, "", None)]
        return rounds
    measured = last.attempt.validation is not None and found.validation is not None
    rounds.append(
        Round(
            last.number + 1, key, pictures, found, _added(desk, pictures - last.pictures),
            gain(last.attempt, found) if measured else None,
        )
    )  # fmt: skip
    del rounds[:-MOST]
    return rounds


def _key(desk: Desk, method: str) -> tuple[str, ...]:
    ids = sorted(letter.id for letter in desk.letters.letters)
    return (desk.source, fingerprint(open_network(desk.source).passport), method, *ids)


def _added(desk: Desk, new: frozenset[str]) -> str:
    counts = Counter(letter.label for letter in desk.letters.letters if letter.id in new)
    return ", ".join(f"{count} × {written(label)}" for label, count in counts.items())

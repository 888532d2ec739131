"""A drawing as it grows, stroke by stroke, and where each state of it lies in a space and on its map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.embedding.maps import Map, closest
from core.embedding.space import Space, embed_glyphs
from core.inspection.strokes import Stroke, cut, draw_strokes, read_drawings
from core.inspection.subject import Subject

VOTERS = 15  # nearest samples whose classes are told


@dataclass(frozen=True, eq=False)
class State:
    """One moment of a drawing."""

    strokes: tuple[Stroke, ...]  # as far as they were drawn
    glyph: np.ndarray  # (28, 28) float32 in [0, 1], as the network gets it
    place: np.ndarray  # (2 or 3,) float32 on the map
    nearest: np.ndarray  # (VOTERS,) samples of the space, the nearest first
    shares: tuple[tuple[str, float], ...]  # classes of these, the most frequent first, and their share in [0, 1]
    answer: tuple[str, float]  # what the network reads, with its probability


def unfinished(strokes: Sequence[Stroke]) -> list[tuple[Stroke, ...]]:
    """The drawing after each fifth of each stroke: the canvas tells of a stroke when the pen is lifted."""
    states: list[tuple[Stroke, ...]] = []
    for position, stroke in enumerate(strokes):
        before = tuple(strokes[:position])
        pieces = cut(stroke)
        for end in range(1, len(pieces) + 1):
            points = np.concatenate([pieces[0].points[:1], *(piece.points[1:] for piece in pieces[:end])])
            states.append((*before, stroke if end == len(pieces) else Stroke(points, stroke.width)))
    return states


def follow(
    subject: Subject,
    layer: str | None,
    space: Space,
    shown: Map,
    drawings: Sequence[tuple[Stroke, ...]],
    size_wh: tuple[int, int],
) -> list[State]:
    """Where each drawing, on a sheet of that size, lies; what shows no symbol yet is left out."""
    answers = read_drawings(subject, [draw_strokes(drawing, size_wh) for drawing in drawings])
    there = [(d, a) for d, a in zip(drawings, answers, strict=True) if a.glyph is not None]
    if not there:
        return []
    glyphs = np.stack([answer.glyph for _, answer in there if answer.glyph is not None])
    rows = embed_glyphs(subject, layer, torch.from_numpy(glyphs), space.reduction)
    neighbours = closest(space.embeddings, rows, VOTERS)
    places = shown.place(space.embeddings, rows)
    found = []
    for (drawing, answer), glyph, place, near in zip(there, glyphs, places, neighbours, strict=True):
        assert answer.probabilities is not None
        assert answer.best is not None
        best = (subject.classes[answer.best], float(answer.probabilities[answer.best]))
        found.append(State(drawing, glyph, place, near, _shares(space, near), best))
    return found


def _shares(space: Space, near: np.ndarray) -> tuple[tuple[str, float], ...]:
    counts = np.bincount(space.labels[near], minlength=len(space.classes))
    order = np.argsort(-counts, kind="stable")
    return tuple((space.classes[i], float(counts[i] / len(near))) for i in order if counts[i])

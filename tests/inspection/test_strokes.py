"""A drawing taken apart: drawn again as the canvas draws it, stroke by stroke, whatever the canvas sends."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import PictureError
from core.inspection.strokes import (
    PIECES,
    Stroke,
    cut,
    dissect,
    draw_strokes,
    read_strokes,
    strokes_within,
)
from core.inspection.subject import open_subject
from core.networks import open_network
from core.reading import segment
from tests.inspection.fresh_subjects import fresh, is_untouched, state_of

DRAWN = Path(__file__).parent / "drawn_five.json"  # two strokes, as the canvas gave them in Chromium,
PNG = Path(__file__).parent / "drawn_five.png"  # and its own picture of them


@pytest.fixture
def objects():
    return json.loads(DRAWN.read_text("utf-8"))


@pytest.fixture(scope="module")
def reader():
    return open_subject(open_network("digits"))


def line(*points, width=18.0, **more):
    (x, y), *rest = points
    path = [["M", x, y], *(["L", a, b] for a, b in rest)]
    return {"type": "Path", "path": path, "strokeWidth": width} | more


def test_drawn_again_as_the_canvas_draws(objects):
    canvas = cv2.imread(str(PNG), cv2.IMREAD_GRAYSCALE).astype(float)
    own = draw_strokes(read_strokes(objects), canvas.shape[::-1]).astype(float)
    difference = np.abs(own - canvas)
    assert difference.mean() < 0.2  # of 255 grey levels
    assert (difference > 64).sum() < 40  # pixels, all of them on the strokes' edges
    assert abs(int((own < 128).sum()) - int((canvas < 128).sum())) < 0.02 * (canvas < 128).sum()
    theirs, ours = (segment(np.dstack([p.astype(np.uint8)] * 3)).segments[0].glyph for p in (canvas, own))
    assert np.abs(theirs - ours).max() < 0.1


def test_a_curve_passes_where_its_equation_says():
    (stroke,) = read_strokes([{"type": "Path", "path": [["M", 0, 0], ["Q", 10, 20, 20, 0]], "strokeWidth": 2}])
    t = np.linspace(0, 1, 9)
    np.testing.assert_allclose(stroke.points, np.column_stack([20 * t, 40 * t * (1 - t)]), atol=1e-9)
    (cubic,) = read_strokes([{"type": "path", "path": [["M", 0, 0], ["C", 0, 9, 9, 9, 9, 0]], "strokeWidth": 2}])
    np.testing.assert_allclose(cubic.points[4], [4.5, 6.75])


def test_a_stroke_is_round_and_as_wide_as_the_pen():
    picture = draw_strokes([Stroke(np.array([[40.0, 30], [80, 30]]), 18)], (120, 60))
    ink = (255 - picture.astype(float)) / (255 - 24)
    assert ink.sum() == pytest.approx(40 * 18 + np.pi * 81, rel=0.02)
    assert ink[:, 60].sum() == pytest.approx(18, abs=0.5)
    assert ink[22, 32] < 0.2  # outside the round end
    dot = draw_strokes([Stroke(np.array([[50.0, 30]]), 18)], (120, 60))
    assert ((255 - dot.astype(float)) / 231).sum() == pytest.approx(np.pi * 81, rel=0.04)
    outside = draw_strokes([Stroke(np.array([[-90.0, -90], [-60, -60]]), 18)], (120, 60))
    assert (outside == 255).all()


@pytest.mark.parametrize(
    "broken",
    [
        None, 7, "Path", [], {}, {"type": "Path"}, {"type": "Rect", "path": [["M", 1, 1]], "strokeWidth": 3},
        {"type": "Path", "path": None, "strokeWidth": 3}, {"type": "Path", "path": [], "strokeWidth": 3},
        {"type": "Path", "path": [["M", 1]], "strokeWidth": 3}, {"type": "Path", "path": [["Z"]], "strokeWidth": 3},
        {"type": "Path", "path": [["Q", 1, 1, 2, 2]], "strokeWidth": 3},
        {"type": "Path", "path": [[]], "strokeWidth": 3},
        {"type": "Path", "path": [["M", "1", 2]], "strokeWidth": 3}, {"type": "Path", "path": ["M"], "strokeWidth": 3},
        {"type": "Path", "path": [["M", float("nan"), 2]], "strokeWidth": 3}, line((1, 1), (1e9, 1)),
        line((1, 1), (2, 2), width=None), line((1, 1), (2, 2), width=0), line((1, 1), (2, 2), width=float("inf")),
        line((1, 1), (2, 2), width=True), {"type": 3, "path": [["M", 1, 1]], "strokeWidth": 3},
    ],
)  # fmt: skip
def test_what_is_no_stroke_is_left_out(broken, objects):
    assert len(read_strokes([broken])) == 0
    assert len(read_strokes([objects[0], broken, objects[1]])) == 2
    assert strokes_within([broken], [(0, 0, 600, 372)], 0) == ()


def test_without_its_body_a_five_is_no_five(reader, objects):
    state = state_of(reader)
    found = dissect(reader, read_strokes(objects))
    assert not found.pieces
    assert found.whole.best == 5
    assert [len(part.others) for part in found.parts] == [1, 1]
    assert found.most_important == 0
    assert found.parts[0].without.best != 5
    assert found.loss(found.parts[0]) > 0.5 > found.loss(found.parts[1])
    assert is_untouched(reader, state)
    # What is left without the first of two strokes is the second alone, and the other way round.
    np.testing.assert_array_equal(found.parts[0].without.glyph, found.parts[1].alone.glyph)
    np.testing.assert_array_equal(found.parts[1].without.glyph, found.parts[0].alone.glyph)


def test_the_answers_are_the_networks_own(reader, objects):
    found = dissect(reader, read_strokes(objects))
    for answer in (found.whole, found.parts[0].without, found.parts[1].alone):
        (only,) = segment(np.dstack([answer.picture] * 3)).segments
        np.testing.assert_array_equal(answer.glyph, only.glyph)
        with torch.no_grad():
            expected = (reader.module.logits(torch.from_numpy(only.glyph)[None, None]) / reader.temperature).softmax(1)
        np.testing.assert_allclose(answer.probabilities, expected[0].numpy(), atol=1e-6)
    part = found.parts[1]
    before, after = found.whole.probabilities[5], part.without.probabilities[5]
    assert found.loss(part) == pytest.approx(float(before - after))


def test_a_single_stroke_is_cut_into_equal_pieces(reader):
    t = np.linspace(0, 2 * np.pi, 60)
    circle = Stroke(np.column_stack([150 + 60 * np.sin(t), 150 - 100 * np.cos(t)]), 18)
    pieces = cut(circle)
    assert len(pieces) == PIECES
    assert sum(piece.length for piece in pieces) == pytest.approx(circle.length, rel=1e-6)
    assert [piece.length for piece in pieces] == pytest.approx([circle.length / PIECES] * PIECES, rel=0.01)
    for one, following in pairwise(pieces):
        np.testing.assert_allclose(one.points[-1], following.points[0])
    found = dissect(reader, [circle])
    assert found.pieces
    assert found.whole.best == 0
    assert len(found.parts) == PIECES
    assert found.loss(found.parts[found.most_important]) == max(found.loss(part) for part in found.parts)


def test_taking_all_ink_away_costs_everything(reader):
    dot, bar = Stroke(np.array([[300.0, 300]]), 18), Stroke(np.array([[100.0, 40], [100, 240]]), 18)
    assert cut(dot) == (dot,)
    found = dissect(reader, [bar, dot])
    lone = next(part for part in found.parts if part.strokes[0].length > 0)
    assert found.whole.best == 1
    if lone.without.best is None:
        assert found.loss(lone) == pytest.approx(float(found.whole.probabilities[1]))
    with pytest.raises(PictureError, match="Nothing can be read in the drawing"):
        dissect(reader, [dot])


def test_any_network_that_reads_glyphs_takes_part(objects):
    found = dissect(fresh("vit"), read_strokes(objects))
    assert found.whole.probabilities.shape == (10,)
    assert np.isfinite([found.loss(part) for part in found.parts]).all()


def test_nothing_to_take_apart_is_said(reader):
    with pytest.raises(PictureError, match="no strokes that could be taken away; draw a symbol"):
        dissect(reader, [])


def test_each_symbol_gets_its_own_strokes():
    seven, bar, one = line((90, 70), (150, 70), (120, 290)), line((90, 180), (150, 180)), line((420, 70), (420, 290))
    boxes = [(80, 60, 80, 240), (410, 60, 20, 240)]
    assert strokes_within([seven, one, bar], boxes, 0) == (seven, bar)
    assert strokes_within([seven, one, bar], boxes, 1) == (one,)
    assert strokes_within([line((5, 5), (6, 6))], boxes, 0) == ()

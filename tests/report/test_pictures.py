"""Boxes on pictures: where the reading is, told apart without colour."""

import numpy as np

from core.reading import Reading
from core.report.pictures import boxes_picture

NOTHING = np.zeros((28, 28), np.float32)


def a_reading(box: tuple[int, int, int, int], reason: str | None = None) -> Reading:
    return Reading(None if reason else "7", 0.9, box, 0, NOTHING, np.full(10, 0.1, np.float32), reason)


def drawn(picture: np.ndarray) -> np.ndarray:
    return (picture != 255).any(axis=2)


def test_a_box_is_drawn_around_its_symbol_and_the_picture_stays_as_it_was():
    paper = np.full((200, 300, 3), 255, np.uint8)
    picture = boxes_picture(paper, [a_reading((50, 40, 100, 80))])
    assert (paper == 255).all()
    ys, xs = np.nonzero(drawn(picture))
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (50, 40, 150, 120)
    assert not drawn(picture)[60:100, 70:130].any()


def test_boxes_follow_a_picture_that_is_shown_smaller():
    picture = boxes_picture(np.full((100, 150, 3), 255, np.uint8), [a_reading((50, 40, 100, 80))], scale=0.5)
    ys, xs = np.nonzero(drawn(picture))
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (25, 20, 75, 60)


def test_a_refused_mark_has_a_broken_line():
    paper = np.full((200, 300, 3), 255, np.uint8)
    whole = drawn(boxes_picture(paper, [a_reading((50, 40, 100, 80))]))[40, 50:150]
    broken = drawn(boxes_picture(paper, [a_reading((50, 40, 100, 80), "not like any class")]))[40, 50:150]
    assert whole.all()
    assert 0.3 < broken.mean() < 0.8

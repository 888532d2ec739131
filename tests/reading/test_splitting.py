"""Touching symbols: the cuts proposed, and the recognizer that decides."""

import cv2
import numpy as np
import pytest

from core.reading import Recognizer, segment
from core.reading.recognizer import NOT_LIKE_ANY
from core.reading.splitting import cuts
from core.reading.types import Segment


class Passport:
    classes = ("ring",)
    temperature = 1.0
    refusal_threshold = 0.0
    reads_glyphs = True


class RingNetwork:
    """Accepts what has one hole, and only one."""

    passport = Passport()

    def logits(self, glyphs):
        return np.array([[5.0 if holes(glyph) == 1 else -1.0] for glyph in glyphs], np.float32)


def holes(glyph):
    _, tree = cv2.findContours((glyph > 0.4).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0:2]
    return 0 if tree is None else int((tree.reshape(-1, 4)[:, 3] >= 0).sum())


def rings(*centres):
    picture = np.full((200, 360), 220, np.uint8)
    for x in centres:
        cv2.ellipse(picture, (x, 100), (34, 50), 0, 0, 360, 30, 8, cv2.LINE_AA)
    return picture


def test_touching_rings_are_read_as_two():
    found = segment(rings(120, 192))
    assert len(found.segments) == 1
    readings = Recognizer(RingNetwork()).read_segments(found.segments)
    assert [r.label for r in readings] == ["ring", "ring"]
    left, right = (r.box for r in readings)
    assert left[0] + left[2] == pytest.approx(156, abs=8)
    assert right[0] == pytest.approx(156, abs=8)
    x, y, w, h = found.segments[0].box
    for box in (left, right):
        assert x <= box[0]
        assert box[0] + box[2] <= x + w
        assert y <= box[1]
        assert box[1] + box[3] <= y + h


def test_what_is_accepted_whole_is_never_cut():
    found = segment(rings(120, 230))
    assert [r.label for r in Recognizer(RingNetwork()).read_segments(found.segments)] == ["ring", "ring"]
    assert [r.box for r in Recognizer(RingNetwork()).read_segments(found.segments)] == [s.box for s in found.segments]


def test_what_no_cut_makes_two_symbols_stays_refused():
    picture = np.full((200, 360), 220, np.uint8)
    cv2.polylines(picture, [np.int32([(100, 60), (160, 140), (220, 60), (280, 140)])], False, 30, 8)
    readings = Recognizer(RingNetwork()).read_segments(segment(picture).segments)
    assert [r.reason for r in readings] == [NOT_LIKE_ANY]


def test_narrow_segments_and_those_without_ink_have_no_cuts():
    [narrow] = segment(rings(120)).segments
    assert cuts(narrow) == []
    assert cuts(Segment((0, 0, 9, 5), np.zeros((28, 28), np.float32), 0, 1.0)) == []

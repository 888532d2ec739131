"""A recognizer that remembers answers as the network would, and asks it less."""

import numpy as np
import pytest

from core.data.strokes import draw_glyphs
from core.reading import Recognizer, open_recognizer
from core.reading.recall import REMEMBERED, RecallingRecognizer

GLYPHS = draw_glyphs([*"0123456789"], 0).astype(np.float32) / 255


class Counting(Recognizer):
    """Counts the glyphs that its network is asked about."""

    asked = 0

    def classify(self, glyphs):
        self.asked += len(glyphs)
        return super().classify(glyphs)


@pytest.fixture
def counting():
    return Counting(open_recognizer("digits").network)


def test_the_same_glyphs_are_asked_about_once_and_answered_alike(counting):
    recalling = RecallingRecognizer(counting)
    direct = open_recognizer("digits").classify(GLYPHS)
    rng = np.random.default_rng(0)
    for _ in range(5):
        noisy = np.clip(GLYPHS + rng.normal(0, 0.004, GLYPHS.shape), 0, 1).astype(np.float32)
        probabilities, scores = recalling.classify(noisy)
        assert np.allclose(probabilities, direct[0], atol=0.02)
        assert np.allclose(scores, direct[1], atol=0.6)
    assert counting.asked == len(GLYPHS)


def test_a_glyph_that_changes_little_by_little_is_asked_about_again(counting):
    recalling = RecallingRecognizer(counting)
    for share in np.linspace(0, 1, 60):
        between = ((1 - share) * GLYPHS[1] + share * GLYPHS[8])[None].astype(np.float32)
        probabilities, _ = recalling.classify(between)
    assert 3 < counting.asked < 60
    assert probabilities.argmax() == 8


def test_other_glyphs_in_other_places_and_any_number(counting):
    recalling = RecallingRecognizer(counting)
    recalling.classify(GLYPHS[:4])
    mixed = recalling.classify(GLYPHS[[7, 2, 9, 0]])[0]
    assert mixed.argmax(axis=1).tolist() == [7, 2, 9, 0]
    assert counting.asked == 6
    many = np.repeat(GLYPHS, REMEMBERED // 10 + 1, axis=0)
    assert recalling.classify(many)[0].shape == (len(many), 10)
    assert recalling.classify(GLYPHS[:0])[0].shape == (0, 10)
    for seed in range(10):  # more glyphs than are remembered: the oldest are forgotten, nothing grows
        recalling.classify(draw_glyphs([*"0123456789"], seed).astype(np.float32) / 255)
    assert len(recalling._looks) == REMEMBERED


def test_an_empty_glyph_is_asked_about(counting):
    RecallingRecognizer(counting).classify(np.zeros((1, 28, 28), np.float32))
    assert counting.asked == 1

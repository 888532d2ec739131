"""The glyph against MNIST's rules, and against MNIST itself."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reading.glyph import LONGEST_SIDE, normalise


def centre_of_mass(glyph):
    ys, xs = np.indices(glyph.shape)
    return float((xs * glyph).sum() / glyph.sum()), float((ys * glyph).sum() / glyph.sum())


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    stroke=st.one_of(st.none(), st.floats(0.5, 40)),
    seed=st.integers(0, 99),
)
def test_range_and_centre_of_mass(width, height, stroke, seed):
    ink = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    glyph = normalise(ink, stroke)
    assert glyph.shape == (28, 28)
    assert glyph.dtype == np.float32
    assert 0 <= glyph.min() <= glyph.max() <= 1
    if LONGEST_SIDE * min(width, height) >= max(width, height):  # thinner than a pixel is drawn a pixel wide
        assert np.abs(np.subtract(centre_of_mass(glyph), 14)).max() <= 0.51


@pytest.mark.parametrize("shape", [(100, 40), (40, 100), (9, 5), (1000, 1000)])
def test_the_longest_side_is_twenty(shape):
    glyph = normalise(np.ones(shape, np.float32))
    rows, columns = np.flatnonzero(glyph.max(1) > 0.5), np.flatnonzero(glyph.max(0) > 0.5)
    assert max(len(rows), len(columns)) == LONGEST_SIDE


def test_no_ink_gives_an_empty_glyph():
    assert not normalise(np.zeros((10, 12), np.float32)).any()


@pytest.mark.parametrize("side", [100, 400, 2000])
def test_a_hair_line_stays_bright(side):
    ink = np.zeros((side, side), np.float32)
    cv2.circle(ink, (side // 2, side // 2), side // 2 - 2, 1.0, 1)
    assert normalise(ink, 1.0).max() > 0.75
    assert normalise(ink).max() < (1.0 if side == 100 else 0.5), "without the stroke's width it fades"


def test_mnist_comes_back_as_it_is(data_or_skip):
    """Cut out and normalised again, MNIST's own digits hardly change: the rules are the same."""
    data_or_skip("MNIST/raw")
    from core.data import load

    digits = load("mnist", "test").images[:200].numpy().astype(np.float32) / 255
    differences = []
    for digit in digits:
        ys, xs = np.nonzero(digit)
        again = normalise(digit[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1])
        differences.append(np.abs(again - digit).mean())
    assert np.median(differences) < 0.01

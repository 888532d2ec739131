"""Whatever the array: segmentation answers, and what it answers holds together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.reading import Segmentation, SegmentOptions, segment

SIDE = st.integers(0, 40)


def assert_sound(found: Segmentation, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    assert found.size_wh == (width, height)
    for s in found.segments:
        x, y, w, h = s.box
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert s.glyph.shape == (28, 28)
        assert s.glyph.dtype == np.float32
        assert s.glyph.min() >= 0
        assert s.glyph.max() <= 1
        assert s.glyph.sum() > 0
        assert 0 <= s.contrast <= 1
    assert [s.row for s in found.segments] == sorted(s.row for s in found.segments)
    for a, b in zip(found.segments, found.segments[1:], strict=False):
        assert a.row < b.row or a.box[0] <= b.box[0]


@settings(max_examples=60, deadline=None)
@given(
    image=st.one_of(
        arrays(np.uint8, st.tuples(SIDE, SIDE), elements=st.integers(0, 255)),
        arrays(np.uint8, st.tuples(SIDE, SIDE, st.just(3)), elements=st.integers(0, 255)),
        arrays(np.uint8, st.tuples(SIDE, SIDE), elements=st.sampled_from([0, 255]), fill=st.just(255)),
    ),
    method=st.sampled_from(["adaptive", "otsu", "fixed"]),
)
def test_any_array(image, method):
    assert_sound(segment(image, SegmentOptions(method=method)), image)


@pytest.mark.parametrize("shape", [(0, 0), (0, 7), (1, 1), (1, 500), (500, 1), (2, 3000), (1, 1, 3), (0, 5, 3)])
@pytest.mark.parametrize("tone", [0, 128, 255])
def test_flat_arrays_hold_no_symbols(shape, tone):
    found = segment(np.full(shape, tone, np.uint8), SegmentOptions(keep_stages=True))
    assert found.segments == ()


@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 3)])
def test_pure_noise(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert_sound(segment(image), image)


def test_the_image_is_left_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    before = image.copy()
    segment(image)
    assert np.array_equal(image, before)


def test_views_that_are_not_contiguous():
    image = np.full((200, 200, 3), 220, np.uint8)
    image[60:140, 90:104] = 30
    mirrored = image[:, ::-1, ::-1]
    assert len(segment(mirrored).segments) == 1

"""Figures of samples: the glyphs themselves, pixel by pixel, and wrong answers that can be told without colour."""

import base64

import cv2
import numpy as np
import torch

from core.data import Samples
from core.report.sample_figures import class_counts, first_samples, glyph_grid, mean_images, picture_address


def glyphs(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(count, 28, 28)).astype(np.uint8)


def pixels(address: str) -> np.ndarray:
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_a_picture_shows_every_pixel_of_its_glyph():
    (glyph,) = glyphs(1)
    assert np.array_equal(pixels(picture_address(glyph))[::4, ::4], glyph)
    assert np.array_equal(pixels(picture_address(glyph + 0.4))[1::4, 3::4], glyph)


def test_the_grid_shows_glyphs_in_order_and_wrong_answers_in_words_and_dashes():
    nine, true, answers = glyphs(9), list("712345678"), list("712345679")
    figure = glyph_grid(nine, true, answers)
    assert [a.text for a in figure.layout.annotations] == [*"71234567", "✗ 9<br>is 8"]
    assert all(np.array_equal(pixels(i.source)[::4, ::4], g) for i, g in zip(figure.layout.images, nine, strict=True))
    assert [shape.line.dash for shape in figure.layout.shapes] == [None] * 8 + ["dash"]
    places = [(image.x, image.y) for image in figure.layout.images]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert len({x for x, _ in places}) == len({y for _, y in places}) == 3


def test_the_first_samples_stand_under_their_labels():
    labels = torch.tensor([1, 0, 1, 1, 0, 0, 1])
    samples = Samples("mine", "test", torch.from_numpy(glyphs(7)), labels, ("alpha", "b"))
    figure = first_samples(samples)
    assert [a.text for a in figure.layout.annotations] == ["b", "α", "b", "b", "α", "α"]
    assert figure.layout.title.text == "The first 6 test samples of mine"


def test_a_class_without_samples_says_so():
    figure = mean_images(np.zeros((2, 28, 28)), (5, 0), ("a", "b"))
    assert [a.text for a in figure.layout.annotations] == ["a", "b: none"]
    counts = class_counts((5, 0), ("a", "b"))
    assert list(counts.data[0].y) == [5, 0]
    assert list(counts.data[0].text) == ["5", "0"]
    assert "5 in all" in counts.layout.title.text

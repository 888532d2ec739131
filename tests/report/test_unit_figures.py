"""Figures of what units want, and pictures of drawings without a stroke."""

import numpy as np
import pytest

from core.inspection.strokes import Stroke
from core.report.sample_figures import corner
from core.report.stroke_pictures import numbered_strokes, without_stroke
from core.report.unit_figures import excited_samples, mean_row, unit_bars


@pytest.mark.parametrize("columns", [2, 6])
def test_what_a_unit_saw_is_framed(columns):
    glyphs, boxes = np.zeros((3, 28, 28)), [(2, 4, 7, 9), None, (0, 0, 28, 28)]
    figure = excited_samples(glyphs, boxes, ["7: 1.5", "1: 1.2", "3: 0.9"], columns, "Strongest")
    assert len(figure.layout.images) == 3
    frames = [(shape.x0, shape.y0, shape.x1, shape.y1) for shape in figure.layout.shapes]
    (x, y), (x3, y3) = corner(0, min(columns, 3)), corner(2, min(columns, 3))
    assert frames == [(x + 4, y + 2, x + 9, y + 7), (x3, y3, x3 + 28, y3 + 28)]
    assert [note.text for note in figure.layout.annotations] == ["7: 1.5", "1: 1.2", "3: 0.9"]
    assert figure.layout.title.text == "Strongest"


def test_a_units_outputs_stand_side_by_side():
    figure = unit_bars([3.5, 2.25, -1], ["ideal", "sample <1>", "yours"], "Output")
    (bars,) = figure.data
    assert list(bars.x) == [3.5, 2.25, -1]
    assert list(bars.y) == ["ideal", "sample &lt;1&gt;", "yours"]
    assert list(bars.text) == ["3.50", "2.25", "−1.00"]
    assert figure.layout.xaxis.type != "log"
    assert figure.layout.xaxis.title.text == "output of the unit"


def test_a_small_output_beside_a_large_one_can_be_seen():
    figure = unit_bars([2076.7, 11.6], ["made", "yours"], "Output")
    assert figure.layout.xaxis.type == "log"
    low, high = figure.layout.xaxis.range
    assert low < np.log10(11.6) < np.log10(2076.7) < high
    assert "logarithmic" in figure.layout.xaxis.title.text


def test_strokes_are_coloured_and_numbered():
    strokes = [[Stroke(np.array([[20.0, y], [100, y], [180, y]]), 14)] for y in (40, 140)]
    picture = numbered_strokes(strokes, (200, 180))
    assert picture.shape == (180, 200, 3)
    assert (picture[90] == 1).all()
    first, second = picture[40, 40], picture[140, 40]
    assert np.abs(first - second).max() > 0.2
    assert [tuple((row * 255).round().astype(int)) for row in (first, second)] == [
        (0x3B, 0x62, 0xD0),
        (0xE0, 0x7B, 0x1A),
    ]
    for y in (40, 140):
        disc = picture[y - 8 : y + 8, 92:109]
        assert disc.min() < 0.1  # the number
        assert (disc == 1).all(-1).any()  # on white


def test_what_rows_have_in_common_stands_by_its_size():
    figure = mean_row(["Age", "Sex", "MaxHR"], np.array([0.2, -1.5, 0.7]), "Rows")
    (bars,) = figure.data
    assert list(bars.y) == ["Age", "MaxHR", "Sex"]
    assert list(bars.x) == [0.2, 0.7, -1.5]
    assert "standard deviations" in figure.layout.xaxis.title.text


def test_a_stroke_that_was_taken_away_is_pale_and_dashed():
    removed, left = Stroke(np.array([[20.0, 30], [180, 30]]), 18), Stroke(np.array([[20.0, 70], [180, 70]]), 18)
    picture = without_stroke([removed], [left], (200, 100))
    assert picture.shape == (100, 200)
    assert picture.min() == pytest.approx(24 / 255)
    along = picture[30, 20:180]
    assert along.min() > 0.6  # pale
    assert (np.diff((along < 0.9).astype(int)) != 0).sum() >= 4  # with gaps
    np.testing.assert_allclose(picture[70, 25:175], 24 / 255)
    crossing = without_stroke([removed], [Stroke(np.array([[20.0, 30], [180, 30]]), 18)], (200, 100))
    np.testing.assert_allclose(crossing[30, 25:175], 24 / 255)  # what is still there lies on top

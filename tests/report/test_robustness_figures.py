"""Figures of changed networks and of robustness: everything that is measured is in them."""

import numpy as np
import pytest

from core.report.robustness_figures import corruption_sheet, league_figure, sweep_figure
from core.report.surgery_figures import accuracy_before_after, before_after_bars, kernels_figure
from core.training.results import result_of, wilson

DIGITS = [*"0123456789"]


def texts(figure) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]


def test_a_curve_marks_where_it_stands_and_shades_other_answers():
    values = np.linspace(-90, 90, 61)
    probability = np.exp(-((values / 40) ** 2))
    figure = sweep_figure(values, probability, 30.0, ((-72.0, -51.0), (45.0, 90.0)), "Rotate", "degrees clockwise", "7")
    curve, ring = figure.data
    np.testing.assert_allclose(curve.y, probability * 100)
    assert ring.x == (30.0,)
    assert ring.y[0] == pytest.approx(100 * np.exp(-((30 / 40) ** 2)), abs=0.5)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(-72.0, -51.0), (45.0, 90.0)]
    assert texts(figure) == ["✗", "✗"]
    assert figure.layout.xaxis.title.text == "Rotate (degrees clockwise)"
    assert -100 < figure.layout.xaxis.range[0] < -90  # no tick where the dial does not go
    assert 90 < figure.layout.xaxis.range[1] < 100
    assert "7" in figure.layout.title.text
    assert figure.layout.yaxis.title.text


def test_a_curve_without_a_flip_marks_none():
    figure = sweep_figure(np.arange(9.0), np.ones(9), 0.0, (), "Blur", "pixels", "<b>")
    assert not figure.layout.shapes
    assert "<b>" not in figure.layout.title.text
    assert figure.data[0].mode == "lines+markers"  # so few points are shown as what they are


@pytest.mark.parametrize("narrow", [False, True])
def test_the_sheet_shows_every_glyph_and_marks_other_answers(narrow):
    glyphs = np.zeros((3, 5, 28, 28), np.uint8)
    answers = [["7"] * 5, ["7", "7", "9", "9", "9"], ["7", "7", "7", "7", "1"]]
    figure = corruption_sheet(glyphs, answers, "7", ["rotated", "blurred", "bent"], "4 of 15", narrow)
    assert len(figure.layout.images) == len(figure.layout.shapes) == 15
    dashed = [shape for shape in figure.layout.shapes if shape.line.dash == "dash"]
    assert len(dashed) == 4
    wrong = [text for text in texts(figure) if "9" in text or "1" in text]
    assert len(wrong) == 4
    assert len(texts(figure)) == (4 if narrow else 15)
    kinds, strengths = (
        (figure.layout.yaxis, figure.layout.xaxis) if narrow else (figure.layout.xaxis, figure.layout.yaxis)
    )
    assert kinds.ticktext == ("rotated", "blurred", "bent")
    assert strengths.ticktext == ("1", "2", "3", "4", "5")
    assert kinds.title.text == "corruption"
    assert strengths.title.text == "strength"
    # no two glyphs on one place, and none outside the axes
    corners = {(image.x, image.y) for image in figure.layout.images}
    assert len(corners) == 15
    assert max(x for x, _ in corners) + 28 <= max(figure.layout.xaxis.range)
    assert max(y for _, y in corners) + 28 <= max(figure.layout.yaxis.range)


def test_long_answers_are_cut_short():
    figure = corruption_sheet(np.zeros((1, 1, 28, 28), np.uint8), [["a very long class"]], "b", ["x"], "t")
    assert texts(figure) == ["✗ a very …"]


def luminance(colour: str) -> float:
    """Relative, of a "#rrggbb" (WCAG 2.2); raises ValueError for any that is translucent."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(
        share * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for share, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )


def test_the_leagues_numbers_are_legible_whatever_the_page_behind():
    (heat,) = league_figure(np.array([[0.2, 0.7]]), ["one"], ["a", "b"], "Right", "corruption", "network").data
    for _, colour in heat.colorscale:
        lighter, darker = sorted((luminance(colour), luminance(heat.textfont.color)), reverse=True)
        assert len(colour) == 7  # opaque
        assert (lighter + 0.05) / (darker + 0.05) >= 5


def test_the_league_leaves_out_what_is_not_known():
    table = np.array([[0.998, 0.5], [np.nan, 0.123]])
    figure = league_figure(table, ["one", "<two>"], ["clean", "bent"], "Right", "corruption", "network")
    (heat,) = figure.data
    np.testing.assert_allclose(heat.z, table * 100)
    assert heat.text[0] == ("100", "50") or list(heat.text[0]) == ["100", "50"]
    assert list(heat.text[1]) == ["", "12"]
    assert heat.y == ("one", "&lt;two&gt;")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("corruption", "network")
    assert (heat.zmin, heat.zmax) == (0, 100)


def test_answers_before_and_after_stand_side_by_side():
    before, after = np.eye(10)[3], np.full(10, 0.1)
    figure = before_after_bars(before, after, DIGITS)
    assert [bar.name for bar in figure.data] == ["before", "after"]
    np.testing.assert_allclose(figure.data[0].y, before * 100)
    np.testing.assert_allclose(figure.data[1].y, after * 100)
    assert figure.data[0].marker.pattern.shape != figure.data[1].marker.pattern.shape


def test_of_many_classes_the_likeliest_of_either_are_shown():
    before, after = np.full(1000, 1e-4), np.full(1000, 1e-4)
    before[7], after[900] = 0.6, 0.7
    figure = before_after_bars(before, after, [f"class {i}" for i in range(1000)])
    assert list(figure.data[0].y[:2]) == ["1. class 900", "2. class 7"]
    assert len(figure.data[0].y) == 10
    assert figure.layout.xaxis.title.text == "probability (%)"
    assert max(figure.layout.xaxis.range) >= 70


@pytest.mark.parametrize("narrow", [False, True])
def test_kernels_share_one_scale_and_the_changed_ones_are_framed(narrow):
    before, after = np.random.default_rng(0).normal(size=(2, 10, 5, 5))
    figure = kernels_figure(before, after, "Filters", (0, 7), narrow)
    largest = max(np.abs(before).max(), np.abs(after).max())
    for heat, kernels in zip(figure.data, (before, after), strict=True):
        assert heat.zmax == -heat.zmin == pytest.approx(largest)
        np.testing.assert_allclose(np.array(heat.z)[:5, :5], kernels[0], atol=1e-3)
    assert len(figure.layout.shapes) == 4
    for shape in figure.layout.shapes[:2]:
        assert shape.x1 - shape.x0 == pytest.approx(5.5)
    assert {figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text} == {"before", "after"}


def test_kernels_of_nothing_are_no_error():
    kernels_figure(np.zeros((4, 3, 3)), np.zeros((4, 3, 3)), "Muted")


def test_accuracies_stand_with_their_intervals():
    labels = np.zeros(200, int)
    right, worse = np.tile([1.0, 0.0], (200, 1)), np.tile([1.0, 0.0], (200, 1))
    worse[:50] = [0.0, 1.0]
    figure = accuracy_before_after(*(result_of(x, labels, ("a", "b")) for x in (right, worse)))
    before, after = figure.data
    assert before.x == (100.0,)
    assert after.x == (75.0,)
    low, high = wilson(150, 200)
    assert after.error_x.array[0] == pytest.approx((high - 0.75) * 100)
    assert after.error_x.arrayminus[0] == pytest.approx((0.75 - low) * 100)
    assert before.marker.symbol != after.marker.symbol
    assert figure.layout.xaxis.range[0] < low * 100

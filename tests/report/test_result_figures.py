"""Figures of a test: every count in its cell, what cannot be known left out."""

import numpy as np
import pytest

from core.report.result_figures import calibration_figure, confusion_figure, per_class_figure
from core.training import results


def result(count: int, seed: int = 0) -> results.TestResult:
    rng = np.random.default_rng(seed)
    labels = rng.integers(count, size=600)
    logits = rng.normal(size=(600, count)) + 2 * np.eye(count)[labels]
    return results.result_of(logits, labels, tuple(f"c{i}" for i in range(count)), 1.0)


def test_each_cell_says_its_count_and_a_click_which_it_is():
    confusion = np.array([[980, 0, 2], [1, 99, 0], [0, 0, 0]])
    figure = confusion_figure(confusion, ("a", "b", "alpha"))
    cells = figure.data[-1]
    by_cell = {tuple(pair): text for pair, text in zip(cells.customdata, cells.text, strict=True)}
    assert by_cell == {
        (true, answer): str(confusion[true, answer]) if confusion[true, answer] else ""
        for true, answer in np.ndindex(3, 3)
    }
    assert [(y, x) for x, y in zip(cells.x, cells.y, strict=True)] == [tuple(pair) for pair in cells.customdata]
    assert figure.layout.xaxis.ticktext == ("a", "b", "α")
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first class at the top
    assert cells.hovertext[2] == "a read as α: 2"


def test_right_answers_and_mistakes_have_layers_of_their_own_and_a_single_mistake_shows():
    right, wrong, _ = confusion_figure(np.array([[9999, 1], [0, 50]]), ("a", "b")).data
    assert np.isnan(right.z).tolist() == [[False, True], [True, False]]
    assert np.isnan(wrong.z).tolist() == [[True, False], [True, True]]
    assert wrong.z[0, 1] >= 0.15
    assert np.nanmax(right.z) == pytest.approx(1)


def test_many_classes_have_no_text_in_their_cells():
    figure = confusion_figure(result(47).confusion, tuple(f"c{i}" for i in range(47)))
    assert figure.data[-1].text is None
    assert figure.data[-1].mode == "markers"
    assert len(figure.data[-1].customdata) == 47 * 47
    assert confusion_figure(np.eye(12, dtype=int), tuple("abcdefghijkl")).data[-1].text is not None


def test_precision_and_recall_stand_in_percent_over_their_class():
    measured = result(10)
    precision, recall = per_class_figure(measured.per_class).data
    assert precision.y == pytest.approx([f.precision * 100 for f in measured.per_class])
    assert recall.y == pytest.approx([f.recall * 100 for f in measured.per_class])
    assert precision.marker.symbol != recall.marker.symbol


def test_what_is_a_share_of_nothing_does_not_move_the_axis():
    never = results.result_of(np.eye(3)[[0, 0, 1, 1]], np.array([0, 0, 1, 1]), ("a", "b", "c"), 1.0)
    figure = per_class_figure(never.per_class)
    assert np.isnan(figure.data[0].y[2])
    assert np.isfinite(figure.layout.yaxis.range).all()
    assert figure.layout.yaxis.range[0] > 90


def test_the_calibration_curve_counts_its_answers_and_skips_empty_bins():
    measured = result(10)
    bars, honest, curve = calibration_figure(measured.calibration, measured.calibration_error).data
    assert sum(bars.y) == 600
    assert np.isfinite(curve.y).all()
    assert (honest.x, honest.y) == ((0, 100), (0, 100))
    assert list(curve.customdata) == list(bars.y)
    figure = calibration_figure(measured.calibration, measured.calibration_error)
    assert f"{measured.calibration_error * 100:.2f}" in figure.layout.title.text


def test_class_names_are_never_markup():
    figure = confusion_figure(np.eye(2, dtype=int), ("<a href='http://x'>", "x" * 60))
    first, second = figure.layout.xaxis.ticktext
    assert first == "&lt;a href='http://x'&gt;"
    assert len(second) == 24

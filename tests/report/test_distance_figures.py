"""Figures of distances: what is drawn is what was measured, in the order of the classes."""

import numpy as np
import pytest

from core.report.distance_figures import (
    by_k_figure,
    class_means_figure,
    pairs_figure,
    separation_figure,
    short,
    to_all_figure,
    votes_figure,
)

LABELS, CLASSES = np.array([1, 0, 1, 0, 2]), ("alpha", "beta", "<b>")
NAMES = [f"{i + 1} · x" for i in range(5)]


def titles(figure):
    return figure.layout.title.text, figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def test_rows_to_all_are_ordered_by_class():
    found = np.arange(10, dtype=float).reshape(2, 5)
    figure = to_all_figure(found, ["first", "second"], NAMES, LABELS, CLASSES, "To all", "SSD")
    (heat,) = figure.data
    np.testing.assert_array_equal(heat.z, found[:, [1, 3, 0, 2, 4]])
    assert heat.x[0] == "2 · x"
    assert list(figure.layout.xaxis.ticktext) == ["α", "β", "&lt;b&gt;"]
    assert list(figure.layout.xaxis.tickvals) == ["4 · x", "3 · x", "5 · x"]  # the middles of the classes
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5, 3.5]  # where one class ends
    assert all(titles(figure))


def test_pairs_are_ordered_both_ways():
    found = np.add.outer(np.arange(5.0), 10 * np.arange(5.0))
    figure = pairs_figure(found, NAMES, LABELS, CLASSES, "Pairs", "SSD")
    order = [1, 3, 0, 2, 4]
    np.testing.assert_array_equal(figure.data[0].z, found[np.ix_(order, order)])
    assert len(figure.layout.shapes) == 4
    assert all(titles(figure))


def test_class_means_are_written_into_the_cells():
    figure = class_means_figure(np.array([[1.0, 20], [20, np.nan]]), CLASSES[:2], "Means", "SSD")
    assert list(figure.data[1].text) == ["1.00", "20.0", "20.0"]
    assert all(titles(figure))
    empty = class_means_figure(np.full((2, 2), np.nan), CLASSES[:2], "Means", "SSD")
    assert len(empty.data[1].x) == 0


def test_histograms_add_up_to_all_pairs():
    within, between = np.random.default_rng(0).uniform(0, 1, 50), np.random.default_rng(1).uniform(0.5, 2, 70)
    figure = separation_figure(within, between, "Within and between", "SSD")
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([100, 100])
    assert figure.data[0].name == "within a class (50 pairs)"
    assert all(titles(figure))
    assert len(separation_figure(within, between[:0], "No pairs", "SSD").data) == 2


def test_accuracy_by_k_has_its_band_and_the_network():
    figure = by_k_figure([1, 5], np.array([0.8, 0.9]), np.array([0.7, 0.8]), np.array([0.85, 0.95]), 0.93, "By k")
    band, line, network = figure.data
    assert list(band.y) == pytest.approx([85, 95, 80, 70])
    assert list(line.y) == pytest.approx([80, 90])
    assert list(network.y) == pytest.approx([93, 93])
    assert len(by_k_figure([1], np.ones(1), np.ones(1), np.ones(1), None, "By k").data) == 2
    assert all(titles(figure))


def test_votes_are_counts():
    figure = votes_figure(np.array([3, 0, 2]), CLASSES)
    assert list(figure.data[0].y) == [3, 0, 2]
    assert list(figure.data[0].marker.opacity) == [1.0, 0.35, 0.35]
    assert all(titles(figure))


def test_short_numbers_keep_three_figures():
    assert [short(v) for v in (0, 0.04561, 12.345, 123.4, 1234.5)] == ["0.00", "0.0456", "12.3", "123", "1,230"]

"""Curves of a training: what is on them, where, and named how."""

import numpy as np
import pytest

from core.report.curves import Curve, accuracy_curves, compare_curves, learning_curves, smooth


def test_the_loss_stands_over_the_examples_seen_with_the_test_before_any_training():
    examples, loss = np.arange(64, 6401, 64), np.linspace(2.3, 0.1, 100)
    figure = learning_curves(examples, loss, np.array([0, 6400]), np.array([2.31, 0.12]))
    each, training, test = figure.data
    assert np.array_equal(each.x, examples)
    assert np.array_equal(each.y, loss)
    assert each.opacity < 1
    assert (test.x[0], test.y[0]) == (0, 2.31)
    assert len(training.y) == 100
    assert figure.layout.xaxis.title.text == "examples seen"
    assert figure.layout.yaxis.title.text == "loss (nats per example)"
    assert figure.layout.title.text
    assert figure.layout.yaxis.type is None
    log = learning_curves(examples, loss, np.array([0]), np.array([2.3]), log=True, unit="squared error")
    assert log.layout.yaxis.type == "log"
    assert log.layout.yaxis.title.text == "loss (squared error)"


def test_smoothing_keeps_a_line_and_quiets_noise():
    assert smooth(np.full(500, 0.7)) == pytest.approx(0.7)
    noise = np.random.default_rng(0).normal(size=2000)
    assert smooth(noise).std() < 0.3
    assert len(smooth(np.array([]))) == 0
    assert smooth(np.array([1.5])) == pytest.approx(1.5)


def test_accuracies_are_percent_of_each_epoch():
    figure = accuracy_curves(np.array([1, 2]), np.array([0.9, 0.95]), np.array([0.92, 0.97]))
    train, test = figure.data
    assert list(train.y) == pytest.approx([90, 95])
    assert list(test.y) == pytest.approx([92, 97])
    assert train.marker.symbol != test.marker.symbol
    assert figure.layout.xaxis.dtick == 1
    assert "%" in figure.layout.yaxis.title.text


def test_compared_runs_are_named_at_their_ends_without_overlap_and_differ_in_more_than_colour():
    curves = [Curve(f"run {i}", np.arange(5), np.full(5, 1 + i / 1000)) for i in range(5)]
    curves.append(Curve("<b>far</b>", np.arange(5), np.linspace(9, 5, 5)))
    figure = compare_curves(curves, "epoch", "test loss (nats per example)", "Test loss")
    assert {a.text for a in figure.layout.annotations} == {*(f"run {i}" for i in range(5)), "&lt;b&gt;far&lt;/b&gt;"}
    heights = sorted(a.y for a in figure.layout.annotations)
    assert min(np.diff(heights)) >= 0.069
    assert len({(line.line.dash, line.marker.symbol) for line in figure.data}) >= 5
    low, high = figure.layout.yaxis.range
    assert low < 1
    assert high > 9


def test_labels_at_the_top_move_down_not_out():
    curves = [Curve(str(i), np.arange(2), np.array([0.0, 1 - i / 1000])) for i in range(6)]
    heights = [a.y for a in compare_curves(curves, "x", "y", "t").layout.annotations]
    assert max(heights) <= 1.0001
    assert min(np.diff(sorted(heights))) >= 0.069


def test_a_logarithmic_comparison_and_an_empty_curve():
    curves = [Curve("a", np.arange(3), np.array([1.0, 0.1, 0.01])), Curve("none", np.array([]), np.array([]))]
    figure = compare_curves(curves, "x", "y", "t", log=True)
    (label,) = figure.layout.annotations
    assert label.text == "a"
    assert label.y < 0.1
    assert figure.layout.yaxis.range[0] < -2 < 0 < figure.layout.yaxis.range[1]
    assert compare_curves([], "x", "y", "t").layout.annotations == ()

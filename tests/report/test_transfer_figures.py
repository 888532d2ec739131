"""Figures and rows of teaching: what stands in them is what was measured, and nobody is called best too early."""

import copy
import math

import numpy as np
import pytest
import torch

from core.networks import open_network
from core.report.transfer_figures import Series, Share, growth_figure, letters_figure, methods_figure
from core.report.transfer_tables import (
    NOTHING,
    MethodRow,
    confusions,
    layer_changes,
    letter_shares,
    marked_by_change,
    ranked,
)
from core.transfer.attempt import Prediction
from core.transfer.heads import with_classes

SHARES = (Share("Prototypes", 0.9, 0.8, 0.95, 30), Share("New last layer", 1.0, 0.9, 1.0, 30))
PREDICTIONS = (
    Prediction("a1", "alpha", "alpha", 0.9),
    Prediction("a2", "alpha", "beta", 0.6),
    Prediction("b1", "beta", "beta", 0.8),
    Prediction("b2", "beta", "", 0.0),
)


def row(title: str, value: float, low: float, high: float) -> MethodRow:
    return MethodRow(title, Share(title, value, low, high, 30), None, 1.0, 153, 21_483, None, 0.1)


def test_the_methods_stand_in_rows_with_their_intervals():
    figure = methods_figure([Series("by cross-validation", SHARES), Series("on the test set", SHARES[:1])])
    first, second = figure.data
    assert list(first.x) == [90, 100]
    assert list(first.error_x.array) == pytest.approx([5, 0])
    assert list(first.error_x.arrayminus) == pytest.approx([10, 10])
    assert first.marker.symbol != second.marker.symbol, "colour alone tells them apart"
    assert list(figure.layout.yaxis.ticktext) == ["Prototypes", "New last layer"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first stands at the top"
    assert figure.layout.xaxis.range[0] <= 80
    both = methods_figure([Series("x", (Share("From scratch, the course's", 0.5, 0.1, 0.9, 9),))])
    assert list(both.layout.yaxis.ticktext) == ["From scratch,<br>the course's"]
    assert figure.layout.xaxis.title.text


def test_letters_are_written_as_people_write_them_and_never_as_markup():
    figure = letters_figure([Series("right", (Share("alpha", 1, 0.7, 1, 9), Share("<b>x</b>", 0.5, 0.2, 0.8, 4)))])
    assert list(figure.layout.xaxis.ticktext) == ["α", "&lt;b&gt;x&lt;/b&gt;"]
    assert list(figure.data[0].y) == [100, 50]


def test_the_learning_curve_has_its_band_and_goes_on_dashed():
    counts, accuracy = np.array([1, 2, 4]), np.array([0.5, 0.7, 0.8])
    figure = growth_figure(counts, accuracy, accuracy - 0.1, accuracy + 0.1, (np.array([4, 8]), np.array([0.8, 0.9])))
    band, measured, expected = figure.data
    assert list(band.x) == [1, 2, 4, 4, 2, 1]
    assert list(band.y) == pytest.approx([60, 80, 90, 70, 60, 40])
    assert list(measured.y) == pytest.approx([50, 70, 80])
    assert expected.line.dash == "dash"
    assert growth_figure(counts, accuracy, accuracy, accuracy).data[-1].name == "measured"


def test_best_is_only_who_stands_alone():
    alone = ranked([row("a", 0.99, 0.95, 1.0), row("b", 0.8, 0.7, 0.9)])
    assert [one.standing for one in alone] == ["best", ""]
    two_of_three = ranked([row("a", 0.99, 0.95, 1.0), row("b", 0.8, 0.7, 0.9), row("c", 0.97, 0.92, 0.99)])
    assert [one.standing for one in two_of_three] == ["among the best", "", "among the best"]
    assert {one.standing for one in ranked([row("a", 0.99, 0.9, 1), row("b", 0.97, 0.88, 0.99)])} == {"undecided"}
    assert ranked([row("a", 0.99, 0.9, 1)])[0].standing == "", "one alone is compared with nobody"


def test_a_letters_share_and_interval_are_those_of_its_own_pictures():
    alpha, beta = letter_shares(PREDICTIONS)
    assert (alpha.name, alpha.value, alpha.count) == ("alpha", 0.5, 2)
    z = 1.959964  # Wilson's formula, by hand
    centre, half = (0.5 + z**2 / 4) / (1 + z**2 / 2), z * math.sqrt(0.25 / 2 + z**2 / 16) / (1 + z**2 / 2)
    assert (alpha.low, alpha.high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert beta.value == 0.5, "a picture on which nothing was found is a mistake"


def test_the_confusions_count_what_was_not_found_too():
    counts, names = confusions(PREDICTIONS, ("alpha", "beta", "gamma"))
    assert names == ("alpha", "beta", NOTHING)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_what_was_learned_is_found_in_the_weights():
    before = open_network("report").module()
    after = with_classes(before, 3)
    rows = layer_changes(before, after)
    assert sum(one.parameters_before for one in rows) == 21_840
    assert sum(one.parameters_after for one in rows) == 21_483
    assert {one.name: one.learned for one in rows if one.parameters_after} == {
        "conv1": "as it was", "conv2": "as it was", "fc1": "as it was", "fc2": "learned",
    }  # fmt: skip
    marked = marked_by_change(before, after)
    assert sum(p.numel() for p in marked.parameters() if p.requires_grad) == 153
    tuned = copy.deepcopy(before)
    with torch.no_grad():
        tuned.get_parameter("conv1.bias")[0] += 1
    assert [one.learned for one in layer_changes(before, tuned) if one.name == "conv1"] == ["partly"]
    assert all(p.requires_grad for p in before.parameters()), "the given network is not touched"

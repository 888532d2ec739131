"""Figures of maps: every sample once, nothing but places goes out, marks and names where they belong."""

import json

import numpy as np
import pytest

from core.report.embedding_figures import (
    Marks,
    add_glyphs,
    by_answer,
    by_class,
    by_set,
    by_value,
    explained_bars,
    map_figure,
    spread_out,
)  # fmt: skip

CLASSES = ("0", "alpha", "<b>x</b>")


@pytest.fixture(scope="module")
def scattered():
    """Places, labels and sets of 60 samples."""
    rng = np.random.default_rng(5)
    return rng.normal(size=(60, 2)).astype(np.float32), rng.integers(0, 3, 60), rng.integers(0, 2, 60)


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_each_sample_is_drawn_once_and_found_by_trace_and_point(scattered, names):
    layout, labels, sets = scattered
    sets = sets if len(names) == 2 else np.zeros(60, int)
    figure, drawn = map_figure(layout, by_class(labels, CLASSES), sets, names, "A map", "axis")
    assert sorted(np.concatenate(drawn).tolist()) == list(range(60))
    for trace, indices in zip(figure.data, drawn, strict=False):
        np.testing.assert_array_equal(np.stack([trace.x, trace.y], 1), layout[indices])
        assert len(set(labels[indices])) == len(set(sets[indices])) == 1
    assert {trace.name for trace in figure.data} >= {"0", "α", "&lt;b&gt;x&lt;/b&gt;"}
    shapes = {trace.marker.symbol for trace in figure.data[: len(drawn)]}
    assert len(shapes) == (3 if len(names) == 1 else 2)
    assert [note.text for note in figure.layout.annotations] == ["<b>0</b>", "<b>α</b>", "<b>&lt;b&gt;x&lt;/b&gt;</b>"]


def test_right_and_wrong_have_shapes_of_their_own_and_wrong_lies_on_top(scattered):
    layout, _, sets = scattered
    right, known = np.arange(60) % 3 == 0, np.arange(60) < 50
    figure, drawn = map_figure(layout, by_answer(right, known), sets, ("one", "two"), "A map", "axis")
    assert [trace.name for trace in figure.data] == ["right", "no class of the network's", "wrong"]
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    assert drawn[2].tolist() == np.flatnonzero(~right & known).tolist()


def test_numbers_are_percent_and_sets_have_colours(scattered):
    layout, _, sets = scattered
    shares = np.linspace(0, 1, 60)
    figure, drawn = map_figure(layout, by_value("confidence", shares), sets, ("one", "two"), "A map", "axis")
    np.testing.assert_allclose(figure.data[0].marker.color, shares * 100, atol=1e-4)
    assert figure.data[0].marker.colorbar.title.text == "confidence (%)"
    assert len(drawn) == 1
    figure, _ = map_figure(layout, by_set(sets, ("one", "two")), sets, ("one", "two"), "A map", "axis")
    assert len({trace.marker.color for trace in figure.data}) == 2


def test_lines_lead_from_the_clicked_sample_to_its_neighbours(scattered):
    layout, labels, _ = scattered
    marks = Marks(flagged=np.array([3, 4]), centre=7, neighbours=np.array([8, 9]), trail=layout[:4])
    none = np.zeros(60, int)
    figure, _ = map_figure(layout, by_class(labels, CLASSES), none, ("one",), "A map", "axis", marks)
    (lines,) = [trace for trace in figure.data if trace.name == "true neighbours"]
    x = np.asarray(lines.x)
    np.testing.assert_array_equal(x[[0, 1, 3, 4]], layout[[7, 8, 7, 9], 0])
    assert np.isnan(x[[2, 5]]).all()
    (lost,) = [trace for trace in figure.data if trace.name == "neighbours lost"]
    np.testing.assert_array_equal(lost.x, layout[[3, 4], 0])
    (trail,) = [trace for trace in figure.data if trace.name == "your drawing"]
    assert len(trail.x) == 4


def test_three_dimensions():
    layout = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    labels = np.arange(30) % 3
    figure, _ = map_figure(layout, by_class(labels, CLASSES), np.zeros(30, int), ("one",), "A map", "axis")
    assert all(trace.type == "scatter3d" for trace in figure.data)
    assert figure.layout.scene.zaxis.title.text == "axis 3"
    assert len(figure.layout.scene.annotations) == 3


def test_seventy_thousand_samples_go_out_as_their_places_alone():
    rng = np.random.default_rng(0)
    layout, labels = rng.normal(size=(70_000, 2)), rng.integers(0, 10, 70_000)
    colouring = by_class(labels, list("0123456789"))
    figure, _ = map_figure(layout, colouring, np.zeros(70_000, int), ("mnist",), "A map", "axis")
    sent = figure.to_json()
    assert len(sent) < 70_000 * 2 * 4 * 4 / 3 + 300_000  # float32 in base 64, and the figure around them
    assert len(json.loads(sent)["data"]) == 10


def test_glyphs_do_not_overlap_and_none_more_has_room(scattered):
    layout, _, _ = scattered
    taken, side = spread_out(layout, across=8)
    apart = np.abs(layout[taken][:, None] - layout[taken][None]).max(2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= side - 1e-6
    to_taken = np.abs(layout[:, None] - layout[taken][None]).max(2).min(1)
    assert (np.isin(np.arange(60), taken) | (to_taken < side)).all()
    assert len(spread_out(layout, most=5)[0]) == 5
    labels = np.zeros(60, int)
    figure, _ = map_figure(layout, by_class(labels, CLASSES), labels, ("one",), "A map", "axis", named=False)
    add_glyphs(figure, layout, np.full((60, 28, 28), 200, np.uint8), taken, side, ["#3b62d0"] * len(taken))
    assert len(figure.layout.images) == len(taken)
    assert figure.layout.images[0].x == pytest.approx(layout[taken[0], 0])
    assert not figure.layout.annotations


def test_explained_variance_is_shown_in_percent():
    figure = explained_bars(np.array([0.5, 0.25, 0.125]), 2)
    assert list(figure.data[0].y) == [50, 25, 12.5]
    assert figure.layout.title.text == "The map's 2 axes explain 75.0 % of the variance"
    assert len(set(figure.data[0].marker.color)) == 2

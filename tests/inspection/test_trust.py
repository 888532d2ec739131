"""How far a map can be trusted: curves by hand, chance, maps without learning."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.inspection import trust
from core.inspection.attributions import INTEGRATED, Attribution, attribute, methods_for
from core.networks.spec import ARCHITECTURES
from tests.inspection.fresh_subjects import fresh, is_untouched, linear, photo_network, some_input, state_of


def picture(*ink: tuple[int, int, float]) -> torch.Tensor:
    glyph = torch.zeros(1, 1, 4, 4)
    for row, column, tone in ink:
        glyph[0, 0, row, column] = tone
    return glyph


@pytest.fixture
def two_classes():
    """Class 0 speaks for the upper rows, class 1 for nothing: its probability follows from the ink alone."""
    weights = torch.zeros(2, 1, 4, 4)
    weights[0, 0, 0] = torch.tensor([4.0, 3.0, 2.0, 1.0])
    return linear(weights)


def sigmoid(score):
    return 1 / (1 + np.exp(-np.asarray(score, float)))


def test_curves_by_hand(two_classes):
    glyph = picture((0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1))
    found = attribute(two_classes, glyph, INTEGRATED, 0)
    np.testing.assert_allclose(found.values[0], [4, 3, 2, 1], atol=1e-5)
    cells = trust.cells_of(glyph, "glyphs")
    assert cells.tolist() == [[0, 1, 2, 3], *[[-1] * 4] * 3]
    curves = trust.follow(two_classes, glyph, 0, trust.importance(found.values, cells), cells, lambda inputs: None)
    np.testing.assert_allclose(curves.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curves.deletion, sigmoid([10, 6, 3, 1, 0]), atol=1e-6)
    np.testing.assert_allclose(curves.insertion, sigmoid([0, 4, 7, 9, 10]), atol=1e-6)
    by_hand = sum((a + b) / 8 for a, b in zip(curves.deletion[:-1], curves.deletion[1:], strict=True))
    assert curves.deletion_area == pytest.approx(by_hand)
    assert (np.diff(curves.deletion) < 0).all()
    assert (np.diff(curves.insertion) > 0).all()


def test_the_best_order_beats_chance_and_the_worst_does_not(two_classes):
    rows = torch.zeros(2, 1, 4, 4)
    rows[0] = torch.linspace(1.6, -1.5, 16).reshape(1, 4, 4)
    subject, glyph = linear(rows), torch.ones(1, 1, 4, 4)
    by_chance = trust.chance(subject, glyph, 0)
    assert len(by_chance.curves) == 10
    areas = by_chance.deletion_areas
    assert len(set(areas.tolist())) > 1
    np.testing.assert_array_equal(trust.chance(subject, glyph, 0).deletion_areas, areas)
    untrained = trust.draw_untrained(subject)
    good = attribute(subject, glyph, INTEGRATED, 0)
    best = trust.judge(subject, glyph, good, by_chance, untrained)
    assert best.beats_deletion
    assert best.beats_insertion
    assert best.deletion_gain == pytest.approx(areas.mean() - best.curves.deletion_area)
    assert best.verdict == (trust.BLIND if best.similarity >= trust.SIMILAR else trust.TRUSTWORTHY)
    worst = trust.judge(subject, glyph, Attribution(INTEGRATED, 0, -good.values), by_chance, untrained)
    assert worst.deletion_gain < 0
    assert not worst.beats_deletion
    assert not worst.beats_insertion


def verdict_of(deletion, insertion, start=0.9, similarity=0.1):
    """A judgement made up of areas: of the map's two curves, against chance at 0.5 ± 0.05."""

    def flat(removed, added):
        return trust.Curves(np.array([0.0, 1e-9, 1.0]), np.array([start, removed, removed]), np.full(3, added))

    by_chance = trust.Chance((flat(0.45, 0.45), flat(0.55, 0.55)))
    values = Attribution(INTEGRATED, 0, np.zeros((2, 2)))
    return trust.Trust(values, flat(deletion, insertion), by_chance, values, similarity, 0.2)


@pytest.mark.parametrize(
    ("made", "verdict", "words"),
    [
        (verdict_of(0.2, 0.8), trust.TRUSTWORTHY, "Trustworthy here: .* of 7 sooner than all of 2 random orders"),
        (verdict_of(0.2, 0.5), trust.PARTLY, "Half trustworthy here: .* when it is removed, but not when it is added"),
        (verdict_of(0.5, 0.8), trust.PARTLY, "when it is added, but not when it is removed"),
        (verdict_of(0.5, 0.5), trust.CHANCE, "Not more than chance here"),
        (verdict_of(0.2, 0.8, similarity=0.5), trust.BLIND, r"random weights give much the same map .*0\.50"),
        (verdict_of(0.2, 0.8, start=0.049), trust.UNTESTABLE, r"the probability of 7 is 4\.9 % here"),
    ],
)
def test_the_verdict_follows_from_the_numbers(made, verdict, words):
    assert made.verdict == verdict
    import re

    assert re.search(words, trust.in_words(made, "7"))


def test_paper_is_no_cell_and_photos_fall_into_tiles():
    glyph = picture((1, 2, 0.4), (3, 0, 0.9))
    cells = trust.cells_of(glyph, "glyphs")
    assert (cells >= 0).sum() == 2
    assert cells[1, 2] == 0
    assert cells[3, 0] == 1
    tiles = trust.cells_of(torch.ones(1, 3, 40, 33), "photos")
    assert tiles.max() + 1 == 3 * 3
    assert tiles[15, 15] == 0
    assert tiles[16, 16] == 4
    assert tiles[39, 32] == 8
    assert trust.cells_of(torch.tensor([[0.5, 0.0, -1.0]]), "features").tolist() == [0, -1, 1]
    np.testing.assert_allclose(
        trust.importance(np.array([[1.0, 3.0], [5.0, 7.0]]), np.array([[0, 0], [1, -1]])), [2, 5]
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_weights_are_drawn_anew_and_the_shared_network_is_not(architecture):
    subject = fresh(architecture)
    state = state_of(subject)
    untrained = trust.without_learning(subject, seed=1)
    assert is_untouched(subject, state)
    same = [
        name
        for name, weights in untrained.module.named_parameters()
        if weights.ndim > 1 and torch.equal(weights, state[name])
    ]
    assert same == []
    again = trust.without_learning(subject, seed=1)
    assert is_untouched(again, state_of(untrained))


def test_drawing_weights_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    trust.without_learning(fresh_and_reset(), 0)
    assert torch.equal(torch.rand(1), expected)


def fresh_and_reset():
    with torch.random.fork_rng():
        return fresh("report")


def test_rank_correlation_is_scipys_and_0_without_an_order():
    random = np.random.default_rng(0)
    a, b = random.integers(0, 9, 50), random.random(50)
    assert trust.rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert trust.rank_correlation(np.ones(5), np.arange(5)) == 0
    assert trust.rank_correlation(np.ones(1), np.ones(1)) == 0


def test_structural_similarity_by_hand():
    random = np.random.default_rng(1)
    a, b = random.random((28, 28)), random.random((28, 28))
    assert trust.structural_similarity(a, a) == pytest.approx(1)
    assert trust.structural_similarity(a, 7 * a) == pytest.approx(1)
    assert trust.structural_similarity(a, b) == pytest.approx(trust.structural_similarity(b, a))
    assert abs(trust.structural_similarity(a, b)) < 0.2
    flat, half = np.ones((28, 28)), np.ones((28, 28)) / 2
    half[0, 0] = 1  # the scale; a pixel in the corner touches few windows
    expected = (2 * 0.5 + 0.01**2) / (1 + 0.25 + 0.01**2)
    assert trust.structural_similarity(flat, half) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_map_of_every_network_can_be_judged(architecture):
    subject = fresh(architecture)
    state, inputs = state_of(subject), some_input(subject)
    inputs = inputs * (inputs > 0.7)
    by_chance, untrained = trust.chance(subject, inputs, 1), (trust.without_learning(subject),)
    for method in methods_for(subject):
        found = trust.judge(subject, inputs, attribute(subject, inputs, method.name, 1), by_chance, untrained)
        assert found.curves.deletion[0] == pytest.approx(subject.probabilities(inputs)[0, 1], abs=1e-6)
        assert found.curves.deletion[-1] == pytest.approx(found.curves.insertion[0], abs=1e-6)
        assert 0 <= found.similarity <= 1
    assert is_untouched(subject, state)


def test_a_photo_network_without_output_layer_is_judged_by_its_channel():
    subject = photo_network("squeezenet1_1", classes=0)
    subject = subject.with_module(subject.own_copy().features)
    photo, told = some_input(subject), []
    by_chance = trust.chance(subject, photo, 3, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert len(by_chance.curves) == 4
    for curves in by_chance.curves:
        assert curves.deletion[0] == pytest.approx(1)
        assert curves.insertion[-1] == pytest.approx(1)

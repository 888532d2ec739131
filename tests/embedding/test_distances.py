"""Distances against numpy by hand: the table, the medoid, the overlap, the class means."""

import numpy as np
import pytest

from core.embedding.distances import (
    COSINE,
    EUCLIDEAN,
    EXACT,
    METRICS,
    SSD,
    distances,
    draw,
    most_central,
    orders,
    separate,
)
from core.errors import DataError


@pytest.fixture(scope="module")
def letters():
    """27 letters in 50 dimensions, nine of each of three classes, in no order."""
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat([0, 1, 2], 9))
    return rng.normal(size=(27, 50)).astype(np.float32) + 0.6 * labels[:, None], labels


def by_hand(a, b, metric):
    a, b = a.astype(float), b.astype(float)
    if metric == COSINE:
        return 1 - a @ b / (np.sqrt((a**2).sum()) * np.sqrt((b**2).sum()))
    ssd = ((a - b) ** 2).sum()
    return ssd if metric == SSD else np.sqrt(ssd)


@pytest.mark.parametrize("metric", METRICS)
def test_the_table_of_three_letters_to_all_27(letters, metric):
    rows, labels = letters
    chosen = [int(np.flatnonzero(labels == label)[0]) for label in range(3)]
    expected = [[by_hand(rows[i], other, metric) for other in rows] for i in chosen]
    np.testing.assert_allclose(distances(rows[chosen], rows, metric), expected, atol=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_many_rows_come_near_to_what_few_make_exactly(metric):
    rows = np.random.default_rng(0).normal(size=(2 * EXACT, 8)).astype(np.float32)
    whole = distances(rows, rows, metric)
    np.testing.assert_allclose(whole[:5], distances(rows[:5], rows, metric), atol=1e-6)
    np.testing.assert_allclose(np.diag(whole), 0, atol=1e-6)


def test_a_sample_without_any_activity_has_a_cosine_distance():
    assert distances(np.zeros((1, 3)), np.eye(3), COSINE).tolist() == [[1, 1, 1]]


def test_numbers_without_bound_have_no_distances():
    with pytest.raises(DataError, match="not finite"):
        distances(np.array([[np.inf, 1]]), np.ones((2, 2)))


@pytest.mark.parametrize("metric", [SSD, EUCLIDEAN])
def test_the_most_central_has_the_least_sum_of_squares_to_its_class(letters, metric):
    rows, labels = letters
    sums = ((rows[:, None].astype(float) - rows[None]) ** 2).sum(2)
    for sample in most_central(rows, labels, metric):
        own = np.flatnonzero(labels == labels[sample])
        assert sample == own[sums[np.ix_(own, own)].sum(1).argmin()]


def test_the_most_central_by_cosine_does_not_care_how_long_rows_are():
    rows = np.array([[1, 0], [100, 1], [0, 1]], float)
    assert most_central(rows, np.zeros(3, int), COSINE).tolist() == [1]


def test_a_draw_takes_the_same_share_of_each_class_and_one_at_least():
    labels = np.repeat([0, 1, 2], [600, 300, 1])
    drawn = draw(labels, 91)
    assert np.bincount(labels[drawn]).tolist() in ([60, 30, 1], [59, 31, 1], [61, 29, 1])
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, draw(labels, 91))
    assert len(draw(labels, 5000)) == 901


def test_orders_name_the_nearest_and_count_pairs_in_order(letters):
    rows, labels = letters
    chosen = np.array([4, 20])
    for order in orders(distances(rows[chosen], rows), chosen, labels):
        own = [i for i in range(27) if labels[i] == labels[order.sample] and i != order.sample]
        other = [i for i in range(27) if labels[i] != labels[order.sample]]
        away = {i: by_hand(rows[order.sample], rows[i], SSD) for i in own + other}
        assert order.nearest_own == min(own, key=away.get)
        assert order.nearest_other == min(other, key=away.get)
        right = [(away[a] < away[b]) + 0.5 * (away[a] == away[b]) for a in own for b in other]
        assert order.in_order == pytest.approx(np.mean(right))


def test_a_class_of_one_has_no_nearest_of_its_own():
    (order,) = orders(np.array([[0.0, 2.0, 1.0]]), np.array([0]), np.array([0, 1, 1]))
    assert (order.nearest_own, order.nearest_other, order.in_order) == (None, 2, None)


def test_separation_by_hand(letters):
    rows, labels = letters
    made = separate(rows, labels, 4, EUCLIDEAN)  # a fourth class that has no sample
    pairs = [(i, j, by_hand(rows[i], rows[j], EUCLIDEAN)) for i in range(27) for j in range(i)]
    within = [d for i, j, d in pairs if labels[i] == labels[j]]
    between = [d for i, j, d in pairs if labels[i] != labels[j]]
    np.testing.assert_allclose(np.sort(made.within), np.sort(within))
    np.testing.assert_allclose(np.sort(made.between), np.sort(between))
    overlap = np.mean([(b < w) + 0.5 * (b == w) for w in within for b in between])
    assert made.overlap == pytest.approx(overlap)
    assert 0.01 < made.overlap < 0.45  # neither sorted nor blind, so the number is put to the test
    for a in range(3):
        for b in range(3):
            found = [
                d for i, j, d in pairs if {labels[i], labels[j]} == {a, b} and (labels[i] == labels[j]) == (a == b)
            ]
            assert made.mean[a, b] == pytest.approx(np.mean(found))
    assert np.isnan(made.mean[3]).all()


def test_one_class_alone_overlaps_with_nothing(letters):
    rows, _ = letters
    assert separate(rows, np.zeros(27, int), 1).overlap is None

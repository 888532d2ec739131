"""How far a map can be trusted, against scikit-learn's trustworthiness and brute force."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from core.embedding import trust as module
from core.embedding.trust import NEIGHBOURS, nearest, trust


@pytest.fixture(scope="module")
def space():
    rng = np.random.default_rng(1)
    return (rng.normal(size=(300, 8)) + 4 * rng.normal(size=(6, 8))[rng.integers(0, 6, 300)]).astype(np.float32)


@pytest.fixture(scope="module")
def layout(space):
    return space[:, :2] + np.random.default_rng(2).normal(size=(300, 2)).astype(np.float32)


def test_nearest_is_brute_force_without_the_sample_itself(space, monkeypatch):
    monkeypatch.setattr(module, "SEARCH_CHUNK", 70)
    told = []
    found = nearest(space, 7, lambda done, total: told.append(done))
    away = ((space[:, None].astype(float) - space[None]) ** 2).sum(2)
    np.fill_diagonal(away, np.inf)
    assert (found == np.argsort(away, 1)[:, :7]).mean() > 0.999
    assert told == [70, 140, 210, 280, 300]


def test_equal_samples_and_few_samples(space):
    same = np.repeat(space[:4], 5, axis=0)
    found = nearest(same, 4)
    assert all(i not in row and set(row // 5) == {i // 5} for i, row in enumerate(found))
    assert nearest(space[:3], 10).shape == (3, 2)
    assert nearest(space[:1], 10).shape == (1, 0)


def test_the_whole_maps_numbers_are_scikit_learns(space, layout):
    found = trust(space, nearest(space), layout)
    assert found.rows == 300
    assert found.trustworthiness == pytest.approx(trustworthiness(space, layout, n_neighbors=NEIGHBOURS), abs=1e-6)
    assert found.continuity == pytest.approx(trustworthiness(layout, space, n_neighbors=NEIGHBOURS), abs=1e-6)


def test_of_many_samples_some_tell_nearly_the_same(space, layout, monkeypatch):
    monkeypatch.setattr(module, "ALL_ROWS", 299)
    monkeypatch.setattr(module, "SAMPLED_ROWS", 150)
    found = trust(space, nearest(space), layout)
    assert found.rows == 150
    assert found.trustworthiness == pytest.approx(trustworthiness(space, layout, n_neighbors=NEIGHBOURS), abs=0.02)


def test_shares_count_the_true_neighbours_that_are_near_on_the_map(space, layout):
    neighbours = nearest(space)
    found = trust(space, neighbours, layout)
    away = ((layout[:, None].astype(float) - layout[None]) ** 2).sum(2)
    order = np.argsort(away, 1)[:, 1 : found.near + 1]
    expected = [np.isin(neighbours[i], order[i]).mean() for i in range(300)]
    np.testing.assert_allclose(found.shares, expected, atol=1e-6)
    assert found.near == 30
    assert (found.flagged == (found.shares < 0.5)).all()


def test_a_faithful_map_is_trusted_and_a_shuffled_one_is_not(space):
    flat = np.ascontiguousarray(space[:, :2])
    neighbours = nearest(flat)
    good = trust(flat, neighbours, flat)
    assert (good.shares == 1).all()
    assert good.trustworthiness == good.continuity == 1
    bad = trust(flat, neighbours, np.random.default_rng(0).permutation(flat))
    assert bad.flagged.mean() > 0.9
    assert bad.trustworthiness < 0.65

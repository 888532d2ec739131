"""Filters: which are dead and which are doubled."""

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.filters import cosines, dead_filters, duplicate_filters


@pytest.fixture
def conv() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(2, 8, 5).requires_grad_(False)


def test_no_random_filter_is_dead_or_doubled(conv):
    assert dead_filters(conv) == () == duplicate_filters(conv)


def test_a_filter_without_weights_is_dead_and_no_duplicate(conv):
    conv.weight[3] = 0
    conv.weight[6] *= 1e-4
    assert dead_filters(conv) == (3, 6)
    assert duplicate_filters(conv) == ()


def test_where_all_is_zero_all_is_dead(conv):
    conv.weight.zero_()
    assert dead_filters(conv) == tuple(range(8))


def test_most_filters_may_be_dead(conv):
    conv.weight[:6] = 0
    assert dead_filters(conv) == tuple(range(6))


def test_a_louder_copy_is_a_duplicate_of_the_first(conv):
    for i, scale in ((4, 3.0), (7, 0.2)):
        conv.weight[i], conv.bias[i] = conv.weight[1] * scale, conv.bias[1] * scale
    assert duplicate_filters(conv) == ((1, 4), (1, 7))


def test_the_same_weights_at_another_threshold_are_no_duplicate(conv):
    conv.weight[4], conv.bias[4] = conv.weight[1], conv.bias[1] + 5
    assert duplicate_filters(conv) == ()


def test_the_opposite_filter_is_no_duplicate(conv):
    conv.weight[4], conv.bias[4] = -conv.weight[1], -conv.bias[1]
    assert duplicate_filters(conv) == ()


def test_large_biases_do_not_make_filters_alike(conv):
    conv.bias += 100
    assert duplicate_filters(conv) == ()


def test_the_cosine_asked_for_counts():
    conv = nn.Conv2d(1, 2, 2, bias=False).requires_grad_(False)
    conv.weight[0] = torch.tensor([[1.0, 0], [0, 0]])
    conv.weight[1] = torch.tensor([[0.6, 0.8], [0, 0]])
    assert duplicate_filters(conv, 0.59) == ((0, 1),)
    assert duplicate_filters(conv, 0.61) == ()


def test_cosines_are_those_of_scikit_learn():
    from sklearn.metrics.pairwise import cosine_similarity

    rows = np.random.default_rng(0).normal(size=(6, 9))
    rows[2] = 0
    assert np.allclose(cosines(rows), cosine_similarity(rows))


def test_a_depthwise_convolution_has_filters_too():
    torch.manual_seed(1)
    conv = nn.Conv2d(6, 6, 3, groups=6)
    assert dead_filters(conv) == () == duplicate_filters(conv)

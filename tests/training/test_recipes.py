"""Every network has settings of its own that fit it."""

import pytest

from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import build
from core.training.recipes import RECIPES, recipe


@pytest.mark.parametrize("network", ARCHITECTURES)
def test_every_network_has_a_recipe_that_builds_it(network):
    config = recipe(network)
    assert config.network == network
    built = build(config.spec(NetworkSpec(network).classes))
    assert built.spec.dropout == config.dropout


def test_each_recipe_stands_once_and_under_its_networks_name():
    assert RECIPES.keys() == set(ARCHITECTURES)
    assert all(config.network == name for name, config in RECIPES.items())


def test_the_heart_networks_learn_as_reported_unless_asked_otherwise():
    assert recipe("heart-11-10-1").loss == "mse"
    assert recipe("heart-11-10-1", loss="cross-entropy").loss == "cross-entropy"

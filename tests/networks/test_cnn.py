"""The free network: what is accepted works, what cannot work is refused with the layer named."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import NetworkError
from core.networks import NetworkSpec
from core.networks.base import build, count_parameters
from core.networks.cnn import Cnn
from core.networks.gabor import gabor_bank
from core.networks.spec import ACTIVATIONS, POOL_PLACES, CnnShape, plan_cnn
from core.training.config import TrainingConfig
from core.training.optimizer import make_optimizer


@st.composite
def shapes(draw: st.DrawFn) -> CnnShape:
    """Any shape; most with few filters, so that hundreds can be built."""
    conv_layers = draw(st.integers(1, 8))
    filters = draw(st.lists(st.integers(1, 12) | st.integers(1, 512), min_size=1, max_size=conv_layers))
    return CnnShape(
        conv_layers=conv_layers,
        filters=tuple(filters),
        filter_size=draw(st.integers(1, 7) | st.integers(1, 28)),
        pool_size=draw(st.integers(1, 4) | st.integers(1, 28)),
        pool_place=draw(st.sampled_from(POOL_PLACES)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        dense_nodes=draw(st.integers(1, 200) | st.integers(1, 4096)),
        second_dropout=draw(st.sampled_from([0.0, 0.5])),
        batch_norm=draw(st.booleans()),
    )


def test_a_first_layer_of_gabor_filters_is_given_and_stays():
    given = CnnShape(filters=(10, 4), filter_size=5, first_layer="gabor")
    torch.manual_seed(3)
    network = build(NetworkSpec("cnn", cnn=given)).train()
    first = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
    assert torch.equal(first.weight, gabor_bank(10, 5))
    assert first.bias is None
    before = {name: value.clone() for name, value in network.state_dict().items()}
    config = TrainingConfig(network="cnn", cnn=given, weight_decay=0.1)
    optimizer = make_optimizer(network, config)
    network(torch.rand(8, 1, 28, 28)).sum().backward()
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == before.keys() - {"features.0.weight"}
    plan = plan_cnn(given, 10)
    assert plan[0].parameters == 10 * 25
    assert count_parameters(network) == sum(layer.parameters for layer in plan)
    normed = CnnShape(filters=(10, 4), filter_size=5, first_layer="gabor", batch_norm=True)
    assert count_parameters(build(NetworkSpec("cnn", cnn=normed))) == sum(p.parameters for p in plan_cnn(normed, 10))
    for size in (3, 4, 9):  # each filter even of nothing: no answer to paper or ink alone
        assert gabor_bank(5, size).sum((1, 2, 3)).abs().max() < 1e-5
    with pytest.raises(NetworkError, match="Gabor filters need a filter_size of 3 or more, not 2"):
        CnnShape(filter_size=2, first_layer="gabor")
    with pytest.raises(NetworkError, match="first_layer must be one of learned, gabor"):
        CnnShape(first_layer="random")


def accepted(shape: CnnShape, classes: int) -> NetworkSpec | None:
    try:
        return NetworkSpec("cnn", classes=classes, cnn=shape)
    except NetworkError:
        return None


@given(shape=shapes(), classes=st.integers(2, 30))
@settings(max_examples=150, deadline=None)
def test_what_is_accepted_works_and_what_is_refused_names_a_layer(shape, classes):
    spec = accepted(shape, classes)
    if spec is None:
        with pytest.raises(NetworkError, match=r"(conv|pool) \d would leave no pixels|of them in (conv \d|dense)"):
            NetworkSpec("cnn", classes=classes, cnn=shape)
        return
    network = build(spec).train()
    logits = network.logits(torch.rand(2, 1, 28, 28))
    assert logits.shape == (2, classes)
    assert network.embed(torch.rand(2, 1, 28, 28)).shape == (2, shape.dense_nodes)
    assert count_parameters(network) == sum(layer.parameters for layer in plan_cnn(shape, classes))


@given(shape=shapes())
@settings(max_examples=150, deadline=None)
def test_what_is_refused_for_its_pixels_could_not_run(shape):
    """The arithmetic of the refusal against torch's own, on one filter each: sizes do not depend on how many."""
    side = torch.zeros(1, 1, 28, 28)
    try:
        for i in range(1, shape.conv_layers + 1):
            side = torch.conv2d(side, torch.zeros(1, 1, shape.filter_size, shape.filter_size))
            if shape.pool_place == "each" or (shape.pool_place == "last" and i == shape.conv_layers):
                side = torch.max_pool2d(side, shape.pool_size)
        works = True
    except RuntimeError:
        works = False
    try:
        layers = plan_cnn(shape, 10)
    except NetworkError:
        assert not works
    else:
        assert works
        assert layers[-3].size == shape.filters_by_layer[-1] * side.numel()


@pytest.mark.parametrize(
    ("dimensions", "sentence"),
    [
        (
            {"conv_layers": 3, "filter_size": 5, "pool_size": 3},
            "conv 3 would leave no pixels: its 5×5 filter needs at least 5×5, but only 1×1 come to it. Take fewer",
        ),
        ({"conv_layers": 1, "filters": 8, "filter_size": 20, "pool_size": 10}, "pool 1 would leave no pixels: it need"),
        ({"conv_layers": 4, "filter_size": 9, "pool_place": "last"}, "conv 4 would leave no pixels: its 9×9 filter"),
        ({"filters": 512, "filter_size": 1, "pool_place": "none", "dense_nodes": 4096}, r"1,6\d\d,.* of them in dense"),
        ({"pool_size": 0}, "pool_size must be a whole number from 1 to 28, not 0"),
        ({"filters": [1, 2, 3]}, "filters must be 1 to 2 whole numbers"),
        ({"activation": "swish"}, "activation must be one of relu, sigmoid, tanh"),
    ],
)
def test_dimensions_that_cannot_work_are_refused(dimensions, sentence):
    with pytest.raises(NetworkError, match=sentence):
        NetworkSpec.from_json({"architecture": "cnn", "cnn": dimensions})


def test_too_many_parameters_are_refused_with_their_number():
    with pytest.raises(NetworkError, match=r"would have 201,\d{3},\d{3} parameters, 201,\d{3},\d{3} of them in dense"):
        NetworkSpec("cnn", cnn=CnnShape(filters=(16, 64), filter_size=1, pool_place="none", dense_nodes=4013))


def test_a_cnn_without_dimensions_has_the_default_ones():
    assert NetworkSpec("cnn").cnn == CnnShape()
    assert NetworkSpec.from_json({"architecture": "cnn", "cnn": None}) == NetworkSpec("cnn", cnn=CnnShape())


def test_each_dimension_has_its_place():
    shape = CnnShape(2, (3, 4), 5, 2, "last", "tanh", 7, 0.25, True)
    network = build(NetworkSpec("cnn", classes=6, dropout=0.75, cnn=shape))
    assert isinstance(network, Cnn)
    names = [type(layer).__name__ for layer in network.features]
    assert names == ["Conv2d", "BatchNorm2d", "Tanh", "Conv2d", "BatchNorm2d", "Tanh", "MaxPool2d", "Flatten"]
    assert [p.shape for p in network.features.parameters() if p.ndim == 4] == [(3, 1, 5, 5), (4, 3, 5, 5)]
    assert (network.dropout.p, network.second_dropout.p) == (0.75, 0.25)
    assert network.dense[0].weight.shape == (7, 4 * 10 * 10)
    assert network.output.weight.shape == (6, 7)

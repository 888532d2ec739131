"""What every network must be, and what the two that ship are."""

import pytest
import torch

from core.errors import NetworkError
from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import Network, as_input, build, count_parameters

GLYPH_NETWORKS = [name for name in ARCHITECTURES if NetworkSpec(name).takes == "glyphs"]


def some_inputs(network: Network, count: int) -> torch.Tensor:
    return torch.rand(count, *network.example().shape[1:])


@pytest.mark.parametrize("classes", [2, 10, 24])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_answers_in_log_probabilities(architecture, classes):
    if architecture not in GLYPH_NETWORKS:
        classes = 2
    network = build(NetworkSpec(architecture, classes=classes)).eval()
    inputs = some_inputs(network, 3)
    answers = network(inputs)
    assert answers.shape == (3, classes)
    torch.testing.assert_close(answers.exp().sum(dim=1), torch.ones(3))
    torch.testing.assert_close(answers, network.logits(inputs).log_softmax(dim=1))
    assert network.embed(inputs).ndim == 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_is_answered_as_its_inputs_one_by_one(architecture):
    network = build(NetworkSpec(architecture)).eval()
    inputs = some_inputs(network, 4)
    one_by_one = torch.cat([network(one[None]) for one in inputs])
    torch.testing.assert_close(network(inputs), one_by_one, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_spec_knows_what_its_network_takes(architecture):
    network = build(NetworkSpec(architecture))
    assert network.spec.takes == network.INPUT_NAME
    assert network.example().ndim == {"glyphs": 4, "features": 2}[network.INPUT_NAME]


def test_glyphs_become_input_and_features_stay():
    glyphs = torch.randint(256, (5, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(as_input(glyphs), glyphs[:, None] / 255)
    features = torch.randn(5, 11)
    assert torch.equal(as_input(features), features)


def test_report_has_the_reports_parameters():
    network = build(NetworkSpec("report"))
    assert {name: count_parameters(layer) for name, layer in network.named_children() if count_parameters(layer)} == {
        "conv1": 260,
        "conv2": 5_020,
        "fc1": 16_050,
        "fc2": 510,
    }
    assert count_parameters(build(NetworkSpec("report", classes=3))) == 21_483


def test_digits_is_small_enough_for_the_camera():
    assert count_parameters(build(NetworkSpec("digits"))) <= 400_000


def test_the_same_seed_builds_the_same_network():
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        weights.append(torch.cat([p.flatten() for p in build(NetworkSpec("digits")).parameters()]))
    assert torch.equal(*weights)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"architecture": "alexnet"}, "Unknown network architecture 'alexnet'; choose one of: report, digits"),
        ({"architecture": ["report"]}, "Unknown network architecture"),
        ({"architecture": "report", "classes": 1}, "classes must be a whole number from 2 to 1000, not 1"),
        ({"architecture": "report", "classes": 10.0}, "classes must be a whole number from 2 to 1000"),
        ({"architecture": "report", "classes": True}, "classes must be a whole number from 2 to 1000"),
        ({"architecture": "report", "dropout": 1}, "dropout is a share"),
        ({"architecture": "report", "dropout": "0.5"}, "dropout is a share"),
        ({"architecture": "report", "dropout": float("nan")}, "dropout is a share"),
        ({"architecture": "report", "layers": 3}, "unknown fields: layers"),
        ({"architecture": "heart-11-10-1", "classes": 10}, "has one output and tells 2 classes apart, not 10"),
        ({"classes": 10}, "with the field 'architecture'"),
        ("report", "with the field 'architecture'"),
    ],
)
def test_an_impossible_spec_is_refused(fields, sentence):
    with pytest.raises(NetworkError, match=sentence):
        NetworkSpec.from_json(fields)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_spec_survives_its_json(architecture):
    spec = NetworkSpec(architecture, classes=5 if architecture in GLYPH_NETWORKS else 2, dropout=0.25)
    assert NetworkSpec.from_json(spec.to_json()) == spec

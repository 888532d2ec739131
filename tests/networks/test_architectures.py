"""What every network must be, and what the two that ship are."""

import pytest
import torch

from core.errors import NetworkError
from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import build, count_parameters


@pytest.mark.parametrize("classes", [2, 10, 24])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_answers_in_log_probabilities(architecture, classes):
    network = build(NetworkSpec(architecture, classes=classes)).eval()
    glyphs = torch.rand(3, 1, 28, 28)
    answers = network(glyphs)
    assert answers.shape == (3, classes)
    torch.testing.assert_close(answers.exp().sum(dim=1), torch.ones(3))
    torch.testing.assert_close(answers, network.logits(glyphs).log_softmax(dim=1))
    assert network.embed(glyphs).ndim == 2


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_is_answered_as_its_glyphs_one_by_one(architecture):
    network = build(NetworkSpec(architecture)).eval()
    glyphs = torch.rand(4, 1, 28, 28)
    one_by_one = torch.cat([network(glyph[None]) for glyph in glyphs])
    torch.testing.assert_close(network(glyphs), one_by_one, atol=1e-5, rtol=1e-4)


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
        ({"classes": 10}, "with the field 'architecture'"),
        ("report", "with the field 'architecture'"),
    ],
)
def test_an_impossible_spec_is_refused(fields, sentence):
    with pytest.raises(NetworkError, match=sentence):
        NetworkSpec.from_json(fields)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_spec_survives_its_json(architecture):
    spec = NetworkSpec(architecture, classes=5, dropout=0.25)
    assert NetworkSpec.from_json(spec.to_json()) == spec

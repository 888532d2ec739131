"""What every network must be, and what the named ones are."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from onnxruntime import InferenceSession

from core.errors import NetworkError
from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import Network, as_input, build, count_parameters
from core.networks.gabor import ORIENTATIONS, gabor_bank
from core.networks.runtime import export_onnx

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


def parameters_by_layer(network: Network) -> dict[str, int]:
    return {name: count_parameters(layer) for name, layer in network.named_children() if count_parameters(layer)}


@pytest.mark.parametrize("architecture", ["report", "report-dropout2d"])
def test_report_has_the_reports_parameters(architecture):
    network = build(NetworkSpec(architecture))
    assert parameters_by_layer(network) == {"conv1": 260, "conv2": 5_020, "fc1": 16_050, "fc2": 510}
    assert count_parameters(network) == 21_840
    assert count_parameters(build(NetworkSpec(architecture, classes=3))) == 21_483


def test_keras_has_its_parameters_up_to_the_embedding():
    layers = parameters_by_layer(build(NetworkSpec("keras")))
    assert layers == {"conv1": 320, "conv2": 9_248, "dense": 589_952, "output": 1_290}
    assert sum(layers.values()) - layers["output"] == 599_520


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        ("mlp", 401_920 + 262_656 + 5_130),
        ("gabor", 250 + 5_020 + 16_050 + 510),
        ("vit", 138_890),
        ("heart-11-10-1", 120 + 11),
        ("heart-11-15-20-30-40-1", 180 + 320 + 630 + 1_240 + 41),
    ],
)
def test_the_others_have_theirs(architecture, parameters):
    assert count_parameters(build(NetworkSpec(architecture))) == parameters


@pytest.mark.parametrize(
    ("architecture", "width"),
    [
        ("report", 50),
        ("report-dropout2d", 50),
        ("keras", 128),
        ("mlp", 512),
        ("cnn", 128),
        ("gabor", 50),
        ("vit", 64),
        ("digits", 128),
        ("heart-11-10-1", 10),
        ("heart-11-15-20-30-40-1", 40),
    ],
)
def test_the_embedding_is_the_layer_before_the_output(architecture, width):
    network = build(NetworkSpec(architecture)).eval()
    assert network.embed(some_inputs(network, 3)).shape == (3, width)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_exported_network_answers_the_same(architecture):
    torch.manual_seed(5)
    network = build(NetworkSpec(architecture)).eval()
    session = InferenceSession(export_onnx(network, "0" * 64), providers=["CPUExecutionProvider"])
    for count in (1, 7):
        inputs = some_inputs(network, count)
        (answers,) = session.run(None, {network.INPUT_NAME: inputs.numpy()})
        np.testing.assert_allclose(answers, network.logits(inputs).detach().numpy(), atol=1e-4)


def train_a_little(network: Network, steps: int = 4) -> None:
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        F.nll_loss(network(some_inputs(network, 8)), torch.arange(8) % network.spec.classes).backward()
        optimizer.step()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_that_may_learn_learns_alike_from_the_same_seed(architecture):
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        network = build(NetworkSpec(architecture, dropout=0.1))
        before = {name: p.clone() for name, p in network.named_parameters()}
        train_a_little(network)
        still = [name for name, p in network.named_parameters() if torch.equal(p, before[name])]
        assert still == [name for name, p in network.named_parameters() if not p.requires_grad]
        states.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(*states)


def test_gabors_first_layer_is_a_given_bank_of_filters():
    network = build(NetworkSpec("gabor"))
    assert [name for name, p in network.named_parameters() if not p.requires_grad] == ["conv1.weight"]
    bank = gabor_bank()
    train_a_little(network)
    assert torch.equal(network.conv1.weight, bank)
    torch.testing.assert_close(bank.sum((1, 2, 3)), torch.zeros(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(bank.flatten(1).norm(dim=1), torch.ones(10))


def test_a_gabor_filter_answers_most_to_strokes_of_its_own_direction():
    """Line detectors see a line along their stripes, from 0° (a vertical one) on; edge detectors do not."""
    reach = torch.arange(5.0) - 2
    y, x = torch.meshgrid(reach, reach, indexing="ij")
    for i in range(ORIENTATIONS):
        angle = torch.tensor(math.pi * i / ORIENTATIONS)
        across = x * angle.cos() + y * angle.sin()
        line = (1.25 - across.abs()).clamp(0, 1)
        answers = F.conv2d(line[None, None], gabor_bank()).flatten()
        assert answers.argmax() == i
        assert answers[ORIENTATIONS + i].abs() < 1e-4


def test_dropout2d_drops_whole_channels():
    network = build(NetworkSpec("report-dropout2d", dropout=0.5)).train()
    torch.manual_seed(1)
    dropped = (network.dropout(torch.ones(50, 20, 8, 8)) == 0).flatten(2)
    assert torch.equal(dropped.all(dim=2), dropped.any(dim=2))
    assert 0.4 < dropped.float().mean() < 0.6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_dropout_is_only_for_learning(architecture):
    torch.manual_seed(2)
    network = build(NetworkSpec(architecture, dropout=0.5))
    inputs = some_inputs(network, 4)
    assert not torch.equal(network.train().logits(inputs), network.logits(inputs))
    assert torch.equal(network.eval().logits(inputs), network.logits(inputs))


def test_the_mlp_takes_intensities_as_they_are():
    network = build(NetworkSpec("mlp")).eval()
    glyphs = torch.rand(3, 1, 28, 28)
    x = (glyphs.reshape(3, 784) @ network.dense1.weight.T + network.dense1.bias).clamp(min=0)
    x = (x @ network.dense2.weight.T + network.dense2.bias).clamp(min=0)
    torch.testing.assert_close(network.logits(glyphs), x @ network.output.weight.T + network.output.bias)


def test_a_heart_networks_answer_is_the_sigmoid_of_its_one_output():
    network = build(NetworkSpec("heart-11-15-20-30-40-1")).eval()
    rows = torch.randn(6, 11)
    z = network.output(network.embed(rows))[:, 0]
    torch.testing.assert_close(network(rows).exp(), torch.stack([1 - z.sigmoid(), z.sigmoid()], dim=1))
    labels = torch.tensor([0, 1, 1, 0, 1, 0])
    torch.testing.assert_close(
        F.cross_entropy(network.logits(rows), labels), F.binary_cross_entropy_with_logits(z, labels.float())
    )


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
        ({"architecture": "alexnet"}, "Unknown network architecture 'alexnet'; choose one of: report, .*digits"),
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

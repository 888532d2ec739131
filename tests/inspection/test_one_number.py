"""One number of a layer worked out by hand: the network's own, in every network, and so is all that follows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import get_model

from core.errors import NetworkError
from core.inspection.bank import dense_layers
from core.inspection.one_number import sum_up, weigh
from core.inspection.subject import Subject
from core.networks import NetworkSpec
from core.networks.base import build
from core.networks.spec import ARCHITECTURES, CnnShape

PHOTOS = ("resnet18", "squeezenet1_1", "mobilenet_v2")


def shaken(module: nn.Module) -> nn.Module:
    """With batch norms that do something: fresh ones only pass on."""
    generator = torch.Generator().manual_seed(3)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values, low in (
                (part.running_mean, -0.3),
                (part.running_var, 0.5),
                (part.weight, 0.4),
                (part.bias, -0.2),
            ):
                values.data = low + torch.rand(values.shape, generator=generator)
    return module.eval()


def subject_of(name: str) -> Subject:
    torch.manual_seed(5)
    if name in PHOTOS:
        return Subject(name, shaken(get_model(name, weights=None)), "photos", (), torch.zeros(1, 3, 64, 64))
    network = build(NetworkSpec(name))
    return Subject(name, shaken(network), network.spec.takes, tuple("0123456789"), network.example()[:1])


def inputs_of(subject: Subject) -> torch.Tensor:
    return torch.rand(1, *subject.example.shape[1:], generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", [*ARCHITECTURES, *PHOTOS])
def test_every_number_is_the_networks_own(name):
    subject = subject_of(name)
    inputs, made = inputs_of(subject), subject.activations(inputs_of(subject))
    before = {key: value.clone() for key, value in subject.module.state_dict().items()}
    rng = np.random.default_rng(0)
    dense, seen = dense_layers(subject), 0
    layers = [*subject.convolutions, *dense]
    for layer in layers if len(layers) < 14 else layers[:10] + layers[-4:]:
        corners = [tuple(0 for _ in layer.shape), tuple(size - 1 for size in layer.shape)]
        for place in [*corners, tuple(int(rng.integers(size)) for size in layer.shape)]:
            found = (weigh if layer in dense else sum_up)(subject, layer, inputs, place)
            assert found.value == pytest.approx(float(made[layer.name][0][place]), abs=1e-5)
            for step in found.steps:
                assert step.value == pytest.approx(float(made[step.layer][0][step.place]), abs=1e-5), step
            seen += len(found.steps)
    assert seen > 0
    assert all(torch.equal(value, before[key]) for key, value in subject.module.state_dict().items())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in subject.module.modules())


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_other_activations(activation):
    torch.manual_seed(0)
    network = build(NetworkSpec("cnn", cnn=CnnShape(activation=activation, batch_norm=True))).eval()
    subject = Subject("cnn", network, "glyphs", tuple("0123456789"), network.example()[:1])
    inputs = inputs_of(subject)
    found = sum_up(subject, subject.convolutions[0], inputs, (3, 4, 5))
    assert [step.label for step in found.steps] == ["batch norm", activation, "max-pool 2×2"]
    own = subject.activations(inputs)
    assert [step.value for step in found.steps] == pytest.approx([float(own[s.layer][0][s.place]) for s in found.steps])


def test_the_sum_is_that_of_the_tables():
    subject = subject_of("report")
    inputs = inputs_of(subject)
    found = sum_up(subject, subject.convolutions[1], inputs, (7, 2, 3))
    module = subject.module
    with torch.no_grad():
        read = F.relu(F.max_pool2d(module.conv1((inputs - 0.1307) / 0.3081), 2))
        expected = (read[0, :, 2:7, 3:8] * module.conv2.weight[7]).sum() + module.conv2.bias[7]
    assert np.allclose(found.patch, read[0, :, 2:7, 3:8])
    assert found.value == pytest.approx(float(expected), abs=1e-5)
    assert found.by_channel.shape == (10,)
    assert found.by_channel.sum() + found.bias == pytest.approx(found.value)
    assert found.outline == (2.5, 1.5, 7.5, 6.5)
    assert [(step.label, step.place) for step in found.steps] == [("max-pool 2×2", (7, 1, 1)), ("ReLU", (7, 1, 1))]


def test_padding_counts_as_zero():
    subject = subject_of("digits")
    found = sum_up(subject, subject.convolutions[0], inputs_of(subject), (0, 0, 13))
    assert found.corner == (-2, 24)
    assert not found.patch[0, :2].any()
    assert not found.patch[0, :, 4:].any()
    assert found.patch[0, 2:, :4].all()


def test_what_no_pool_takes_ends_there():
    subject = subject_of("digits")  # 7×7 pooled by 2: the last row belongs to no window
    last = subject.convolutions[-1]
    assert [s.label for s in sum_up(subject, last, inputs_of(subject), (0, 6, 0)).steps] == ["batch norm", "ReLU"]
    assert sum_up(subject, last, inputs_of(subject), (0, 5, 0)).steps[-1].place == (0, 2, 0)


def test_a_depthwise_filter_reads_its_own_channel():
    subject = subject_of("mobilenet_v2")
    layer = next(x for x in subject.convolutions if subject.convolution(x).groups > 1)
    assert sum_up(subject, layer, inputs_of(subject), (9, 3, 3)).channels == (9,)


def test_the_largest_contributions_and_the_rest():
    subject = subject_of("report")
    found = weigh(subject, subject.layer("fc1"), inputs_of(subject), (4,))
    order, rest = found.largest(6)
    products = found.products
    assert sorted(np.abs(products)[order])[0] >= np.sort(np.abs(products))[-6]
    assert products[order].sum() + rest + found.bias == pytest.approx(found.value)


def test_places_that_are_not_there_are_refused():
    subject = subject_of("report")
    with pytest.raises(NetworkError, match="makes 10 × 24 × 24 numbers"):
        sum_up(subject, subject.convolutions[0], inputs_of(subject), (0, 24, 0))
    with pytest.raises(NetworkError, match="makes 50 numbers"):
        weigh(subject, subject.layer("fc1"), inputs_of(subject), (0, 1))


def test_other_padding_is_refused():
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect")).eval()
    subject = Subject("mirror", module, "glyphs", (), torch.zeros(1, 1, 28, 28))
    with pytest.raises(NetworkError, match="pads with reflect"):
        sum_up(subject, subject.convolutions[0], inputs_of(subject), (0, 0, 0))

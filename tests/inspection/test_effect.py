"""What filters make of a picture: filter2D against a sum by hand and against the layer itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import get_model

from core.inspection.effect import differences, effect_of, filter2d, padding, positions
from core.inspection.subject import Subject
from core.networks import NetworkSpec
from core.networks.base import build
from core.networks.spec import ARCHITECTURES

GLYPHS = [name for name, kind in ARCHITECTURES.items() if kind.takes == "glyphs" and name != "mlp"]
PHOTOS = ("resnet18", "squeezenet1_1", "mobilenet_v2")


def subject_of(name: str) -> Subject:
    torch.manual_seed(5)
    if name in PHOTOS:
        mean, spread = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        network = get_model(name, weights=None).eval()
        return Subject(name, network, "photos", (), torch.zeros(1, 3, 64, 64), mean=mean, spread=spread)
    network = build(NetworkSpec(name)).eval()
    return Subject(name, network, "glyphs", tuple("0123456789"), network.example()[:1])


def read_by(subject: Subject, path: str, inputs: torch.Tensor) -> np.ndarray:
    """What the module of that path gets, as a hook on a copy sees it."""
    module, seen = subject.own_copy(), []
    module.get_submodule(path).register_forward_pre_hook(lambda _m, given: seen.append(given[0].clone()))
    with torch.no_grad():
        module(inputs)
    return seen[0][0].numpy()


@pytest.mark.parametrize("name", [*GLYPHS, *PHOTOS])
def test_filter2d_is_the_layer_less_its_bias_where_no_border_is_near(name):
    subject = subject_of(name)
    inputs = torch.rand(1, *subject.example.shape[1:], generator=torch.Generator().manual_seed(1))
    checked = 0
    for layer in subject.convolutions[:6]:
        conv = subject.convolution(layer)
        read = read_by(subject, layer.path, inputs)
        output = subject.activations(inputs, [layer.name])[layer.name][0]
        if conv.bias is not None:
            output = output - conv.bias.detach()[:, None, None]
        rows, columns = positions(conv, *layer.shape[1:])
        h, w = conv.kernel_size
        good = [
            (at >= size // 2) & (at - size // 2 + size <= length)
            for at, size, length in ((rows, h, read.shape[1]), (columns, w, read.shape[2]))
        ]
        kernels, width = conv.weight.detach().numpy(), conv.in_channels // conv.groups
        for k in (0, conv.out_channels - 1):
            first = k // (conv.out_channels // conv.groups) * width
            made = filter2d(read[first : first + width], kernels[k : k + 1])[0]
            expected = output[k].numpy()[np.ix_(*good)]
            found = made[np.ix_(rows[good[0]], columns[good[1]])]
            assert np.allclose(found, expected, atol=1e-4)
            checked += found.size
    assert checked >= 98  # of the transformer: 2 × 7 × 7


def test_filter2d_correlates_and_mirrors_without_the_border():
    rng = np.random.default_rng(0)
    channels, kernels = rng.normal(size=(2, 7, 9)), rng.normal(size=(3, 2, 4, 5))
    wide = np.pad(channels, ((0, 0), (2, 1), (2, 2)), mode="reflect")
    by_hand = np.array(
        [[[(wide[:, y : y + 4, x : x + 5] * kernel).sum() for x in range(9)] for y in range(7)] for kernel in kernels]
    )
    assert np.allclose(filter2d(channels, kernels), by_hand, atol=1e-5)


def test_a_dilated_kernel_reaches_further():
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 1, 3, dilation=2, bias=False)
    picture = torch.rand(1, 1, 12, 12)
    made = filter2d(picture[0].numpy(), conv.weight.detach().numpy(), (2, 2))
    assert np.allclose(made[0, 2:-2, 2:-2], conv(picture)[0, 0].detach(), atol=1e-5)
    assert positions(conv, 8, 8)[0].tolist() == list(range(2, 10))


@pytest.mark.parametrize("name", [*GLYPHS, *PHOTOS])
def test_the_maps_are_the_networks_own(name):
    subject = subject_of(name)
    inputs = torch.rand(1, *subject.example.shape[1:], generator=torch.Generator().manual_seed(1))
    layer = subject.convolutions[0]
    effect = effect_of(subject, layer, inputs, (2, 0))
    with torch.no_grad():
        expected = subject.convolution(layer)(torch.from_numpy(read_by(subject, layer.path, inputs))[None])[0]
    assert np.allclose(effect.output, expected[[2, 0]], atol=1e-5)
    seen = subject.seen(inputs)
    channels = seen[None] if seen.ndim == 2 else seen.transpose(2, 0, 1)
    assert np.allclose(
        effect.by_filter2d, filter2d(channels, subject.convolution(layer).weight[[2, 0]].detach().numpy())
    )
    assert (effect.activated is None) == (name == "vit")
    if name != "vit":
        assert effect.activated.min() >= 0


def test_a_later_layer_reads_what_comes_before_it():
    subject = subject_of("report")
    inputs = torch.rand(1, 1, 28, 28)
    effect = effect_of(subject, subject.convolutions[1], inputs, (4,))
    read = read_by(subject, "conv2", inputs)
    assert np.allclose(effect.by_filter2d, filter2d(read, subject.module.conv2.weight[4:5].detach().numpy()), atol=1e-5)
    assert effect.after == "max-pool 2×2, ReLU"
    assert effect.activated.shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("name", "number", "said", "unsaid"),
    [
        ("report", 0, ["does not pad", "standardised", "adds each filter's bias"], ["steps by", "channels"]),
        ("report", 1, ["does not pad", "reads 10 channels"], ["standardised", "steps by"]),
        ("digits", 0, ["pads the picture by 2 pixels of zeros", "steps by 2 pixels", "has no bias"], ["channels"]),
        ("vit", 0, ["steps by 4 pixels, so it keeps one of 16", "row 3, column 3"], ["groups"]),
        ("resnet18", 0, ["3 colours", "standardised", "no bias", "by 3 pixels"], ["channels;"]),
        ("squeezenet1_1", 1, ["one pixel no border counts", "reads 64 channels"], ["pad", "row 1"]),
        ("mobilenet_v2", 1, ["own group, 1 of 32"], ["colours"]),
    ],
)
def test_the_differences_said_are_this_layers(name, number, said, unsaid):
    subject = subject_of(name)
    words = " ".join(differences(subject, subject.convolutions[number]))
    assert all(part in words for part in said)
    assert not any(part in words for part in unsaid)


def test_caffes_scaling_is_not_called_standardised():
    mean, spread = (123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3
    subject = replace(subject_of("squeezenet1_1"), mean=mean, spread=spread)
    words = " ".join(differences(subject, subject.convolutions[0]))
    assert "less the mean colour 123, 117, 104" in words
    assert "not standardised" in words
    assert "divided by the spread" not in words


def test_padding_in_pixels():
    assert padding(nn.Conv2d(1, 1, 5, padding="same")) == (2, 2)
    assert padding(nn.Conv2d(1, 1, 5, padding="valid")) == (0, 0)
    assert padding(nn.Conv2d(1, 1, 5, padding=(1, 2))) == (1, 2)

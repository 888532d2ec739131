"""A layer's filters: which are dead or doubled, how they are shown, what they read and what follows them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import get_model

from core.errors import NetworkError
from core.inspection.bank import (
    NORM,
    PATTERN,
    bank_of,
    colours,
    dense_layers,
    filter_layers,
    flat_kernels,
    never_active,
)
from core.inspection.chain import activation_after, chain, source
from core.inspection.filters import cosines, dead_filters, duplicate_filters
from core.inspection.subject import Subject
from core.networks import NetworkSpec
from core.networks.base import build
from core.networks.spec import ARCHITECTURES


def subject_of(name: str) -> Subject:
    torch.manual_seed(5)
    if name not in ARCHITECTURES:
        return Subject(name, get_model(name, weights=None).eval(), "photos", (), torch.zeros(1, 3, 64, 64))
    network = build(NetworkSpec(name)).eval()
    return Subject(name, network, network.spec.takes, tuple("0123456789"), network.example()[:1])


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


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report", "[10, 1, 5, 5]: 10 filters, each over 1 channel, 5 rows by 5 columns"),
        ("vit", "[64, 1, 4, 4]: 64 filters, each over 1 channel, 4 rows by 4 columns"),
        ("mlp", "[512, 1, 28, 28]: 512 rows of weights, each over 1 channel, 28 rows by 28 columns"),
        ("kernel", "[3, 2, 1, 1]: 3 filters, each over 2 channels, one pixel"),
        ("resnet18", "[64, 3, 7, 7]: 64 filters, each over 3 channels, 7 rows by 7 columns"),
    ],
)
def test_the_first_bank_in_words(name, words):
    subject = (
        subject_of(name)
        if name != "kernel"
        else Subject(name, nn.Sequential(nn.Conv2d(2, 3, 1)).eval(), "photos", (), torch.zeros(1, 2, 5, 5))
    )
    bank = bank_of(subject, filter_layers(subject)[0])
    assert bank.in_words == words
    module = subject.module.get_submodule(bank.layer.path)
    assert np.array_equal(bank.weights.ravel(), module.weight.detach().numpy().ravel())
    assert np.allclose(bank.norms, module.weight.detach().flatten(1).norm(dim=1), atol=1e-5)


def test_a_dense_row_lies_on_the_picture_as_it_is_flattened():
    subject = subject_of("mlp")
    bank = bank_of(subject, filter_layers(subject)[0])
    picture = torch.rand(1, 1, 28, 28)
    made = subject.activations(picture, ["dense1"])["dense1"][0]
    assert np.allclose((bank.weights * picture.numpy()).sum((1, 2, 3)) + bank.bias, made, atol=1e-4)


@pytest.mark.parametrize("name", [name for name, kind in ARCHITECTURES.items() if kind.takes == "features"])
def test_a_network_for_tables_has_no_filters(name):
    assert filter_layers(subject_of(name)) == ()
    assert dense_layers(subject_of(name))[0].path == "hidden.0"


def test_depthwise_filters_have_one_channel_of_their_own():
    subject = subject_of("mobilenet_v2")
    bank = bank_of(subject, subject.convolutions[1])
    assert bank.channels == 1
    assert "each, 1 channel of its own group (1 of 32)" in bank.in_words


def test_what_may_be_shown_of_many_channels():
    subject = subject_of("report")
    bank = bank_of(subject, subject.convolutions[1])
    assert np.array_equal(flat_kernels(bank, 3), bank.weights[:, 3])
    assert np.allclose(flat_kernels(bank, NORM), (bank.weights**2).sum(1) ** 0.5)
    pattern = flat_kernels(bank, PATTERN)
    assert pattern.shape == (20, 5, 5)
    for kernel, shared in zip(bank.weights, pattern, strict=True):  # no other direction holds more of the energy
        unit = shared.ravel() / np.linalg.norm(shared)
        values = np.linalg.eigvalsh(kernel.reshape(10, 25).T.astype(float) @ kernel.reshape(10, 25))
        assert ((kernel.reshape(10, 25) @ unit) ** 2).sum() == pytest.approx(values[-1], rel=1e-4)


def test_what_channels_share_keeps_the_sign():
    subject = subject_of("report")
    with torch.no_grad():
        subject.module.conv2.weight[0] = torch.arange(25.0).reshape(5, 5) - 12
    assert np.allclose(
        flat_kernels(bank_of(subject, subject.convolutions[1]), PATTERN)[0],
        10**0.5 * (np.arange(25).reshape(5, 5) - 12),
    )


def test_colours_have_zero_in_the_middle_and_one_scale():
    subject = subject_of("resnet18")
    bank = bank_of(subject, subject.convolutions[0])
    pictures = colours(bank)
    assert pictures.shape == (64, 7, 7, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert np.abs(pictures - 0.5).max() == pytest.approx(0.5)
    assert np.allclose((pictures[5, 2, 3] - 0.5) * 2 * np.abs(bank.weights).max(), bank.weights[5, :, 2, 3], atol=1e-6)


def test_filters_that_the_relu_never_lets_through():
    subject = subject_of("report")
    with torch.no_grad():
        subject.module.conv1.weight[4], subject.module.conv1.bias[4] = 0, -1
        subject.module.conv1.bias[7] = -100
    inputs = torch.rand(150, 1, 28, 28)
    module = subject.module
    with torch.no_grad():
        made = F.relu(F.max_pool2d(module.conv1((inputs - 0.1307) / 0.3081), 2)).amax((0, 2, 3))
    expected = tuple(np.flatnonzero(made.numpy() == 0).tolist())
    assert never_active(subject, subject.convolutions[0], inputs) == expected
    assert {4, 7} <= set(expected)
    vit = subject_of("vit")
    assert never_active(vit, vit.convolutions[0], inputs) is None


def test_what_follows_a_convolution():
    subject = subject_of("residual")
    second = subject.layer("blocks.1.second.0")
    links = chain(subject, second)
    assert [link.kind for link in links] == ["batch norm", "add", "relu"]
    assert links[1].other.path == "blocks.1.shortcut.2"
    assert activation_after(subject, second).layer is links[2].layer
    assert source(subject, second).label == "ReLU"
    report = subject_of("report")
    assert [link.layer.name for link in chain(report, report.layer("conv2"))] == ["max_pool2d_1", "relu_1"]
    assert chain(report, report.layer("fc2")) == ()
    assert source(report, report.layer("conv1")).label == "standardise"


def test_what_is_read_from_something_hidden_is_refused():
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.dense(x.permute(0, 2, 1))

    subject = Subject("odd", Odd().eval(), "features", (), torch.zeros(1, 4, 3))
    with pytest.raises(NetworkError, match="not shown as a layer of its own"):
        source(subject, subject.layer("dense"))

"""Truncated networks: every output against a forward pass written out by hand; attention against torch's own."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import VisionTransformer, get_model

from core.errors import NetworkError
from core.inspection.attention import as_maps, attention_layers, attention_weights, grid_side
from core.inspection.subject import Layer, Subject
from core.inspection.truncation import (
    channels_last,
    default_pair,
    in_words,
    inactive,
    included,
    kind_of,
    mean_activations,
    stages,
)
from core.networks import NetworkSpec
from core.networks.base import build
from core.networks.spec import ARCHITECTURES


def subject_of(name: str) -> Subject:
    torch.manual_seed(5)
    network = build(NetworkSpec(name)).eval()
    return Subject(name, network, network.spec.takes, tuple("0123456789"), network.example()[:1])


def inputs_of(subject: Subject, count: int = 3) -> Tensor:
    return torch.rand(count, *subject.example.shape[1:], generator=torch.Generator().manual_seed(1))


def norm(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    mean, variance, scale, offset = (w[f"{name}.{x}"] for x in ("running_mean", "running_var", "weight", "bias"))
    shape = (1, -1, 1, 1)
    return (x - mean.view(shape)) / (variance.view(shape) + 1e-5).sqrt() * scale.view(shape) + offset.view(shape)


def dense(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def conv(x: Tensor, w: dict[str, Tensor], name: str, **more: int) -> Tensor:
    return F.conv2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), **more)


def by_hand(name: str, x: Tensor, w: dict[str, Tensor]) -> dict[str, Tensor]:
    """The outputs of the stages and the logits, from the stored numbers alone."""
    made: dict[str, Tensor] = {}
    if name in ("report", "report-dropout2d", "gabor"):
        x = made["relu"] = F.max_pool2d(conv((x - 0.1307) / 0.3081, w, "conv1"), 2).clamp(min=0)
        x = made["relu_1"] = F.max_pool2d(conv(x, w, "conv2"), 2).clamp(min=0)
        x = made["relu_2"] = dense(x.flatten(1), w, "fc1").clamp(min=0)
        made["fc2"] = dense(x, w, "fc2")
    elif name == "keras":
        x = made["relu"] = conv((x - 0.1307) / 0.3081, w, "conv1").clamp(min=0)
        x = made["max_pool2d"] = F.max_pool2d(conv(x, w, "conv2").clamp(min=0), 2)
        x = made["relu_2"] = dense(x.flatten(1), w, "dense").clamp(min=0)
        made["output"] = dense(x, w, "output")
    elif name == "cnn":
        x = made["features_2"] = F.max_pool2d(conv((x - 0.1307) / 0.3081, w, "features.0").clamp(min=0), 2)
        x = made["features_5"] = F.max_pool2d(conv(x, w, "features.3").clamp(min=0), 2)
        x = made["dense_1"] = dense(x.flatten(1), w, "dense.0").clamp(min=0)
        made["output"] = dense(x, w, "output")
    elif name == "mlp":
        x = made["relu"] = dense(x.flatten(1), w, "dense1").clamp(min=0)
        x = made["relu_1"] = dense(x, w, "dense2").clamp(min=0)
        made["output"] = dense(x, w, "output")
    elif name == "digits":
        x = (x - 0.1307) / 0.3081
        for block, more in ((0, {"stride": 2, "padding": 2}), (1, {}), (2, {}), (4, {}), (5, {})):
            x = norm(conv(x, w, f"features.{block}.0", **(more or {"padding": 1})), w, f"features.{block}.1").clamp(
                min=0
            )
            made[f"features_{block}_2"] = x
            if block in (2, 5):
                x = made["features_3" if block == 2 else "features_6"] = F.max_pool2d(x, 2)
        x = made["dense_1"] = dense(x.flatten(1), w, "dense.0").clamp(min=0)
        made["output"] = dense(x, w, "output")
    elif name == "residual":
        x = made["relu"] = norm(conv((x - 0.1307) / 0.3081, w, "stem.0", padding=1), w, "stem.1").clamp(min=0)
        for block, stride in enumerate((1, 2, 1, 2, 1)):
            at = f"blocks.{block}"
            y = norm(conv(x, w, f"{at}.first.0", padding=1, stride=stride), w, f"{at}.first.1").clamp(min=0)
            y = norm(conv(y, w, f"{at}.second.0", padding=1), w, f"{at}.second.1")
            if stride == 2:
                x = norm(conv(F.avg_pool2d(x, 2), w, f"{at}.shortcut.1"), w, f"{at}.shortcut.2")
            x = made[f"relu_{2 * block + 2}"] = (x + y).clamp(min=0)
        made["output"] = dense(x.mean((2, 3)), w, "output")
    elif name == "vit":
        x = conv((x - 0.1307) / 0.3081, w, "patches.project", stride=4).flatten(2).transpose(1, 2)
        x = made["add"] = x + w["patches.position"]
        for block in range(4):
            at = f"blocks.{block}"
            y = F.layer_norm(x, (64,), w[f"{at}.norm1.weight"], w[f"{at}.norm1.bias"])
            q, k, v = dense(y, w, f"{at}.attention.query_key_value").split(64, 2)
            heads = []
            for head in range(4):
                own = slice(head * 16, head * 16 + 16)
                heads.append((q[..., own] @ k[..., own].transpose(1, 2) / 4).softmax(2) @ v[..., own])
            x = x + dense(torch.cat(heads, 2), w, f"{at}.attention.output")
            y = F.layer_norm(x, (64,), w[f"{at}.norm2.weight"], w[f"{at}.norm2.bias"])
            x = x + dense(F.gelu(dense(y, w, f"{at}.dense.0")), w, f"{at}.dense.2")
            made[f"add_{2 * block + 2}"] = x
        x = made["norm"] = F.layer_norm(x, (64,), w["norm.weight"], w["norm.bias"])
        made["output"] = dense(x.mean(1), w, "output")
    else:
        for i in range(len([key for key in w if key.startswith("hidden.") and key.endswith("weight")])):
            x = made["relu" if i == 0 else f"relu_{i}"] = dense(x, w, f"hidden.{i}").clamp(min=0)
        made["output"] = dense(x, w, "output")
    return made


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_stage_is_what_a_forward_by_hand_makes(name):
    subject = subject_of(name)
    inputs = inputs_of(subject)
    with torch.no_grad():
        expected = by_hand(name, inputs, subject.module.state_dict())
    made = subject.activations(inputs, list(expected))
    assert {stage.name for stage in stages(subject)} <= set(expected) | {"mean"}
    for key, value in expected.items():
        torch.testing.assert_close(made[key], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("report", "relu", "relu_1"),
        ("keras", "relu", "max_pool2d"),
        ("cnn", "features_2", "features_5"),
        ("mlp", "relu", "relu_1"),
        ("digits", "features_0_2", "features_1_2"),
        ("residual", "relu", "relu_2"),
        ("vit", "add", "add_2"),
        ("heart-11-15-20-30-40-1", "relu", "relu_1"),
    ],
)
def test_the_first_stages_stand_side_by_side(name, first, second):
    assert [layer.name for layer in default_pair(subject_of(name))] == [first, second]


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v2"])
def test_networks_for_photos_have_stages_too(name):
    subject = Subject(name, get_model(name, weights=None).eval(), "photos", (), torch.zeros(1, 3, 64, 64))
    first, second = default_pair(subject)
    assert first.number < second.number
    assert first.number > 2


def test_a_transformer_for_photos_is_cut_between_its_blocks():
    module = VisionTransformer(224, patch_size=32, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=32).eval()
    subject = Subject("small", module, "photos", (), torch.zeros(1, 3, 224, 224))
    second = default_pair(subject)[1]
    assert subject.layers[second.number].path.startswith("encoder.layers.encoder_layer_1")
    assert in_words(second) == "[N, 50, 32]: 50 tokens of 32 numbers"


def test_channels_that_come_last_are_told():
    assert in_words(Layer("x", "layer norm", "", (56, 56, 96), 3)) == "[N, 56, 56, 96]: 96 channels of 56 × 56"
    assert not channels_last((96, 56, 56))
    assert not channels_last((49, 64))
    assert "64 × 49 × 4 × 8 numbers" in in_words(Layer("x", "add", "", (64, 49, 4, 8), 3))


def test_a_network_of_one_dense_layer_has_a_pair():
    subject = Subject("one", nn.Sequential(nn.Linear(4, 2)).eval(), "features", ("a", "b"), torch.zeros(1, 4))
    assert default_pair(subject)[1] is subject.layers[-1]


def test_the_mean_over_samples_is_the_mean_of_the_outputs():
    subject = subject_of("report")
    inputs = inputs_of(subject, 120)  # three batches, the last one short
    found = mean_activations(subject, inputs, ["conv2", "fc1"])
    with torch.no_grad():
        expected = torch.cat([subject.activations(one[None], ["conv2"])["conv2"] for one in inputs]).mean(0)
    assert found["conv2"].shape == (20, 8, 8)
    assert np.allclose(found["conv2"], expected, atol=1e-5)
    assert found["fc1"].shape == (50,)


def test_words():
    subject = subject_of("report")
    assert in_words(subject.layer("max_pool2d_1")) == "[N, 20, 4, 4]: 20 channels of 4 × 4"
    assert in_words(subject.layer("fc1")) == "[N, 50]: 50 numbers"
    assert [layer.label for layer in included(subject, subject.layer("relu"))][-3:] == [
        "conv 10@5×5",
        "max-pool 2×2",
        "ReLU",
    ]
    vit = subject_of("vit")
    assert in_words(vit.layer("add")) == "[N, 49, 64]: 49 tokens of 64 numbers"
    assert "4 heads" in in_words(attention_layers(vit)[0])
    assert kind_of((49, 64)) == "tokens"


def test_inactive_channels_are_counted():
    values = np.zeros((5, 3, 3))
    values[1, 2, 2] = 0.1
    assert inactive(values) == 4
    assert inactive(np.array([0.0, 2.0, 0.0])) == 2
    assert inactive(values - 0.5) is None


@pytest.mark.parametrize("block", range(4))
def test_attention_is_torchs_own_on_values_that_are_the_identity(block):
    subject = subject_of("vit")
    inputs, layer = inputs_of(subject), attention_layers(subject)[block]
    weights = attention_weights(subject, layer, inputs)
    made, module = [], subject.own_copy()
    projection = module.get_submodule(f"blocks.{block}.attention.query_key_value")
    projection.register_forward_hook(lambda _m, _i, output: made.append(output.detach()))
    with torch.no_grad():
        module(inputs)
    query, key = (made[0][..., i * 64 : i * 64 + 64].reshape(3, 49, 4, 16).transpose(1, 2) for i in (0, 1))
    expected = F.scaled_dot_product_attention(query, key, torch.eye(49).expand(3, 4, 49, 49))
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4, 49))


def test_attention_as_maps():
    weights = torch.rand(4, 49, 49).softmax(-1)
    assert torch.equal(as_maps(weights, 7, 10)[2], weights[2, 10].reshape(7, 7))
    torch.testing.assert_close(as_maps(weights, 7, None).sum((1, 2)), torch.ones(4))


def test_where_there_is_no_attention():
    assert attention_layers(subject_of("report")) == ()
    with pytest.raises(NetworkError, match="not the patches of a square"):
        grid_side(Layer("x", "scaled dot product attention", "", (4, 50, 16), 1))

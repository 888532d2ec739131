"""Where a network looked: every map equals Captum's own, closed forms hold, and the shared network is never touched."""

import captum.attr
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from core.errors import NetworkError
from core.inspection.attributions import (
    DOUBLINGS,
    GRAD_CAM,
    INTEGRATED,
    OCCLUSION,
    SALIENCY,
    STEPS,
    attribute,
    first_method,
    liveliest,
    methods_for,
    score_names,
)
from core.inspection.subject import logits
from core.networks.spec import ARCHITECTURES
from tests.inspection.fresh_subjects import fresh, is_untouched, linear, photo_network, some_input, state_of

GLYPHS = [name for name, architecture in ARCHITECTURES.items() if architecture.takes == "glyphs"]
TABLES = [name for name, architecture in ARCHITECTURES.items() if architecture.takes == "features"]
CONVOLUTIONAL = [name for name in GLYPHS if name != "mlp"]


def score(subject):
    """The logits as Captum may call them, of a copy without operations that write over their input."""
    module = subject.own_copy()
    for part in module.modules():
        if hasattr(part, "inplace"):
            part.inplace = False
    return module, lambda inputs: logits(module, inputs)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_method_leaves_the_shared_network_alone(architecture):
    subject = fresh(architecture)
    state, inputs = state_of(subject), some_input(subject)
    kept = inputs.clone()
    for method in methods_for(subject):
        found = attribute(subject, inputs, method.name, 1)
        assert found.values.shape == tuple(subject.example.shape[2:] or subject.example.shape[1:])
        assert np.isfinite(found.values).all()
        assert found.values.any()
        assert is_untouched(subject, state), method.name
    assert torch.equal(inputs, kept)
    assert not inputs.requires_grad


@pytest.mark.parametrize("architecture", GLYPHS)
def test_integrated_gradients_are_captums_and_complete(architecture):
    subject = fresh(architecture)
    inputs, (_, forward) = some_input(subject), score(subject)
    found = attribute(subject, inputs, INTEGRATED, 3)
    theirs = captum.attr.IntegratedGradients(forward).attribute(inputs, torch.zeros_like(inputs), target=3, n_steps=50)
    np.testing.assert_allclose(found.values, theirs[0, 0].detach().numpy(), atol=1e-6)
    with torch.no_grad():
        change = float(forward(inputs)[0, 3] - forward(torch.zeros_like(inputs))[0, 3])
    assert found.change == pytest.approx(change, abs=1e-5)
    assert found.gap == pytest.approx(float(found.values.sum()) - change, abs=1e-5)
    assert abs(found.gap) < 0.05 * max(abs(change), 0.1)


@pytest.mark.parametrize("architecture", CONVOLUTIONAL)
def test_grad_cam_at_every_convolution_is_captums(architecture):
    subject = fresh(architecture)
    inputs = some_input(subject)
    for layer in subject.convolutions:
        module, forward = score(subject)
        coarse = captum.attr.LayerGradCam(forward, module.get_submodule(layer.path)).attribute(
            inputs.clone().requires_grad_(), target=2
        )
        theirs = F.interpolate(coarse, (28, 28), mode="bilinear")[0, 0].detach().numpy()
        np.testing.assert_allclose(attribute(subject, inputs, GRAD_CAM, 2, layer).values, theirs, atol=1e-7)


def test_grad_cam_by_hand():
    subject = fresh("report")
    inputs, network = some_input(subject), subject.own_copy()
    x = (inputs - 0.1307) / 0.3081
    maps = network.conv2(F.relu(F.max_pool2d(network.conv1(x), 2))).detach().requires_grad_()
    scores = network.fc2(F.relu(network.fc1(F.relu(F.max_pool2d(maps, 2)).flatten(1))))
    (slope,) = torch.autograd.grad(scores[0, 4], maps)
    coarse = (slope.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True)
    by_hand = F.interpolate(coarse, (28, 28), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(attribute(subject, inputs, GRAD_CAM, 4).values, by_hand, atol=1e-7)


@pytest.mark.parametrize("architecture", ["report", "mlp", "vit", "digits"])
def test_occlusion_and_saliency_are_captums(architecture):
    subject = fresh(architecture)
    inputs, (_, forward) = some_input(subject), score(subject)
    theirs = captum.attr.Occlusion(forward).attribute(inputs, (1, 5, 5), (1, 2, 2), 0, 6, None, 64)
    np.testing.assert_allclose(
        attribute(subject, inputs, OCCLUSION, 6).values, theirs[0, 0].detach().numpy(), atol=1e-6
    )
    theirs = captum.attr.Saliency(forward).attribute(inputs.clone().requires_grad_(), target=6)
    np.testing.assert_allclose(attribute(subject, inputs, SALIENCY, 6).values, theirs[0, 0].detach().numpy(), atol=1e-7)


def test_the_integral_takes_more_steps_while_its_gap_is_large(monkeypatch):
    subject = fresh("report")
    inputs = some_input(subject)
    monkeypatch.setitem(STEPS, "glyphs", 5)
    coarse = attribute(subject, inputs, INTEGRATED, 3, refine=False)
    monkeypatch.setattr("core.inspection.attributions.LARGEST_GAP", coarse.gap_share * 1.01)
    assert attribute(subject, inputs, INTEGRATED, 3).steps == coarse.steps == 5
    monkeypatch.setattr("core.inspection.attributions.LARGEST_GAP", 0.0)
    fine = attribute(subject, inputs, INTEGRATED, 3)
    assert fine.steps == 5 * 2**DOUBLINGS
    assert fine.gap_share < coarse.gap_share


def test_without_classes_the_liveliest_channel_is_the_one_with_the_largest_mean():
    subject = photo_network("squeezenet1_1", classes=0)
    features = subject.with_module(subject.module.features)
    inputs = some_input(features)
    with torch.no_grad():
        means = features.module(inputs)[0].mean((1, 2))
    assert liveliest(features, inputs) == int(means.argmax())
    report = fresh("report")
    assert liveliest(report, some_input(report)) == report.probabilities(some_input(report))[0].argmax()


def test_a_photo_begins_with_a_method_of_one_run():
    assert first_method(fresh("report")) == INTEGRATED
    assert first_method(photo_network("squeezenet1_1")) == GRAD_CAM
    assert first_method(photo_network("vit_b_16", 224)) == SALIENCY


def test_a_linear_network_has_a_closed_form():
    weights = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    subject = linear(weights)
    inputs = some_input(subject)
    parts = (weights[1, 0] * inputs[0, 0]).numpy()
    found = attribute(subject, inputs, INTEGRATED, 1)
    np.testing.assert_allclose(found.values, parts, atol=1e-5)
    assert found.gap == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(attribute(subject, inputs, SALIENCY, 1).values, weights[1, 0].abs().numpy(), atol=1e-6)
    # A pixel's value is the mean over all squares that cover it, of what the square's pixels add together.
    squares = [(top, left) for top in (0, 2, 4) for left in (0, 2, 4)]
    covered, total = np.zeros((8, 8)), np.zeros((8, 8))
    for top, left in squares:
        place = np.s_[top : top + 5, left : left + 5]
        covered[place] += 1
        total[place] += parts[place].sum()
    np.testing.assert_allclose(attribute(subject, inputs, OCCLUSION, 1).values, total / covered, atol=1e-5)


@pytest.mark.parametrize("architecture", TABLES)
def test_a_tables_features_are_taken_away_one_by_one(architecture):
    subject = fresh(architecture)
    row = torch.randn(1, 11, generator=torch.Generator().manual_seed(3))
    found = attribute(subject, row, OCCLUSION, 1)
    with torch.no_grad():
        z = subject.module.logits(row)[0, 1]  # beside a fixed 0
        for i in range(11):
            without = row.clone()
            without[0, i] = 0
            assert found.values[i] == pytest.approx(float(z - subject.module.logits(without)[0, 1]), abs=1e-6)
    other = attribute(subject, row, INTEGRATED, 0)
    np.testing.assert_allclose(other.values, -attribute(subject, row, INTEGRATED, 1).values, atol=1e-7)
    assert GRAD_CAM not in {method.name for method in methods_for(subject)}


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_photo_networks_with_operations_in_place(name):
    subject = photo_network(name)
    state, photo = state_of(subject), some_input(subject)
    module, forward = score(subject)
    layer = subject.convolutions[-1]
    coarse = captum.attr.LayerGradCam(forward, module.get_submodule(layer.path)).attribute(
        photo.clone().requires_grad_(), target=7
    )
    theirs = F.interpolate(coarse, (64, 64), mode="bilinear")[0, 0].detach().numpy()
    np.testing.assert_allclose(attribute(subject, photo, GRAD_CAM, 7).values, theirs, atol=1e-7)
    parts = captum.attr.IntegratedGradients(forward).attribute(photo, 0, target=7, n_steps=STEPS["photos"])
    found = attribute(subject, photo, INTEGRATED, 7)
    np.testing.assert_allclose(found.values, parts[0].sum(0).detach().numpy(), atol=1e-5)
    theirs = captum.attr.Saliency(forward).attribute(photo.clone().requires_grad_(), target=7)
    np.testing.assert_allclose(
        attribute(subject, photo, SALIENCY, 7).values, theirs[0].amax(0).detach().numpy(), atol=1e-6
    )
    assert is_untouched(subject, state)


def test_without_an_output_layer_a_channels_mean_is_explained():
    whole = photo_network("squeezenet1_1", classes=0)
    features = photo_network("squeezenet1_1").own_copy().features
    subject = whole.with_module(features)
    assert score_names(subject)[:2] == ("channel 1", "channel 2")
    assert len(score_names(subject)) == 512
    photo = some_input(subject)
    module, _ = score(subject)
    theirs = captum.attr.Saliency(lambda x: module(x).mean((2, 3))).attribute(photo.clone().requires_grad_(), target=5)
    np.testing.assert_allclose(
        attribute(subject, photo, SALIENCY, 5).values, theirs[0].amax(0).detach().numpy(), atol=1e-7
    )


def test_progress_is_told_to_its_end():
    subject, told = fresh("report"), []
    for method in (INTEGRATED, OCCLUSION):
        told.clear()
        attribute(subject, some_input(subject), method, 0, progress=lambda done, total: told.append((done, total)))
        assert told[-1][0] == told[-1][1]
        assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_does_not_apply_is_said():
    with pytest.raises(NetworkError, match="does not apply to the network 'mlp'; choose one of: integrated gradients"):
        attribute(fresh("mlp"), torch.zeros(1, 1, 28, 28), GRAD_CAM, 0)
    with pytest.raises(NetworkError, match="has 10 scores, 0 to 9; 10 came"):
        attribute(fresh("report"), torch.zeros(1, 1, 28, 28), SALIENCY, 10)
    subject = fresh("report")
    with pytest.raises(NetworkError, match="looks at a convolution; .*dense 50.* is none"):
        attribute(subject, torch.zeros(1, 1, 28, 28), GRAD_CAM, 0, subject.layer("fc1"))

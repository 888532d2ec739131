"""A network under examination: its layers in order, and what each makes, against independent forward passes."""

import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import get_model

from core.errors import NetworkError, TrainingError
from core.inspection.specimen import Specimen
from core.inspection.subject import Subject, describe_moment, logits, open_subject
from core.networks import NetworkSpec, open_network
from core.networks.base import build
from core.networks.spec import ARCHITECTURES
from core.networks.steps import trace_steps
from core.training import TrainingConfig, open_run
from core.training.execute import train

PHOTO = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def fresh(architecture: str) -> Subject:
    torch.manual_seed(5)
    network = build(NetworkSpec(architecture)).eval()
    return Subject(architecture, network, network.spec.takes, tuple("0123456789"), network.example()[:1])


def photo(name: str) -> Subject:
    torch.manual_seed(5)
    return Subject(name, get_model(name, weights=None).eval(), "photos", (), PHOTO[:1])


def some_inputs(subject: Subject) -> torch.Tensor:
    return torch.rand(3, *subject.example.shape[1:], generator=torch.Generator().manual_seed(1))


def hooked(subject: Subject, inputs: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """Each module's outputs as a forward hook sees them, the independent way; some run several times."""
    module, made = subject.own_copy(), {}
    for path, part in module.named_modules():
        part.register_forward_hook(lambda _m, _i, output, path=path: made.setdefault(path, []).append(output.clone()))
    with torch.no_grad():
        module(inputs)
    return made


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_layer_makes_what_its_module_makes(architecture):
    subject = fresh(architecture)
    inputs = some_inputs(subject)
    found, expected = subject.activations(inputs), hooked(subject, inputs)
    modules = [layer for layer in subject.layers if layer.path]
    assert modules
    for layer in modules:
        torch.testing.assert_close(found[layer.name], expected[layer.path].pop(0), rtol=0, atol=1e-5)
    assert [tuple(found[layer.name].shape[1:]) for layer in subject.layers] == [x.shape for x in subject.layers]
    last = found[subject.layers[-1].name]
    torch.testing.assert_close(last, subject.module(inputs), rtol=0, atol=1e-5)
    assert [layer.number for layer in subject.layers] == list(range(1, len(subject.layers) + 1))


def test_the_layers_of_report_by_hand():
    subject = open_subject(open_network("report"))
    x = some_inputs(subject)
    state = subject.module.state_dict()
    found = subject.activations(x)
    by_label = [(layer.label, found[layer.name]) for layer in subject.layers]
    expected = [("input", x), ("standardise", (x - 0.1307) / 0.3081)]
    for number in (1, 2):
        made = F.conv2d(expected[-1][1], state[f"conv{number}.weight"], state[f"conv{number}.bias"])
        expected += [(f"conv {made.shape[1]}@5×5", made), ("max-pool 2×2", F.max_pool2d(made, 2))]
        expected.append(("ReLU", expected[-1][1].clamp(min=0)))
    expected.append(("flatten", expected[-1][1].reshape(3, 320)))
    expected.append(("dense 50", expected[-1][1] @ state["fc1.weight"].T + state["fc1.bias"]))
    expected.append(("ReLU", expected[-1][1].clamp(min=0)))
    expected.append(("dense 10", expected[-1][1] @ state["fc2.weight"].T + state["fc2.bias"]))
    expected.append(("log-softmax", expected[-1][1].log_softmax(1)))
    assert [label for label, _ in by_label] == [label for label, _ in expected]
    for (_, got), (_, wanted) in zip(by_label, expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(subject.logits(x), expected[-2][1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_operations_that_write_over_their_input_hide_nothing(name):
    """torchvision's ReLUs work in place: what a convolution made must still be what is shown."""
    subject = photo(name)
    found = subject.activations(PHOTO, [layer.name for layer in subject.convolutions])
    module, expected = subject.own_copy(), {}
    for path, part in module.named_modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(lambda _m, _i, output, path=path: expected.update({path: output.clone()}))
    with torch.no_grad():
        module(PHOTO)
    assert len(subject.convolutions) == len(expected) > 10
    for layer in subject.convolutions:
        torch.testing.assert_close(found[layer.name], expected[layer.path], rtol=0, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_looking_changes_nothing_and_leaves_no_hook(architecture):
    subject = fresh(architecture)
    before = {key: value.clone() for key, value in subject.module.state_dict().items()}
    subject.activations(some_inputs(subject))
    subject.probabilities(some_inputs(subject))
    copy = subject.own_copy()
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.zero_()
    for key, value in subject.module.state_dict().items():
        assert torch.equal(value, before[key])
    for module in subject.module.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    assert all(parameter.grad is None for parameter in subject.module.parameters())


def test_only_the_layers_asked_for_are_kept():
    subject = fresh("report")
    assert list(subject.activations(some_inputs(subject), ["conv2", "fc1"])) == ["conv2", "fc1"]
    assert subject.layer("conv2").shape == (20, 8, 8)
    with pytest.raises(NetworkError, match="'report' has no layer 'conv3'; it has: inputs, .*conv1"):
        subject.activations(some_inputs(subject), ["conv3"])


def test_a_box_of_the_diagram_leads_to_the_layer_that_leaves_it():
    subject = fresh("report")
    after = {step.label: subject.layer_after(step) for step in trace_steps(subject.module)}
    assert after["conv 10@5×5"] == subject.layer("conv1")
    pooled = [layer for layer in subject.layers if layer.shape == (20, 4, 4)]
    assert after["max-pool 2×2, ReLU"] == pooled[-1]  # the second of that label: after the ReLU
    assert after["dense 50, ReLU"].label == "ReLU"
    assert after["dropout 0.5"] is None  # it does nothing now, so there is nothing to look at


@pytest.mark.parametrize("architecture", ["vit", "residual"])
def test_a_box_of_a_block_leads_into_the_block(architecture):
    subject = fresh(architecture)
    led = [(step, after) for step in trace_steps(subject.module) if (after := subject.layer_after(step))]
    assert len(led) >= 3
    assert all(step.path and after.path.startswith(step.path) for step, after in led)


def test_a_specimen_of_another_kind_is_refused():
    row = Specimen("features", "test sample 1", np.zeros(11, np.float32))
    with pytest.raises(NetworkError, match="'report' takes glyphs, but test sample 1 is one of the features"):
        fresh("report").inputs(row)
    assert fresh("heart-11-10-1").inputs(row).shape == (1, 11)


def test_people_see_what_goes_in():
    glyph = np.random.default_rng(0).random((28, 28), np.float32)
    subject = fresh("digits")
    inputs = subject.inputs(Specimen("glyphs", "a glyph", glyph))
    assert inputs.shape == (1, 1, 28, 28)
    np.testing.assert_array_equal(subject.seen(inputs), glyph)


def test_specimens_are_told_apart_by_what_they_hold():
    glyph = np.zeros((28, 28), np.float32)
    one = Specimen("glyphs", "a", glyph)
    assert one.key == Specimen("glyphs", "a", glyph.copy()).key
    others = [Specimen("glyphs", "b", glyph), Specimen("glyphs", "a", glyph + 1), Specimen("glyphs", "a", glyph, "7")]
    assert len({one.key, *(other.key for other in others)}) == 4


def test_a_network_as_it_was_at_each_moment_of_its_training(inkling_home):
    for _ in train(TrainingConfig(dataset="digits-8x8", epochs=1, threads=1), "mine"):
        pass
    trained, snapshots = open_network("mine"), open_run("mine").snapshots()
    subjects = [open_subject(trained, snapshot) for snapshot in snapshots]
    assert subjects[0].moment == describe_moment(snapshots[0]) == "before any training"
    assert subjects[1].moment == "after 1 batch"
    inputs = some_inputs(subjects[0])
    answers = [subject.logits(inputs) for subject in subjects]
    assert not torch.allclose(answers[0], answers[-1], atol=0.1)
    assert (subjects[0].threshold, open_subject(trained).threshold) == (None, trained.passport.refusal_threshold)
    shutil.copy(open_network("digits").weights_file, snapshots[1].file)
    with pytest.raises(TrainingError, match="missing, damaged or another network's"):
        open_subject(trained, snapshots[1])


def test_logits_come_before_any_softmax():
    subject = fresh("report")
    inputs = some_inputs(subject)
    assert not torch.allclose(logits(subject.module, inputs).exp().sum(1), torch.ones(3))
    torch.testing.assert_close(logits(subject.module, inputs).log_softmax(1), subject.module(inputs))
    torch.testing.assert_close(logits(photo("resnet18").module, PHOTO), photo("resnet18").module(PHOTO))

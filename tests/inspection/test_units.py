"""What units want: strongest samples by brute force, receptive fields against gradients, pictures made for a unit."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.models import get_model, vgg

from core.errors import NetworkError
from core.inspection.maximise import STEPS, maximise
from core.inspection.receptive import Field, fields, measured
from core.inspection.subject import Subject, open_subject
from core.inspection.units import (
    TOP,
    Excitement,
    by_unit,
    excite,
    part_up_to,
    seen_box,
    strongest_places,
    unit_count,
    unit_layers,
    unit_names,
)
from core.networks import open_network
from core.networks.spec import ARCHITECTURES
from tests.inspection.fresh_subjects import fresh, is_untouched, linear, photo_network, some_input, state_of

GLYPHS = [name for name, architecture in ARCHITECTURES.items() if architecture.takes == "glyphs"]
SAMPLES = torch.randint(0, 256, (130, 28, 28), generator=torch.Generator().manual_seed(4), dtype=torch.uint8)


def layer_of(subject, label):
    return next(layer for layer in subject.layers if layer.label == label)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_layer_of_every_network_has_its_strongest_samples(architecture):
    subject = fresh(architecture)
    state, told = state_of(subject), []
    rows = torch.randn(130, 11, generator=torch.Generator().manual_seed(4))
    inputs = rows if subject.takes == "features" else SAMPLES
    found = excite(subject, inputs, lambda done, total: told.append((done, total)))
    assert told == [(100, 130), (130, 130)]
    assert list(found) == [layer.name for layer in unit_layers(subject)]
    for layer in unit_layers(subject):
        one = found[layer.name]
        assert one.values.shape == one.samples.shape == one.places.shape == (TOP, unit_count(layer))
        assert (np.diff(one.values, axis=0) <= 0).all()
        assert one.active.min() >= 0
        assert one.active.max() <= 1
    assert is_untouched(subject, state)


def test_strongest_samples_by_brute_force():
    subject = fresh("report")
    found = excite(subject, SAMPLES)
    x = (SAMPLES[:, None].float() / 255 - 0.1307) / 0.3081
    with torch.no_grad():
        maps = subject.module.conv2(F.relu(F.max_pool2d(subject.module.conv1(x), 2)))
        nodes = subject.module.embed(SAMPLES[:, None].float() / 255)
    one = found[layer_of(subject, "conv 20@5×5").name]
    for unit in (0, 7, 19):
        peaks = maps[:, unit].flatten(1).amax(1).numpy()
        order = np.argsort(-peaks, kind="stable")[:TOP]
        np.testing.assert_array_equal(one.samples[:, unit], order)
        np.testing.assert_allclose(one.values[:, unit], peaks[order], atol=1e-5)
        for sample, place in zip(one.samples[:, unit], one.places[:, unit], strict=True):
            row, column = divmod(int(place), 8)
            assert maps[sample, unit, row, column] == maps[sample, unit].max()
        assert one.active[unit] == pytest.approx((peaks > 0).mean())
    last = [layer for layer in unit_layers(subject) if layer.label == "ReLU"][-1]
    np.testing.assert_allclose(found[last.name].values[0], nodes.amax(0).numpy(), atol=1e-5)


def test_a_dead_unit_is_known_from_a_quiet_one():
    dead = Excitement(np.zeros((12, 2)), np.zeros((12, 2), int), np.zeros((12, 2), int), np.zeros(2))
    assert dead.never_active(0)
    quiet = Excitement(np.linspace(-1, -2, 12)[:, None], dead.samples, dead.places, np.zeros(1))
    assert not quiet.never_active(0)


@pytest.mark.parametrize(
    ("label", "number", "size", "step"),
    [("conv 10@5×5", 0, 5, 1), ("max-pool 2×2", 0, 6, 2), ("conv 20@5×5", 0, 14, 2), ("max-pool 2×2", 1, 16, 4)],
)
def test_receptive_fields_of_report(label, number, size, step):
    subject = fresh("report")
    layer = [layer for layer in subject.layers if layer.label == label][number]
    assert fields(subject)[layer.name] == Field((0, 0), (size, size), (step, step))


@pytest.mark.parametrize("architecture", [name for name in GLYPHS if name not in ("mlp", "vit")])
def test_receptive_fields_are_what_gradients_reach(architecture):
    subject = fresh(architecture)
    known = fields(subject)
    spatial = [layer for layer in unit_layers(subject) if len(layer.shape) == 3]
    for layer in spatial[:: max(1, len(spatial) // 5)]:
        for position in ((layer.shape[1] // 2, layer.shape[2] // 3), (0, 0)):
            reached = measured(part_up_to(subject, layer), (1, 28, 28), 1, position)
            top, left, bottom, right = seen_box(
                layer, known[layer.name], position[0] * layer.shape[2] + position[1], (28, 28)
            )
            rows, columns = np.flatnonzero(reached.any(1)), np.flatnonzero(reached.any(0))
            assert top <= rows[0] <= rows[-1] < bottom, layer.title
            assert left <= columns[0] <= columns[-1] < right, layer.title
            if bottom - top < 12:  # few windows: the trials reach all corners
                assert (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) == (top, left, bottom, right), layer.title


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_receptive_fields_of_photo_networks(name):
    subject = photo_network(name)
    known = fields(subject)
    for layer in subject.convolutions[:4]:
        position = (layer.shape[1] // 2, layer.shape[2] // 2)
        reached = measured(part_up_to(subject, layer), (3, 64, 64), 0, position)
        top, left, bottom, right = seen_box(
            layer, known[layer.name], position[0] * layer.shape[2] + position[1], (64, 64)
        )
        rows, columns = np.flatnonzero(reached.any(1)), np.flatnonzero(reached.any(0))
        assert (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) == (top, left, bottom, right)


@pytest.mark.parametrize(("network", "size"), [("alexnet", 195), ("vgg16", 212)])
def test_published_receptive_fields(network, size):
    """Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks" (2019)."""
    module = vgg.make_layers(vgg.cfgs["D"]) if network == "vgg16" else get_model(network, weights=None).features
    subject = Subject(network, module.eval(), "photos", (), torch.zeros(1, 3, 64, 64))
    last = subject.layers[-1]
    assert last.label.startswith("max-pool")
    assert fields(subject)[last.name].size == (size, size)


def test_what_mixes_all_places_sees_everything():
    subject = fresh("report")
    assert fields(subject)[subject.layer("fc1").name] is None
    assert seen_box(subject.layer("fc1"), None, 0, (28, 28)) is None
    mobile = photo_network("mobilenet_v3_small")  # its squeeze-and-excitation weighs channels by their mean
    assert fields(mobile)[mobile.convolutions[-1].name] is None


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_network_ends_where_it_is_cut(architecture):
    subject = fresh(architecture)
    state, inputs = state_of(subject), some_input(subject)
    whole = subject.activations(inputs)
    for layer in subject.layers[1::4]:
        with torch.no_grad():
            torch.testing.assert_close(part_up_to(subject, layer)(inputs), whole[layer.name])
    assert is_untouched(subject, state)


def test_operations_in_place_after_the_cut_change_nothing():
    subject = photo_network("resnet18")
    inputs = some_input(subject)
    layer = next(layer for layer in subject.layers if layer.path == "layer1.0.bn2")  # the shortcut is added in place
    torch.testing.assert_close(part_up_to(subject, layer)(inputs), subject.activations(inputs)[layer.name])
    assert subject.module.relu.inplace


def test_strongest_places_are_apart_and_falling():
    subject = photo_network("resnet18")
    photo, layer = some_input(subject), subject.convolutions[0]
    found = strongest_places(subject, photo, layer, 3, fields(subject)[layer.name], 6)
    values = [value for value, _ in found]
    output = by_unit(subject.activations(photo, (layer.name,))[layer.name], layer.shape)[0, 3]
    assert values[0] == pytest.approx(float(output.max()))
    assert values == sorted(values, reverse=True)
    assert len(found) == 6
    middles = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for _, b in found]
    assert len(set(middles)) == 6
    whole = strongest_places(subject, photo, subject.layer("fc"), 3, None)
    assert whole == [(pytest.approx(float(subject.logits(photo)[0, 3]), abs=1e-5), None)]


def test_an_ideal_of_a_linear_network_is_known():
    """Where the weight is positive and outweighs the pull, ink; where it is negative, paper."""
    weights = torch.zeros(2, 1, 28, 28)
    weights[0, 0, 8:20, 8:20] = 1
    weights[0, 0, :, :4] = -1
    subject = linear(weights)
    ideal = maximise(subject, unit_layers(subject)[-1], 0)
    assert ideal.inputs[0, 0, 10:18, 10:18].min() > 0.9
    assert ideal.inputs[0, 0, :, :2].max() < 0.1
    assert ideal.activation > ideal.before
    assert ideal.activation == pytest.approx(float(subject.logits(ideal.inputs)[0, 0]), abs=1e-4)


@pytest.mark.parametrize(("name", "units"), [("report", (0, 3, 7))])
def test_an_ideal_digit_is_one_to_the_network(name, units):
    subject = open_subject(open_network(name))
    state, told = state_of(subject), []
    layer = unit_layers(subject)[-1]
    assert unit_names(subject, layer) == tuple("0123456789")
    for unit in units:
        ideal = maximise(subject, layer, unit, progress=lambda done, total: told.append((done, total)))
        assert ideal.inputs.shape == (1, 1, 28, 28)
        assert ideal.inputs.min() >= 0
        assert ideal.inputs.max() <= 1
        assert ideal.activation == pytest.approx(float(subject.logits(ideal.inputs)[0, unit]), abs=1e-4)
        assert subject.probabilities(ideal.inputs)[0].argmax() == unit
        assert told[-1][0] == told[-1][1]
    assert is_untouched(subject, state)


def test_a_seed_repeats_an_ideal(few_steps):
    subject = fresh("report")
    layer = unit_layers(subject)[-1]
    first, again, other = (maximise(subject, layer, 7, seed).inputs for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setitem(STEPS, "glyphs", 24)


@pytest.mark.parametrize("architecture", GLYPHS)
def test_every_network_dreams(architecture, few_steps):
    subject = fresh(architecture)
    state = state_of(subject)
    ideal = maximise(subject, unit_layers(subject)[-1], 2)
    assert ideal.activation > ideal.before
    assert is_untouched(subject, state)


def test_a_unit_that_nothing_excites_has_no_ideal():
    subject = fresh("report")
    module = subject.own_copy()
    module.fc1.weight.data[4] = 0
    module.fc1.bias.data[4] = -1
    silent = subject.with_module(module)
    relu = [layer for layer in unit_layers(silent) if layer.label == "ReLU"][-1]
    assert maximise(silent, relu, 4) is None


def test_what_no_picture_changes_has_no_ideal():
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.offset = torch.nn.Parameter(torch.ones(1, 5))

        def forward(self, inputs):
            return inputs.flatten(1)[:, :5] + self.offset.abs()

    subject = Subject("fixed", Fixed().eval(), "glyphs", (), torch.zeros(1, 1, 28, 28))
    assert maximise(subject, layer_of(subject, "abs"), 2) is None


def test_what_does_not_apply_is_said():
    heart = fresh("heart-11-10-1")
    with pytest.raises(NetworkError, match="takes rows of a table, which have no picture"):
        maximise(heart, unit_layers(heart)[0], 0)
    report = fresh("report")
    with pytest.raises(NetworkError, match=r"has the units 0 to 9; 10 came"):
        maximise(report, report.layer("conv1"), 10)
    assert unit_names(report, report.layer("fc1")) is None

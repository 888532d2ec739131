"""Operations against computations by hand; the shared network stays as it is."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d
from torch import nn
from torchvision.models import resnet18, squeezenet1_1

from core.data.strokes import draw_glyphs
from core.errors import NetworkError
from core.inspection.measuring import answers_of, costs, difference_of, keep_changed
from core.inspection.subject import logits
from core.inspection.surgery import AddNoise, Blur, Mute, Record, ReestimateNorms, UseGabor, kernels_of, operate
from core.networks import ARCHITECTURES, NetworkSpec, export_zip, import_zip, list_networks, open_network
from core.networks.base import build, count_parameters
from core.networks.gabor import gabor_bank
from core.training.results import result_of

CONVOLUTIONAL = [
    name for name in ARCHITECTURES if any(isinstance(m, nn.Conv2d) for m in build(NetworkSpec(name)).modules())
]


def fresh(architecture: str) -> nn.Module:
    torch.manual_seed(1)
    network = build(NetworkSpec(architecture)).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after a training: nothing at its first value
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
    return network


def convolutions(module: nn.Module) -> list[str]:
    return [path for path, m in module.named_modules() if isinstance(m, nn.Conv2d)]


def outputs_of(module: nn.Module, layers: list[nn.Module], inputs: torch.Tensor) -> list[torch.Tensor]:
    kept: list[torch.Tensor] = []
    hooks = [layer.register_forward_hook(lambda m, i, o: kept.append(o)) for layer in layers]
    with torch.no_grad():
        logits(module, inputs)
    for hook in hooks:
        hook.remove()
    return kept


@pytest.mark.parametrize("architecture", CONVOLUTIONAL)
def test_a_muted_filter_is_silent_after_its_block_whatever_comes(architecture):
    original = fresh(architecture)
    before = copy.deepcopy(original.state_dict())
    for path in convolutions(original):
        changed = operate(original, [Mute(path, (1, 3))])
        convolution = changed.get_submodule(path)
        behind = dict(pairwise(changed.modules()))
        norm = behind.get(convolution)
        last = norm if isinstance(norm, nn.BatchNorm2d) else convolution
        (made,) = outputs_of(changed, [last], torch.rand(3, 1, 28, 28) * 5)
        assert (made[:, [1, 3]] == 0).all()
        assert made[:, [0, 2]].abs().max() > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in original.state_dict().items())


@pytest.mark.parametrize("make", [resnet18, squeezenet1_1])
def test_networks_for_photos_can_be_operated_on(make):
    torch.manual_seed(0)
    module = make(weights=None).eval()
    path = convolutions(module)[1]
    changed = operate(module, [Mute(path, (0,)), AddNoise(path, (1,)), Blur(path, (2,)), UseGabor()])
    inputs = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(changed(inputs), module(inputs))
    first = changed.get_submodule(convolutions(module)[0]).weight
    torch.testing.assert_close(first[:, 0], first[:, 2])  # grey


def test_muting_is_what_zeroing_by_hand_is():
    original = fresh("report")
    by_hand = copy.deepcopy(original)
    with torch.no_grad():
        by_hand.conv2.weight[4] = 0
        by_hand.conv2.bias[4] = 0
    inputs = torch.rand(5, 1, 28, 28)
    changed = operate(original, [Mute("conv2", (4,))])
    assert torch.equal(changed.logits(inputs), by_hand.logits(inputs))


def test_noise_is_as_large_as_asked_and_repeats_by_its_seed():
    original = fresh("keras")
    changed = operate(original, [AddNoise("conv2", (0, 5), 0.7, seed=4)])
    again = operate(original, [AddNoise("conv2", (0, 5), 0.7, seed=4)])
    other = operate(original, [AddNoise("conv2", (0, 5), 0.7, seed=5)])
    assert torch.equal(changed.conv2.weight, again.conv2.weight)
    assert not torch.equal(changed.conv2.weight, other.conv2.weight)
    expected = np.random.default_rng(4).normal(size=(32, 3, 3)) * 0.7 * original.conv2.weight[0].detach().numpy().std()
    added = (changed.conv2.weight - original.conv2.weight).detach().numpy()
    np.testing.assert_allclose(added[0], expected, atol=1e-6)
    assert (np.delete(added, [0, 5], axis=0) == 0).all()


def test_a_blur_is_a_gaussian_along_both_sides_of_every_slice():
    original = fresh("report")
    changed = operate(original, [Blur("conv2", (3,), 0.9)])
    slices = original.conv2.weight[3].detach().numpy()
    expected = gaussian_filter1d(gaussian_filter1d(slices, 0.9, axis=1, mode="nearest"), 0.9, axis=2, mode="nearest")
    np.testing.assert_allclose(changed.conv2.weight[3].detach().numpy(), expected, atol=1e-6)
    assert torch.equal(changed.conv2.weight[2], original.conv2.weight[2])


@pytest.mark.parametrize("architecture", CONVOLUTIONAL)
def test_gabor_filters_speak_as_loudly_as_the_layer_did(architecture):
    original = fresh(architecture)
    changed = operate(original, [UseGabor()])
    path = convolutions(original)[0]
    before, after = (m.get_submodule(path).weight.flatten(1) for m in (original, changed))
    torch.testing.assert_close(after.norm(dim=1), before.norm(dim=1).mean().expand(len(after)))
    torch.testing.assert_close(after.sum(1), torch.zeros(len(after)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("architecture", ["report", "digits"])
def test_gabor_filters_leave_muted_ones_muted_and_are_as_loud_as_the_others(architecture):
    original = fresh(architecture)
    path = convolutions(original)[0]
    changed = operate(original, [Mute(path, (0, 2)), UseGabor()])
    norms = original.get_submodule(path).weight.detach().flatten(1).norm(dim=1)
    others = [i for i in range(len(norms)) if i not in (0, 2)]
    found = changed.get_submodule(path).weight.detach().flatten(1).norm(dim=1)
    assert (found[[0, 2]] == 0).all()
    torch.testing.assert_close(found[others], norms[others].mean().expand(len(others)))
    count = len(norms)
    with pytest.raises(NetworkError, match="All filters of the first layer are muted"):
        operate(original, [Mute(path, tuple(range(count))), UseGabor()])


def test_batch_norms_take_the_statistics_of_what_comes_now():
    from core.data import load

    original = fresh("digits")
    before = copy.deepcopy(original.state_dict())
    changed = operate(original, [UseGabor(), ReestimateNorms("digits-8x8", 200, seed=4)])
    train = load("digits-8x8", "train")
    chosen = np.sort(np.random.default_rng(4).permutation(len(train))[:200])
    inputs = train.images[torch.from_numpy(chosen)][:, None].float() / 255
    norms = [m for m in changed.modules() if isinstance(m, nn.BatchNorm2d)]
    came: list[torch.Tensor] = []
    hooks = [norm.register_forward_pre_hook(lambda m, i: came.append(i[0])) for norm in norms]
    copy_in_training = copy.deepcopy(changed)  # with its hooks; what comes to a norm depends on those before it
    for module in copy_in_training.modules():
        module.train(isinstance(module, nn.BatchNorm2d))
    with torch.no_grad():
        copy_in_training.logits(inputs)
    for hook in hooks:
        hook.remove()
    assert len(came) == len(norms) > 1
    for norm, values in zip(norms, came, strict=True):
        torch.testing.assert_close(norm.running_mean, values.mean((0, 2, 3)), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(norm.running_var, values.var((0, 2, 3)), atol=1e-4, rtol=1e-3)
        assert norm.momentum == 0.1
        assert not norm.training
    assert not changed.training
    weights = {name for name, _ in changed.named_parameters()} - {"features.0.0.weight"}
    assert all(torch.equal(changed.state_dict()[name], before[name]) for name in weights)
    assert all(torch.equal(tensor, before[name]) for name, tensor in original.state_dict().items())


def test_statistics_that_cannot_be_measured_are_told():
    with pytest.raises(NetworkError, match="no batch norm"):
        operate(fresh("report"), [ReestimateNorms("digits-8x8")])
    with pytest.raises(NetworkError, match="training samples cannot be had now"):
        operate(fresh("digits"), [ReestimateNorms("no such set")])


def test_a_bank_of_any_size_and_number():
    assert gabor_bank().shape == (10, 1, 5, 5)
    for filters, size in ((1, 3), (7, 3), (32, 4), (64, 11)):
        bank = gabor_bank(filters, size)
        assert bank.shape == (filters, 1, size, size)
        torch.testing.assert_close(bank.flatten(1).norm(dim=1), torch.ones(filters))
    with pytest.raises(ValueError, match="3×3"):
        gabor_bank(4, 2)


def test_operations_are_done_in_order():
    original = fresh("report")
    first, then = Mute("conv1", (2,)), AddNoise("conv1", (2,))
    assert operate(original, [first, then]).conv1.weight[2].abs().max() == 0  # no spread, no noise
    assert torch.equal(operate(original, [then, first]).conv1.weight[2], torch.zeros(1, 5, 5))
    blurred = operate(original, [Blur("conv1", (1,)), AddNoise("conv1", (1,))])
    other = operate(original, [AddNoise("conv1", (1,)), Blur("conv1", (1,))])
    assert not torch.allclose(blurred.conv1.weight[1], other.conv1.weight[1])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Mute("conv1", ()), "Filters are"),
        (lambda: Mute("conv1", (-1,)), "Filters are"),
        (lambda: Mute("conv1", (1, 1)), "Filters are"),
        (lambda: AddNoise("conv1", (1,), 0), "above 0"),
        (lambda: AddNoise("conv1", (1,), float("nan")), "above 0"),
        (lambda: AddNoise("conv1", (1,), 0.5, -1), "seed"),
        (lambda: Blur("conv1", (1,), 99), "3 at most"),
        (lambda: ReestimateNorms(""), "data set"),
        (lambda: ReestimateNorms("mnist", 1), "2 to 5,000 training samples"),
        (lambda: ReestimateNorms("mnist", 100, -1), "seed"),
        (lambda: operate(fresh("report"), [Mute("conv1", (10,))]), "no filter 11"),
        (lambda: operate(fresh("report"), [Mute("fc1", (1,))]), "no convolution 'fc1'.*conv1, conv2"),
        (lambda: operate(fresh("mlp"), [UseGabor()]), "no convolution"),
        (lambda: operate(fresh("mlp"), [Mute("conv1", (1,))]), "none"),
    ],
)
def test_what_cannot_be_done_is_told(make, said):
    with pytest.raises(NetworkError, match=said):
        make()


def test_gabor_filters_need_room():
    layer = nn.Sequential(nn.Conv2d(1, 4, (1, 1)))
    with pytest.raises(NetworkError, match="3×3 pixels or more; this one's are 1×1"):
        operate(layer, [UseGabor()])


def test_what_was_done_can_be_undone_and_done_again():
    a, b, c = Mute("conv1", (0,)), Mute("conv1", (1,)), Mute("conv1", (2,))
    record = Record().add(a).add(b).add(c)
    assert record.done == (a, b, c)
    assert record.undo().undo().done == (a,)
    assert record.undo().undo().redo().redo() == record
    assert record.undo().add(a) == Record((a, b, a))  # a new one cannot be followed by the undone
    assert record.remove(1).done == (a, c)
    assert Record().undo() == Record().redo() == Record()


def test_kernels_are_shown_as_pictures():
    network = fresh("report")
    assert kernels_of(network.conv1, 0).shape == (10, 5, 5)
    np.testing.assert_array_equal(kernels_of(network.conv2, 3), network.conv2.weight[3].detach().numpy())
    colour = nn.Conv2d(3, 4, 7)
    np.testing.assert_allclose(kernels_of(colour, 0), colour.weight.detach().numpy().mean(1))


def samples():
    from core.data import load

    return load("strokes-digits", "test")


def test_answers_are_the_networks_own():
    test = samples().take(torch.arange(300))
    module = fresh("digits")
    said: list[tuple[int, int]] = []
    result = answers_of(module, test, 2.0, lambda done, total: said.append((done, total)))
    with torch.no_grad():
        expected = module.logits(test.images[:, None].float() / 255).numpy()
    np.testing.assert_allclose(result.logits, expected, atol=1e-4)
    assert result.temperature == 2.0
    assert said == [(250, 300), (300, 300)]


def test_only_disagreements_decide():
    labels = np.zeros(100, int)
    sure, unsure = np.tile([1.0, 0.0], (100, 1)), np.tile([1.0, 0.0], (100, 1))
    unsure[:12] = [0.0, 1.0]
    before, after = (result_of(x, labels, ("a", "b")) for x in (sure, unsure))
    found = difference_of(before, after)
    assert found.first == "before"
    assert found.p_value == pytest.approx(2 * 0.5**12)
    assert found.decided
    assert not difference_of(before, before).decided


@pytest.fixture
def stored(inkling_home):
    from core.networks import save_network

    torch.manual_seed(3)
    return save_network(
        build(NetworkSpec("report")),
        {
            "name": "mine", "classes": tuple("0123456789"), "data": {"name": "strokes-digits"}, "seed": 3,
            "training": {"dataset": "strokes-digits", "epochs": 1}, "metrics": {"test_accuracy": 0.5},
            "temperature": 1.5, "refusal_threshold": 2.2,
        },
    )  # fmt: skip


def test_what_came_out_is_kept_as_a_network_of_its_own(stored):
    operations = [Mute("conv1", (2, 3)), AddNoise("conv2", (1,))]
    module = operate(stored.module(), operations)
    test = samples().take(torch.arange(0, 2000, 10))
    result = answers_of(module, test, 1.5)
    kept = keep_changed(stored, module, operations, "mine-changed", result, "after 5 batches")
    assert {"mine", "mine-changed"} <= {p.name for p in list_networks()}
    passport = open_network("mine-changed").passport
    assert passport.training["surgery"] == [o.described for o in operations]
    assert passport.training["of"] == "mine, after 5 batches"
    assert passport.training["dataset"] == "strokes-digits"
    assert (passport.temperature, passport.refusal_threshold) == (1.5, 2.2)
    assert passport.metrics["test_accuracy"] == result.accuracy
    scores = np.log(np.exp(result.logits.astype(float)).sum(1))
    assert passport.metrics["test_refused"] == pytest.approx((scores < 2.2).mean())
    glyphs = draw_glyphs(["3", "8"], 0).astype(np.float32) / 255
    with torch.no_grad():
        own = module.logits(torch.from_numpy(glyphs[:, None])).numpy()
    for opened in (kept, import_zip(export_zip("mine-changed"), "again")):
        np.testing.assert_allclose(opened.logits(glyphs), own, atol=1e-5)
        with torch.no_grad():
            np.testing.assert_allclose(opened.module().logits(torch.from_numpy(glyphs[:, None])), own, atol=1e-6)
    assert "surgery" not in stored.passport.training


def test_costs_are_counted_on_what_is_kept(stored):
    before, after = costs([stored.module(), fresh("report")])
    assert before.parameters == count_parameters(stored.module()) == after.parameters
    assert before.bytes == stored.weights_file.stat().st_size
    assert before.latency_us > 0

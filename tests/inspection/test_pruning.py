"""Pruned networks answer as before where they can, and live in the store like any other."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from core.errors import NetworkError
from core.inspection.pruning import Prune, plan_pruning
from core.inspection.surgery import Mute, UseGabor, operate
from core.networks import ARCHITECTURES, NetworkSpec, export_onnx_file, export_zip, import_zip, save_network
from core.networks.base import Network, build, count_parameters
from core.networks.pruned import outlets, remove_filters
from core.networks.spec import CnnShape

PRUNABLE = ["report", "report-dropout2d", "keras", "cnn", "gabor", "digits", "residual"]
FIELDS = {
    "name": "pruned", "classes": tuple("0123456789"), "data": {"name": "mnist"}, "seed": 3, "training": {},
    "metrics": {}, "temperature": 1.0, "refusal_threshold": 0.0,
}  # fmt: skip


def fresh(spec: NetworkSpec | str) -> Network:
    torch.manual_seed(2)
    network = build(NetworkSpec(spec) if isinstance(spec, str) else spec).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after a training
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


@torch.no_grad()
def twin(network: Network, path: str, kept: int, other: int, times: float = 1.0) -> None:
    """The filter `other` becomes `times` the filter `kept`, its batch norm the same."""
    layer = network.get_submodule(path)
    layer.weight[other] = layer.weight[kept] * times
    if layer.bias is not None:
        layer.bias[other] = layer.bias[kept] * times
    if norm := outlets(network)[path].norm:
        for tensor in network.get_submodule(norm).state_dict().values():
            if tensor.ndim:
                tensor[other] = tensor[kept]


def same_logits(a: Network, b: Network, tolerance: float = 1e-4) -> None:
    inputs = torch.rand(7, 1, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(a.logits(inputs), b.logits(inputs), atol=tolerance, rtol=1e-4)


def unhooked(network: nn.Module) -> bool:
    return all(not m._forward_hooks and not m._forward_pre_hooks and not m._backward_hooks for m in network.modules())


@pytest.mark.parametrize("architecture", PRUNABLE)
def test_a_muted_and_a_doubled_filter_go_and_the_answer_stays(architecture):
    network = fresh(architecture)
    for path in outlets(network):
        twin(network, path, 1, 4)
    network = operate(network, [Mute(path, (2,)) for path in outlets(network)])
    before = copy.deepcopy(network.state_dict())
    plans = {plan.layer: plan for plan in plan_pruning(network)}
    for plan in plans.values():
        assert 2 in plan.dead
        assert (1, 4) in plan.twins
        assert not plan.weak
    pruned = operate(network, [Prune()])
    for path in outlets(network):
        assert pruned.get_submodule(path).out_channels <= network.get_submodule(path).out_channels - 2
    same_logits(network, pruned)
    assert count_parameters(pruned) < count_parameters(network)
    assert unhooked(network)
    assert unhooked(pruned)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert [p.requires_grad for p in pruned.parameters()] == [p.requires_grad for p in network.parameters()]


@pytest.mark.parametrize("architecture", ["report", "keras", "cnn"])
def test_a_dead_filters_constant_goes_into_the_next_bias(architecture):
    network = fresh(architecture)
    path = next(iter(outlets(network)))
    with torch.no_grad():
        network.get_submodule(path).weight[3] = 0
        network.get_submodule(path).bias[3] = 0.8  # says 0.8 everywhere
    pruned = operate(network, [Prune()])
    assert pruned.spec.pruned == {path: network.get_submodule(path).out_channels - 1}
    same_logits(network, pruned)


def test_a_constant_beside_padding_cannot_be_folded_so_the_filter_stays():
    network = fresh("digits")
    with torch.no_grad():
        network.features[0][0].weight[3] = 0
        network.features[0][1].bias[3] = 2.0
        network.features[0][1].running_mean[3] = 0
    plan = plan_pruning(network)[0]
    assert 3 not in plan.gone
    assert 3 in plan.left


def test_the_constant_goes_into_the_next_batch_norm_where_there_is_no_bias():
    spec = NetworkSpec("cnn", cnn=CnnShape(filters=(6, 8), batch_norm=True))
    network = fresh(spec)
    with torch.no_grad():
        network.features[0].weight[2] = 0  # batch norm makes a constant of it
        network.features[1].bias[2] = 1.5
    plan = plan_pruning(network)[0]
    assert plan.dead == (2,)
    same_logits(network, operate(network, [Prune()]))


@pytest.mark.parametrize("architecture", ["digits", "residual"])
def test_a_filter_that_its_batch_norm_silences_is_dead_whatever_its_weights(architecture):
    network = fresh(architecture)
    outlet = next(o for o in outlets(network).values() if o.norm)
    norm = network.get_submodule(outlet.norm)
    with torch.no_grad():
        norm.weight[2], norm.bias[2] = 0, 0
    assert network.get_submodule(outlet.layer).weight[2].abs().max() > 0
    plan = next(plan for plan in plan_pruning(network) if plan.layer == outlet.layer)
    assert plan.dead == (2,)
    same_logits(network, operate(network, [Prune()]))


def test_a_muted_filter_is_still_found_dead_under_gabor_filters():
    network = operate(fresh("digits"), [Mute("features.0.0", (0,)), UseGabor()])
    assert 0 in plan_pruning(network)[0].dead


def test_a_louder_twin_is_taken_over_with_its_loudness():
    network = fresh("report")
    twin(network, "conv1", 0, 7, times=2.5)
    twin(network, "conv2", 3, 5, times=0.4)
    pruned = operate(network, [Prune()])
    assert pruned.spec.pruned == {"conv1": 9, "conv2": 19}
    same_logits(network, pruned)


def test_alike_in_weights_but_not_in_answers_stays():
    network = fresh("digits")
    twin(network, "features.1.0", 1, 4)
    with torch.no_grad():
        network.features[1][1].bias[4] = -9.0  # the ReLU lets nothing through
    plan = plan_pruning(network)[1]
    assert plan.left == (4,)


@pytest.mark.parametrize("architecture", PRUNABLE)
def test_the_weakest_go_and_something_stays(architecture):
    network = fresh(architecture)
    pruned = operate(network, [Prune(weakest=0.5)])
    for path in outlets(network):
        layer, left = network.get_submodule(path), pruned.get_submodule(path).out_channels
        assert 1 <= left <= layer.out_channels - layer.out_channels // 2 + 1
    path = next(iter(outlets(network)))
    sums = network.get_submodule(path).weight.detach().abs().flatten(1).sum(1).numpy()
    weak = plan_pruning(network, weakest=0.3)[0].weak
    assert sums[list(weak)].max() <= np.delete(sums, weak).min()


def test_a_layer_of_dead_filters_keeps_one():
    network = operate(fresh("report"), [Mute("conv1", tuple(range(10)))])
    pruned = operate(network, [Prune()])
    assert pruned.conv1.out_channels == 1
    same_logits(network, pruned)


def test_a_mean_stands_in_for_a_weak_filter():
    """Against a forward pass in which the filter's answer is replaced by its mean on the reference glyphs."""
    from core.inspection.pruning import _references

    network = fresh("keras")
    (weak,) = plan_pruning(network, weakest=1 / 32)[0].weak
    assert plan_pruning(network, weakest=1 / 32)[0].dead == ()
    pruned = copy.deepcopy(network)
    taken = []
    hook = network.conv2.register_forward_pre_hook(lambda m, i: taken.append(i[0]))
    with torch.no_grad():
        network.logits(_references())
    hook.remove()
    mean = taken[0][:, weak].mean()

    def replace(module, inputs):
        changed = inputs[0].clone()
        changed[:, weak] = mean
        return (changed,)

    inputs = torch.rand(4, 1, 28, 28)
    from core.inspection.pruning import _answers, _make_up

    outlet = outlets(network)["conv1"]
    _make_up(pruned, outlet, plan_pruning(network, weakest=1 / 32)[0], _answers(network, outlet))
    remove_filters(pruned, "conv1", [weak])
    hook = network.conv2.register_forward_pre_hook(replace)
    with torch.no_grad():
        expected = network.logits(inputs)
    hook.remove()
    torch.testing.assert_close(pruned.logits(inputs), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("architecture", PRUNABLE)
def test_a_pruned_network_is_built_anew_from_its_spec(architecture):
    network = operate(fresh(architecture), [Prune(weakest=0.2)])
    spec = NetworkSpec.from_json(network.spec.to_json())
    assert spec == network.spec
    assert hash(spec) == hash(network.spec)
    again = build(spec).eval()
    again.load_state_dict(network.state_dict())
    same_logits(network, again, 1e-6)
    assert again.spec == spec
    twice = operate(network, [Prune(weakest=0.2)])
    assert all(twice.spec.pruned[path] < network.spec.pruned[path] for path in network.spec.pruned)


def test_a_pruned_network_is_stored_and_travels(inkling_home, tmp_path):
    network = operate(fresh("digits"), [Prune(weakest=0.3)])
    stored = save_network(network, FIELDS)
    inputs = torch.rand(3, 1, 28, 28)
    with torch.no_grad():
        expected = network.logits(inputs).numpy()
    for opened in (stored, import_zip(export_zip("pruned"), "imported")):
        assert opened.passport.spec.pruned == network.spec.pruned
        with torch.no_grad():
            np.testing.assert_allclose(opened.module().logits(inputs).numpy(), expected, atol=1e-6)
        np.testing.assert_allclose(opened.logits(inputs[:, 0].numpy()), expected, atol=1e-4)
    assert export_onnx_file("imported", tmp_path / "pruned.onnx")["largest_difference"] < 1e-4


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - set(PRUNABLE)))
def test_networks_without_such_layers_say_so(architecture):
    assert outlets(fresh(architecture)) == {}
    for act in (plan_pruning, lambda network: operate(network, [Prune()])):
        with pytest.raises(NetworkError, match="no convolution that could lose filters"):
            act(fresh(architecture))


def test_residual_blocks_lose_filters_only_within():
    assert set(outlets(fresh("residual"))) == {f"blocks.{i}.first.0" for i in range(5)}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Prune(cosine=0.2), "cosine is a number from 0.5 to 1"),
        (lambda: Prune(weakest=1.0), "weakest is a number from 0 to 0.9"),
        (lambda: operate(fresh("report"), [Prune()]), "nothing to prune"),
        (lambda: operate(resnet18(weights=None), [Prune()]), "Networks for photos cannot be pruned"),
        (lambda: remove_filters(fresh("report"), "fc1", [0]), "'fc1'.*cannot be pruned"),
        (lambda: remove_filters(fresh("residual"), "stem.0", [0]), "'stem.0'.*cannot be pruned"),
        (lambda: remove_filters(fresh("report"), "conv1", range(10)), "at least one must stay"),
        (lambda: remove_filters(fresh("report"), "conv1", [10]), "numbered from 0"),
        (lambda: remove_filters(fresh("report"), "conv1", [-1]), "numbered from 0"),
    ],
)
def test_what_cannot_be_pruned_is_told(make, said):
    with pytest.raises(NetworkError, match=said):
        make()


@pytest.mark.parametrize(
    ("pruned", "said"),
    [
        ([["conv1", 9]], "JSON object"),
        ({"conv1": 0}, "whole number from 1"),
        ({"conv1": True}, "whole number from 1"),
        ({"conv1": 2.5}, "whole number from 1"),
        ({"../x": 3}, "names layers"),
        ({3: 3}, "names layers"),
        ({f"conv{i}": 3 for i in range(101)}, "100 is the most"),
    ],
)
def test_bad_specs_are_refused(pruned, said):
    with pytest.raises(NetworkError, match=said):
        NetworkSpec.from_json({"architecture": "report", "pruned": pruned})


@pytest.mark.parametrize(
    ("architecture", "pruned", "said"),
    [
        ("report", {"conv3": 4}, "no convolution 'conv3'"),
        ("report", {"fc1": 4}, "no convolution 'fc1'"),
        ("report", {"conv1": 10}, "has 10 filters.*cannot have 10"),
        ("residual", {"stem.0": 4}, "cannot be pruned"),
        ("vit", {"patches.project": 4}, "cannot be pruned"),
        ("heart-11-10-1", {"hidden.0": 4}, "no convolution"),
    ],
)
def test_specs_that_fit_no_network_are_refused_when_built(architecture, pruned, said):
    with pytest.raises(NetworkError, match=said):
        build(NetworkSpec(architecture, pruned=pruned))


def test_a_spec_keeps_its_own_copy_and_an_empty_one_is_none():
    pruned = {"conv1": 4}
    spec = NetworkSpec("report", pruned=pruned)
    pruned["conv1"] = 99
    assert spec.pruned == {"conv1": 4}
    assert NetworkSpec("report", pruned={}) == NetworkSpec("report")

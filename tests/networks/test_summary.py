"""The table of layers and the diagram's steps say what the network is, and leave it as it was."""

import copy

import pytest
import torch
import torchvision
from torch import Tensor, nn

from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import Network, build, count_parameters
from core.networks.spec import CnnShape
from core.networks.steps import Step, trace_steps
from core.networks.summary import LayerRow, count_totals, summarise


def labels(network: Network) -> list[str]:
    return [step.label for step in trace_steps(network)]


def test_the_table_of_report():
    assert summarise(build(NetworkSpec("report"))) == [
        LayerRow("conv1", "Conv2d", "N × 10 × 24 × 24", 260, "trainable"),
        LayerRow("conv2", "Conv2d", "N × 20 × 8 × 8", 5_020, "trainable"),
        LayerRow("dropout", "Dropout", "N × 20 × 8 × 8", 0, "–"),
        LayerRow("fc1", "Linear", "N × 50", 16_050, "trainable"),
        LayerRow("fc2", "Linear", "N × 10", 510, "trainable"),
    ]


def test_the_steps_of_report():
    assert trace_steps(build(NetworkSpec("report"))) == [
        Step("input", "", "1 × 28 × 28", "–", "", "inputs"),
        Step("standardise", "", "1 × 28 × 28", "–", "", "truediv"),
        Step("conv 10@5×5", "260 parameters", "10 × 24 × 24", "trainable", "conv1", "conv1"),
        Step("max-pool 2×2, ReLU", "", "10 × 12 × 12", "–", "", "relu"),
        Step("conv 20@5×5", "5,020 parameters", "20 × 8 × 8", "trainable", "conv2", "conv2"),
        Step("dropout 0.5", "", "20 × 8 × 8", "–", "dropout", "dropout"),
        Step("max-pool 2×2, ReLU", "", "20 × 4 × 4", "–", "", "relu_1"),
        Step("flatten", "", "320", "–", "", "flatten"),
        Step("dense 50, ReLU", "16,050 parameters", "50", "trainable", "fc1", "relu_2"),
        Step("dense 10, log-softmax", "510 parameters", "10", "trainable", "fc2", "log_softmax"),
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_rows_steps_and_totals_agree(architecture):
    network = build(NetworkSpec(architecture))
    rows, steps, totals = summarise(network), trace_steps(network), count_totals(network)
    assert sum(row.parameters for row in rows) == totals.parameters == count_parameters(network)
    assert sum(int(step.detail.split()[0].replace(",", "")) for step in steps if step.detail) == totals.parameters
    assert totals.trainable + totals.frozen == totals.parameters
    assert rows[-1].output_shape == f"N × {steps[-1].shape}"
    assert steps[0].shape == " × ".join(map(str, network.example().shape[1:]))
    assert steps[-1].shape == str(network.spec.classes)
    assert steps[-1].label.endswith("log-softmax")
    assert len(steps) < 20


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_shapes_are_those_of_a_real_forward_pass(architecture):
    network = build(NetworkSpec(architecture)).eval()
    rows, seen = summarise(network), []
    names = {network.get_submodule(row.name): row.name for row in rows}
    for layer in names:
        layer.register_forward_hook(lambda layer, _, out: seen.append((names[layer], out.shape[1:])))
    network(network.example())
    assert [(name, " × ".join(["N", *map(str, shape)])) for name, shape in seen] == [
        (row.name, row.output_shape) for row in rows
    ]


def test_the_given_network_is_not_changed():
    for architecture in ARCHITECTURES:
        network = build(NetworkSpec(architecture)).train()
        before = copy.deepcopy(network.state_dict())
        drawn = torch.get_rng_state()
        summarise(network), trace_steps(network), count_totals(network)
        assert all(module.training for module in network.modules())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
        assert before.keys() == network.state_dict().keys()
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert torch.equal(torch.get_rng_state(), drawn)


def test_what_is_frozen_is_said():
    network = build(NetworkSpec("gabor"))
    assert [row.state for row in summarise(network)] == ["frozen", "trainable", "–", "trainable", "trainable"]
    assert next(step.state for step in trace_steps(network) if step.detail) == "frozen"
    totals = count_totals(network)
    assert (totals.parameters, totals.trainable, totals.frozen) == (21_830, 21_580, 250)


def test_a_partly_frozen_block_is_said():
    network = build(NetworkSpec("vit"))
    network.blocks[0].norm1.requires_grad_(False)
    assert [row.state for row in summarise(network) if row.name.startswith("blocks")] == [
        "partly frozen",
        *["trainable"] * 3,
    ]
    assert "partly frozen" in [step.state for step in trace_steps(network)]


def test_multiply_adds_are_counted_by_hand():
    """A convolution: its weights times its pixels; a dense layer: its weights; attention: all tokens with all."""
    report = 250 * 24**2 + 5_000 * 8**2 + 16_000 + 500
    assert count_totals(build(NetworkSpec("report"))).multiply_adds == report
    token = 3 * 64 * 64 + 64 * 64 + 2 * 64 * 128
    vit = 16 * 64 * 49 + 4 * (49 * token + 2 * 49 * 49 * 64) + 640
    assert count_totals(build(NetworkSpec("vit"))).multiply_adds == vit


def test_a_cnns_steps_are_its_dimensions():
    shape = CnnShape(2, (3, 4), 5, 2, "last", "tanh", 7, 0.25, True)
    assert labels(build(NetworkSpec("cnn", dropout=0.75, cnn=shape))) == [
        "input",
        "standardise",
        "conv 3@5×5, batch norm, tanh",
        "conv 4@5×5, batch norm, tanh",
        "max-pool 2×2",
        "flatten",
        "dropout 0.75",
        "dense 7, tanh",
        "dropout 0.25",
        "dense 10, log-softmax",
    ]


def test_dropout_that_drops_nothing_is_left_out():
    assert labels(build(NetworkSpec("mlp", dropout=0))) == [
        "input",
        "flatten",
        "dense 512, ReLU",
        "dense 512, ReLU",
        "dense 10, log-softmax",
    ]


def test_equal_blocks_are_counted():
    steps = trace_steps(build(NetworkSpec("vit")))
    (blocks,) = [step for step in steps if "block" in step.label]
    assert blocks.label.startswith("4 × transformer block")
    assert blocks.detail == "133,888 parameters"


class Branching(Network):
    """A way around a layer, and activations that do not follow directly."""

    def __init__(self) -> None:
        super().__init__(NetworkSpec("mlp", classes=2))
        self.first = nn.Linear(784, 8)
        self.second = nn.Linear(8, 8)
        self.output = nn.Linear(8, 2)

    def embed(self, inputs: Tensor) -> Tensor:
        x = self.first(inputs.flatten(1))
        return (self.second(x) + x.relu()).sigmoid()

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.embed(inputs) * 2.0)


def test_an_operation_joins_only_the_box_that_it_follows():
    assert labels(Branching())[2:] == ["dense 8", "dense 8", "ReLU", "add, sigmoid", "multiply", "dense 2, log-softmax"]


def test_a_block_without_a_name_for_the_diagram_has_its_classes():
    class Gate(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale(x).sigmoid()

    network = Branching()
    network.second = nn.Sequential(Gate(), Gate())
    assert "2 × gate" in labels(network)
    assert [(row.name, row.kind) for row in summarise(network)][1:3] == [("second.0", "gate"), ("second.1", "gate")]


def test_a_network_that_is_no_network_of_ours_is_told_layer_by_layer():
    """torchvision's classes stand outside of torch.nn, as blocks do; the whole is none."""
    network = torchvision.models.squeezenet1_1().eval()
    rows = summarise(network, torch.zeros(1, 3, 64, 64))
    assert [row.kind for row in rows[:4]] == ["Conv2d", "ReLU", "MaxPool2d", "fire"]
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "labels_there"),
    [
        ("shufflenet_v2_x0_5", {"4 × invertedresidual", "8 × invertedresidual", "dense 1000"}),
        ("vit_b_32", {"conv 768@32×32, stride 32", "encoder", "dense 1000"}),
    ],
)
def test_operations_that_make_no_single_tensor_have_no_box(name, labels_there):
    """Vision transformers read sizes and check them; ShuffleNet splits its channels."""
    network = torchvision.models.get_model(name, weights=None).eval()
    steps = trace_steps(network, torch.zeros(1, 3, 224, 224))
    assert steps[-1].shape == "1000"
    assert labels_there <= {step.label for step in steps}

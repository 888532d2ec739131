"""Networks with random weights under examination, for tests of what is asked of them."""

import torch
from torch import nn
from torchvision.models import get_model

from core.inspection.subject import Subject
from core.networks import NetworkSpec
from core.networks.base import build


def fresh(architecture: str) -> Subject:
    """A network of the registry."""
    torch.manual_seed(5)
    network = build(NetworkSpec(architecture)).eval()
    classes = tuple(str(i) for i in range(network.spec.classes))
    return Subject(architecture, network, network.spec.takes, classes, network.example()[:1])


def photo_network(name: str, side: int = 64, classes: int = 1000) -> Subject:
    """One of torchvision's; `classes` 0: without its output layer."""
    torch.manual_seed(5)
    module = get_model(name, weights=None).eval()
    names = tuple(str(i) for i in range(classes))
    return Subject(name, module, "photos", names, torch.zeros(1, 3, side, side), mean=(0.5,) * 3, spread=(0.25,) * 3)


def linear(weights: torch.Tensor, takes: str = "glyphs") -> Subject:
    """Classes that are weighted sums of the pixels or features: `(C, …)` weights, no biases."""
    layer = nn.Linear(weights[0].numel(), len(weights), bias=False)
    layer.weight.data = weights.flatten(1).clone()
    module = nn.Sequential(nn.Flatten(), layer).eval()
    return Subject("linear", module, takes, tuple(map(str, range(len(weights)))), torch.zeros(1, *weights.shape[1:]))


def some_input(subject: Subject, seed: int = 1) -> torch.Tensor:
    return torch.rand(subject.example.shape, generator=torch.Generator().manual_seed(seed))


def is_untouched(subject: Subject, state: dict[str, torch.Tensor]) -> bool:
    """No hook is left on the shared module, and its weights are those of `state`."""
    hooks = [
        list(hook)
        for m in subject.module.modules()
        for hook in (m._forward_hooks, m._forward_pre_hooks, m._backward_hooks)
    ]
    now = subject.module.state_dict()
    return not any(hooks) and list(now) == list(state) and all(torch.equal(now[name], state[name]) for name in state)


def state_of(subject: Subject) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in subject.module.state_dict().items()}

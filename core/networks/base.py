"""`Network`: what every network has in common, whether it reads glyphs or the rows of a table."""

import importlib
from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.spec import ARCHITECTURES, NetworkSpec

# Mean and standard deviation of MNIST's training pixels in [0, 1] (pytorch/examples, mnist/main.py).
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081


class Network(nn.Module, ABC):
    """Inputs in, log-probabilities out.

    Glyphs come as `(N, 1, 28, 28)` float in [0, 1], ink bright; scaling them further is the network's own first step,
    so that no caller can forget it. The features of a table come scaled, `(N, F)`: their scale is the table's.
    """

    INPUT_NAME = "glyphs"  # or "features": what the inputs are, and their name in the exported network
    spec: NetworkSpec

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec

    @classmethod
    def example(cls) -> Tensor:
        """Two inputs, to find shapes by."""
        return torch.zeros(2, 1, 28, 28)

    @abstractmethod
    def embed(self, inputs: Tensor) -> Tensor:
        """The activations at the dense layer before the output: `(N, D)`."""

    @abstractmethod
    def logits(self, inputs: Tensor) -> Tensor:
        """The output layer before log-softmax: `(N, C)`; its log-sum-exp measures how much like a symbol a glyph is."""

    def forward(self, inputs: Tensor) -> Tensor:
        return F.log_softmax(self.logits(inputs), dim=1)  # (N, C)


def standardise(glyphs: Tensor) -> Tensor:
    """Glyphs in [0, 1] → about zero mean and unit variance, on which deep networks train faster."""
    return (glyphs - PIXEL_MEAN) / PIXEL_STD


def as_input(inputs: Tensor) -> Tensor:
    """Samples' inputs as networks take them: `uint8` glyphs → `(N, 1, 28, 28) float32` in [0, 1]; features as is."""
    if inputs.dtype != torch.uint8:
        return inputs
    return inputs.reshape(-1, 1, 28, 28).to(torch.float32).div_(255)


def build(spec: NetworkSpec) -> Network:
    """A fresh network with random weights (drawn from torch's current seed).

    Raises `NetworkError` where the spec prunes a layer that there is not, or that cannot be pruned so.
    """
    module, class_name = ARCHITECTURES[spec.architecture].builder.split(":")
    network = getattr(importlib.import_module(module), class_name)(spec)
    if spec.pruned:
        from core.networks.pruned import shrink  # needed by few networks

        shrink(network, spec.pruned)
    return network


def count_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())

"""`Network`: what every network that reads glyphs has in common."""

import importlib
from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.spec import ARCHITECTURES, NetworkSpec

# Mean and standard deviation of MNIST's training pixels in [0, 1] (pytorch/examples, mnist/main.py).
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081


class Network(nn.Module, ABC):
    """Glyphs in, log-probabilities out.

    Input everywhere: `(N, 1, 28, 28)` float in [0, 1], ink bright; the scaling to zero mean and unit variance is the
    network's own first step, so that no caller can forget it.
    """

    spec: NetworkSpec

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec

    @staticmethod
    def standardise(glyphs: Tensor) -> Tensor:
        return (glyphs - PIXEL_MEAN) / PIXEL_STD

    @abstractmethod
    def embed(self, glyphs: Tensor) -> Tensor:
        """The activations at the dense layer before the output: `(N, D)`."""

    @abstractmethod
    def logits(self, glyphs: Tensor) -> Tensor:
        """The output layer before log-softmax: `(N, C)`; its log-sum-exp measures how much like a symbol a glyph is."""

    def forward(self, glyphs: Tensor) -> Tensor:
        return F.log_softmax(self.logits(glyphs), dim=1)  # (N, C)


def build(spec: NetworkSpec) -> Network:
    """A fresh network with random weights (drawn from torch's current seed)."""
    module, class_name = ARCHITECTURES[spec.architecture].split(":")
    return getattr(importlib.import_module(module), class_name)(spec)


def count_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())

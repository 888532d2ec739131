"""`heart-…`: the course's networks for a table of heart patients; the name says the nodes of each layer."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network
from core.networks.spec import NetworkSpec


class BesideZero(nn.Module):
    """z → [0, z]: softmax of the two is 1 − σ(z) and σ(z)."""

    drawn_as = "0 beside z (sigmoid as softmax)"

    def forward(self, z: Tensor) -> Tensor:
        return F.pad(z, (1, 0))  # (N, 2)


class Heart(Network):
    """Features → hidden layers with ReLU → one sigmoid output, the probability of the second class.

    The output node's sum z stands beside a fixed 0 as the first class's, so that cross-entropy is binary
    cross-entropy, and everything that reads two logits reads this network too.
    """

    INPUT_NAME = "features"

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        nodes = [int(count) for count in spec.architecture.split("-")[1:]]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(nodes[:-1]))
        self.dropout = nn.Dropout(spec.dropout)  # after each hidden layer
        self.output = nn.Linear(nodes[-2], nodes[-1])
        self.two_logits = BesideZero()

    @classmethod
    def example(cls) -> Tensor:
        return torch.zeros(2, 11)

    def embed(self, inputs: Tensor) -> Tensor:
        *first, last = self.hidden
        for layer in first:
            inputs = self.dropout(layer(inputs).relu())
        return last(inputs).relu()  # (N, 10) or (N, 40)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.two_logits(self.output(self.dropout(self.embed(inputs))))  # (N, 2)

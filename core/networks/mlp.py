"""`mlp`: the dense network of PyTorch's quickstart tutorial, 669,706 parameters."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network
from core.networks.spec import NetworkSpec


class Mlp(Network):
    """784-512-512-10 with ReLU, on intensities as they are; the tutorial's own has no dropout (`dropout = 0`)."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.dense1 = nn.Linear(28 * 28, 512)
        self.dense2 = nn.Linear(512, 512)
        self.dropout = nn.Dropout(spec.dropout)  # after each hidden layer
        self.output = nn.Linear(512, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        x = F.relu(self.dense1(torch.flatten(inputs, 1)))  # (N, 512)
        return F.relu(self.dense2(self.dropout(x)))  # (N, 512)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(inputs)))  # (N, C)

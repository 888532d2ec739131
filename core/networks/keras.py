"""`keras`: the network of Keras's first MNIST example, 599,520 parameters up to its dense layer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.spec import NetworkSpec


class Keras(Network):
    """Conv 32@3×3, ReLU, conv 32@3×3, ReLU, max-pool, dropout, dense 128, ReLU, output."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3)
        self.conv2 = nn.Conv2d(32, 32, kernel_size=3)
        self.dropout = nn.Dropout(spec.dropout)
        self.dense = nn.Linear(32 * 12 * 12, 128)
        self.output = nn.Linear(128, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        x = F.relu(self.conv1(standardise(inputs)))  # (N, 32, 26, 26)
        x = F.relu(self.conv2(x))  # (N, 32, 24, 24)
        x = self.dropout(F.max_pool2d(x, 2))  # (N, 32, 12, 12)
        return F.relu(self.dense(torch.flatten(x, 1)))  # (N, 128)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.embed(inputs))  # (N, C)

"""`report`: the network of the course reports, 21,840 parameters (pytorch/examples' first MNIST network)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.spec import NetworkSpec


class Report(Network):
    """Conv 10@5×5, max-pool, ReLU, conv 20@5×5, dropout, max-pool, ReLU, dense 50, ReLU, dense 10."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=5)
        self.dropout: nn.Module = nn.Dropout(spec.dropout)
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        x = standardise(inputs)  # (N, 1, 28, 28)
        x = F.relu(F.max_pool2d(self.conv1(x), 2))  # (N, 10, 12, 12)
        x = F.relu(F.max_pool2d(self.dropout(self.conv2(x)), 2))  # (N, 20, 4, 4)
        return F.relu(self.fc1(torch.flatten(x, 1)))  # (N, 50)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.fc2(self.embed(inputs))  # (N, C)


class ReportDropout2d(Report):
    """The variant of PyTorch's tutorial: it drops whole channels after conv 2, and nodes again before the output."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.dropout = nn.Dropout2d(spec.dropout)
        self.second_dropout = nn.Dropout(spec.dropout)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.fc2(self.second_dropout(self.embed(inputs)))  # (N, C)

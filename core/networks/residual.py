"""`residual`: a small residual network (He et al. 2016) for pictures of things, such as Fashion-MNIST's clothes."""

import torch.nn.functional as F
from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.spec import NetworkSpec

# Channels and blocks at 28×28, 14×14 and 7×7 pixels: the best on Fashion-MNIST's validation part of those tried that
# two cores can train in half an hour.
STAGES = ((16, 1), (48, 2), (88, 2))


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut that keeps the picture, halved where the block halves it."""

    drawn_as = "residual block: twice 3×3, beside a shortcut"

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(channels_in, channels_out, 3, stride)
        self.second = _convolution(channels_out, channels_out, 3)
        self.shortcut = nn.Sequential()
        if stride == 2:
            self.shortcut.append(nn.AvgPool2d(2))
        if channels_in != channels_out:
            self.shortcut.extend(_convolution(channels_in, channels_out, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def _convolution(channels_in: int, channels_out: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
    )


class Residual(Network):
    """A convolution and five residual blocks with batch normalisation, then the mean over the picture."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        channels = STAGES[0][0]
        self.stem = _convolution(1, channels, 3)
        self.blocks = nn.Sequential()
        for stage, (wider, blocks) in enumerate(STAGES):
            for block in range(blocks):
                self.blocks.append(Block(channels, wider, stride=2 if stage > 0 and block == 0 else 1))
                channels = wider
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(channels, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        x = F.relu(self.stem(standardise(inputs)))  # (N, 16, 28, 28)
        return self.blocks(x).mean((2, 3))  # (N, 88, 7, 7) → (N, 88)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(inputs)))  # (N, C)

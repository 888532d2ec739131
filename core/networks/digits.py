"""`digits`: the robust reader that ships; small enough for a camera on one thread."""

from torch import Tensor, nn

from core.networks.base import Network, standardise
from core.networks.spec import NetworkSpec


def _block(channels_in: int, channels_out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class Digits(Network):
    """Five convolutions with batch normalisation on 14×14 and 7×7 maps, then dense 128 (272,426 parameters).

    The first convolution is wide (5×5) and steps by 2: strokes are two to four pixels thick, so nothing is lost, and
    the network costs 13 million multiply-adds a glyph instead of the 52 million of the same layers at full size.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.features = nn.Sequential(
            _block(1, 32, size=5, stride=2),  # (N, 32, 14, 14)
            _block(32, 48),
            _block(48, 48),
            nn.MaxPool2d(2),  # (N, 48, 7, 7)
            _block(48, 96),
            _block(96, 96),
            nn.MaxPool2d(2),  # (N, 96, 3, 3)
            nn.Flatten(),
        )
        self.dense = nn.Sequential(nn.Linear(96 * 9, 128), nn.ReLU())
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(128, spec.classes)

    def embed(self, inputs: Tensor) -> Tensor:
        return self.dense(self.features(standardise(inputs)))  # (N, 128)

    def logits(self, inputs: Tensor) -> Tensor:
        return self.output(self.dropout(self.embed(inputs)))  # (N, C)

"""`gabor`: `report` with a first layer that is given, not learned."""

import math

import torch
from torch import Tensor, nn

from core.networks.report import Report
from core.networks.spec import NetworkSpec

SIZE = 5  # pixels, as report's first layer
ORIENTATIONS = 5  # 0°, 36°, … 144°
WAVELENGTH = 5.0  # pixels: a stroke 2 to 3 wide and as much paper beside it
SPREAD = 1.7  # pixels: the envelope's standard deviation; it fades out within the 5×5
ASPECT = 0.7  # the envelope is longer along the stripes than across them


class Gabor(Report):
    """Its conv 1 is a fixed bank of ten Gabor filters without biases; everything after it learns."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__(spec)
        self.conv1 = nn.Conv2d(1, 2 * ORIENTATIONS, kernel_size=SIZE, bias=False)
        self.conv1.weight = nn.Parameter(gabor_bank(), requires_grad=False)


def gabor_bank(filters: int = 2 * ORIENTATIONS, size: int = SIZE) -> Tensor:
    """`(filters, 1, size, size)`: each orientation as a line detector (cosine) and as an edge detector (sine).

    exp(−(u² + γ²v²) / 2σ²) · cos(2πu / λ − ψ) for u across and v along the stripes (Daugman 1985), then freed of its
    mean, so that even paper and even ink answer 0, and scaled to length 1, so that all speak equally loud. Wavelength
    and envelope grow with the size; the lines come first, and an odd one has no edge beside it. `size` is 3 or more.
    """
    if size < 3 or filters < 1:
        raise ValueError(f"Gabor filters need 3×3 pixels at least, and there must be one; {filters}@{size}×{size} came")
    orientations, scale = -(-filters // 2), size / SIZE
    reach = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    y, x = torch.meshgrid(reach, reach, indexing="ij")
    bank = []
    for phase in (0.0, math.pi / 2):
        for i in range(orientations):
            angle = math.pi * i / orientations
            u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
            envelope = torch.exp(-(u**2 + (ASPECT * v) ** 2) / (2 * (SPREAD * scale) ** 2))
            kernel = envelope * torch.cos(2 * math.pi * u / (WAVELENGTH * scale) - phase)
            kernel = kernel - kernel.mean()
            bank.append(kernel / kernel.norm())
    return torch.stack(bank[:filters])[:, None]

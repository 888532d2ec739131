"""Batches bent as hands bend them: affine, elastic, pen width, tone, blur, noise; all on whole batches."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Strengths are a heuristic: about what hands and cameras do. Networks that learned with them are measured as a whole.
ROTATION = math.radians(8)  # standard deviation
SHEAR = 0.14  # standard deviation
SCALE = (0.82, 1.08)
SHIFT_PX = 1.5
ELASTIC_PX = 0.9  # standard deviation of the displacement at 6×6 nodes (after Simard et al. 2003)
ELASTIC_NODES = 6

JITTER_PX = 2


def augment(glyphs: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """`(N, 1, 28, 28)` float glyphs in [0, 1] → the same number, each changed in its own way, still in [0, 1].

    Each sample draws its own strength between none and `strength`: a network that sees nothing but strongly changed
    glyphs does worse on clean ones.
    """
    strengths = torch.rand(len(glyphs), generator=generator) * strength
    bent = bend(glyphs, generator, strengths)
    drawn = change_pen(bent, generator, strengths)
    return degrade(drawn, generator, strengths)


def bend(glyphs: Tensor, generator: torch.Generator, strengths: Tensor) -> Tensor:
    """Rotation, shear, scale, shift and elastic bends in one resampling; `strengths` `(N,)` in [0, 1]."""
    n, size = len(glyphs), glyphs.shape[-1]
    pixel = 2 / size  # grid_sample's coordinates run from -1 to 1

    def normal(*shape: int) -> Tensor:
        return torch.randn((n, *shape), generator=generator) * strengths.view(n, *(1 for _ in shape))

    def uniform(low: float, high: float) -> Tensor:
        return 1 + (low + (high - low) * torch.rand(n, generator=generator) - 1) * strengths

    def shift() -> Tensor:
        return (torch.rand(n, generator=generator) * 2 - 1) * strengths * (SHIFT_PX * pixel)

    angle, shear = normal() * ROTATION, normal() * SHEAR
    scale_x, scale_y = 1 / uniform(*SCALE), 1 / uniform(*SCALE)
    cos, sin = angle.cos(), angle.sin()
    matrix = torch.stack(
        [
            torch.stack([cos * scale_x, shear - sin * scale_y, shift()], dim=1),
            torch.stack([sin * scale_x, cos * scale_y, shift()], dim=1),
        ],
        dim=1,
    )  # (N, 2, 3)
    nodes = normal(2, ELASTIC_NODES, ELASTIC_NODES) * (ELASTIC_PX * pixel)
    displacement = F.interpolate(nodes, size=(size, size), mode="bicubic", align_corners=True)
    grid = F.affine_grid(matrix, list(glyphs.shape), align_corners=False) + displacement.permute(0, 2, 3, 1)
    return F.grid_sample(glyphs, grid, align_corners=False)


def change_pen(glyphs: Tensor, generator: torch.Generator, strengths: Tensor) -> Tensor:
    """Thickens some strokes and thins others by blending with a 3×3 dilation or erosion."""
    amount = (torch.rand(len(glyphs), 1, 1, 1, generator=generator) * 2 - 1) * _wide(strengths)  # -1 thin … 1 thick
    thick = F.max_pool2d(glyphs, 3, stride=1, padding=1)
    thin = -F.max_pool2d(-glyphs, 3, stride=1, padding=1)
    # full erosion would wipe out a thin pen's stroke, so it is blended in by half at most
    return glyphs + amount.clamp(min=0) * (thick - glyphs) + (-amount).clamp(min=0) * 0.5 * (thin - glyphs)


def degrade(glyphs: Tensor, generator: torch.Generator, strengths: Tensor) -> Tensor:
    """Blur, tone and a little noise, as cameras add them."""
    n, strengths = len(glyphs), _wide(strengths)
    blur = torch.rand(n, 1, 1, 1, generator=generator) * 0.7 * strengths
    glyphs = glyphs + blur * (F.avg_pool2d(glyphs, 3, stride=1, padding=1) - glyphs)
    gamma = torch.exp(torch.randn(n, 1, 1, 1, generator=generator) * 0.3 * strengths)
    noise = torch.randn(glyphs.shape, generator=generator) * 0.05
    return (glyphs.clamp(1e-4, 1) ** gamma + noise * torch.rand(n, 1, 1, 1, generator=generator) * strengths).clamp(
        0, 1
    )


def jitter(glyphs: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures of things, `(N, 1, S, S)`: each mirrored or not, and moved by up to `JITTER_PX` each way."""
    n, size = len(glyphs), glyphs.shape[-1]
    mirrored = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    padded = F.pad(torch.where(mirrored, glyphs.flip(3), glyphs), (JITTER_PX,) * 4)[:, 0]
    top, left = torch.randint(2 * JITTER_PX + 1, (2, n, 1, 1), generator=generator)
    along = torch.arange(size)
    return padded[torch.arange(n).view(n, 1, 1), top + along.view(1, size, 1), left + along.view(1, 1, size)][:, None]


def _wide(strengths: Tensor) -> Tensor:
    """`(N,)` → `(N, 1, 1, 1)`, to be multiplied with glyphs."""
    return strengths.view(-1, 1, 1, 1)

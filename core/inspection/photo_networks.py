"""torchvision's networks as subjects: with the pictures prepared as each of them wants it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import NetworkError
from core.inspection.subject import Subject

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum
    from torchvision.transforms._presets import ImageClassification

LONGEST = 4  # times its short side that a picture's long side may have; only its middle is seen anyway
UNTRAINED = "before any training"


@dataclass(frozen=True)
class Scaling:
    """What is done to colours in [0, 1] (RGB): minus `mean`, divided by `spread`."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


# Caffe's way: 0 to 255 minus the mean colour of its ImageNet, (104, 117, 123) in BGR (SqueezeNet, forresti/SqueezeNet,
# train_val.prototxt), here in RGB.
CAFFE = Scaling((123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3)


def photo_subject(
    name: str,
    module: nn.Module,
    weights: "WeightsEnum",
    *,
    classifies: bool = True,
    scaling: Scaling | None = None,
    moment: str = "",
) -> Subject:
    """A network for photos under examination.

    `module`: in eval mode, taking RGB; `weights`: whose size of pictures and classes it has; `scaling`: torchvision's
    unless another is given; `moment`: of its training, in words, empty for the end.
    """
    preset = weights.transforms()
    scaling = scaling or Scaling(tuple(preset.mean), tuple(preset.std))
    preset = weights.transforms(mean=scaling.mean, std=scaling.spread)
    return Subject(
        name,
        module,
        "photos",
        tuple(weights.meta["categories"]) if classifies else (),
        torch.zeros(1, 3, *(2 * list(preset.crop_size))),
        moment=moment,
        prepare_photo=lambda pixels: prepare(pixels, preset),
        mean=scaling.mean,
        spread=scaling.spread,
    )


def prepare(pixels: np.ndarray, preset: "ImageClassification") -> Tensor:
    """A picture `(H, W, 3) uint8` RGB, resized, cropped to its middle and scaled: `(1, 3, h, w) float32`."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise NetworkError(
            f"A picture of height × width × 3 colours (uint8) was expected, not {pixels.shape} of {pixels.dtype}."
        )
    middle = _middle(pixels).copy()  # torch asks for an array that may be written to
    return preset(torch.from_numpy(middle).permute(2, 0, 1)[None])


def _middle(pixels: np.ndarray) -> np.ndarray:
    """Without the ends of a very long picture, which would be resized to gigabytes and then cropped away."""
    height, width = pixels.shape[:2]
    longest = LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]

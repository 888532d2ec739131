"""A small network for photographs and small pictures, for the tests of photographs."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from core.inspection.subject import Subject
from core.transfer.photo_set import Photo
from core.transfer.preparation import png_of

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def small_subject(classes: tuple[str, ...] = ("cat", "dog"), seed: int = 0, scale: float = 1.0) -> Subject:
    """Features of 4 maps and a classifier; pictures are resized to 16×16."""
    torch.manual_seed(seed)
    parts = {"features": nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())}
    if classes:
        parts["classifier"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, len(classes)))
    module = nn.Sequential(OrderedDict(parts)).eval()

    def prepare(pixels: np.ndarray) -> Tensor:
        small = np.array(Image.fromarray(pixels).resize((16, 16)))
        return torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255 * scale

    return Subject("small", module, "photos", classes, torch.zeros(1, 3, 16, 16), prepare_photo=prepare)


def picture(label: str, rng: np.random.Generator) -> bytes:
    """Noise about the label's colour."""
    noise = rng.normal(0, 12, (20, 24, 3)) + np.array(COLOURS[label])
    return png_of(noise.clip(0, 255).astype(np.uint8))


def photos(count: int = 6, labels: tuple[str, ...] = ("red", "green"), seed: int = 0) -> tuple[Photo, ...]:
    rng = np.random.default_rng(seed)
    return tuple(Photo(label, f"{label} {i}", picture(label, rng)) for label in labels for i in range(count))


def make_folder(root: Path, count: int = 4, labels: tuple[str, ...] = ("red", "green"), seed: int = 0) -> Path:
    for photo in photos(count, labels, seed):
        (root / photo.label).mkdir(parents=True, exist_ok=True)
        (root / photo.label / f"{photo.name}.png").write_bytes(photo.content())
    return root

"""What teaching photographs costs: one pass through a frozen backbone, then epochs on its kept features."""

import time
from collections.abc import Iterator
from typing import Any

import torch
from sklearn.datasets import load_sample_image

from core.bench.jobs import temporary_home
from core.inspection.photo_networks import photo_subject
from core.networks.pretrained import published, untrained
from core.transfer.photo_features import backbone_of, compute_features
from core.transfer.photo_head import HeadConfig, teach_head
from core.transfer.photo_set import EXAMPLE, Photo
from core.transfer.preparation import png_of

NETWORKS = ("squeezenet1_1", "resnet18", "resnet152")
PICTURES = 60  # of each of two photographs
SIDE_PX = 224
EPOCHS = 5


def run() -> Iterator[dict[str, Any]]:
    """Random weights, which take as long as trained ones; with 2,904 s an epoch the course report passed all of them.

    The figure is the time of five epochs by that of one pass, the pass included: 5 without kept features.
    """
    photos = _crops()
    labels = torch.tensor([list(EXAMPLE).index(photo.label) for photo in photos])
    for name in NETWORKS:
        subject = photo_subject(name, untrained(name).eval(), next(iter(published(name).values())))
        with temporary_home():
            made = compute_features(backbone_of(subject), photos)
            started = time.perf_counter()
            known = compute_features(backbone_of(subject), photos)
            again_s = time.perf_counter() - started
        assert not known.computed
        taught = teach_head(torch.from_numpy(made.values), labels, len(EXAMPLE), HeadConfig(epochs=EPOCHS))
        yield {
            "what": f"{name}: {EPOCHS} epochs of a head on {len(photos)} photographs, by one pass over them",
            "figure": round((made.seconds + taught.seconds) / made.seconds, 3),
            "unit": "passes",
            "pass_s": round(made.seconds, 2),
            "epochs_s": round(taught.seconds, 3),
            "from_disk_s": round(again_s, 3),
            "features": made.values.shape[1],
            "torch_threads": torch.get_num_threads(),
        }


def _crops() -> tuple[Photo, ...]:
    """Crops of two photographs, each another one, at the size that backbones take."""
    generator = torch.Generator().manual_seed(0)
    photos = []
    for label, file in EXAMPLE.items():
        pixels = load_sample_image(file)
        for number in range(PICTURES):
            top, left = (int(torch.randint(side - SIDE_PX + 1, (1,), generator=generator)) for side in pixels.shape[:2])
            crop = pixels[top : top + SIDE_PX, left : left + SIDE_PX].copy()
            photos.append(Photo(label, f"{label} {number}", png_of(crop)))
    return tuple(photos)

"""`digits-8x8`: 1,797 real digits by 43 people, embedded in scikit-learn (Alpaydin & Kaynak 1998), brought to 28×28."""

import numpy as np
import torch

from core.data.mnist import DIGITS
from core.data.normalise import normalise
from core.data.samples import Samples

TEST_EVERY = 5  # of each class's digits every fifth tests: a fixed, stratified split that needs no random numbers


def load_digits8x8(part: str) -> Samples:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    labels = torch.from_numpy(bunch.target).to(torch.int64)
    in_part = _tests(bunch.target) == (part == "test")
    greys = (bunch.images[in_part] * (255 / 16)).round().astype(np.uint8)  # (N, 8, 8), from 0..16
    images = torch.from_numpy(np.stack([normalise(grey) for grey in greys]))
    return Samples("digits-8x8", part, images, labels[torch.from_numpy(in_part)], DIGITS)


def _tests(labels: np.ndarray) -> np.ndarray:
    """`(N,) bool`: which samples belong to the test part."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        chosen[np.flatnonzero(labels == label)[::TEST_EVERY]] = True
    return chosen

"""The first look at a data set, against figures that are known otherwise."""

import numpy as np
import torch

from core.data import Samples, load
from core.data.overview import overview


def test_counts_means_and_the_first_six():
    images = torch.arange(8, dtype=torch.uint8).reshape(8, 1, 1).expand(8, 28, 28).contiguous() * 30
    labels = torch.tensor([2, 0, 2, 0, 2, 0, 2, 2])
    seen = overview(Samples("any", "test", images, labels, ("a", "b", "c"), notes=("a note",)))
    assert seen.counts == (3, 0, 5)
    assert seen.means.shape == (3, 28, 28)
    np.testing.assert_allclose(seen.means[:, 5, 5], [(30 + 90 + 150) / 3, 0, (0 + 60 + 120 + 180 + 210) / 5])
    assert torch.equal(seen.first.images, images[:6])
    assert seen.first.labels.tolist() == [2, 0, 2, 0, 2, 0]
    assert (seen.size, seen.megabytes, seen.notes) == (8, 8 * 784 / 1e6, ("a note",))


def test_a_tables_means_are_its_features():
    rows, labels = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]]), torch.tensor([0, 0, 1])
    seen = overview(Samples("any", "train", rows, labels, ("no", "yes"), columns=("x", "y")))
    assert seen.means.tolist() == [[2, 3], [5, 9]]
    assert seen.first.columns == ("x", "y")


def test_looking_changes_nothing():
    samples = load("digits-8x8", "test")
    before = samples.inputs.clone()
    seen = overview(samples)
    assert torch.equal(samples.inputs, before)
    assert sum(seen.counts) == seen.size == len(samples)
    likeness = np.corrcoef(seen.means.reshape(10, -1))[np.triu_indices(10, 1)]
    assert likeness.max() < 0.95  # ten different digits


def test_each_class_has_its_first_sample():
    images = torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1).expand(6, 28, 28).contiguous()
    seen = overview(Samples("any", "test", images, torch.tensor([2, 0, 2, 0, 3, 3]), ("a", "b", "c", "d")))
    assert seen.each.labels.tolist() == [0, 2, 3], "of b there is none"
    assert seen.each.images[:, 0, 0].tolist() == [1, 0, 4]

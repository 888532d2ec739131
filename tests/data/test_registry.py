"""Every data set by name, in one shape; unknown names list the known ones."""

import pytest
import torch

from core.data import Samples, load, names
from core.data.registry import LOADERS
from core.errors import DataError

EMBEDDED = ("digits-8x8", "strokes-digits", "strokes-greek")


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", EMBEDDED)
def test_the_embedded_sets_need_no_files(name, part, monkeypatch):
    monkeypatch.setenv("INKLING_DATA", "/nowhere")
    samples = load(name, part)
    assert (samples.name, samples.part) == (name, part)
    assert samples.images.shape == (len(samples), 28, 28)
    assert (samples.images.dtype, samples.labels.dtype) == (torch.uint8, torch.int64)
    assert set(samples.labels.tolist()) == set(range(len(samples.classes)))
    assert samples.images.flatten(1).amax(dim=1).min() > 100  # ink is bright
    assert samples.images[:, 0].float().mean() < 2  # on paper of 0


def test_all_sets_are_named():
    assert {"mnist", "fashion-mnist", "kmnist", "emnist-balanced", "usps", *EMBEDDED} <= set(names())
    assert names() == tuple(LOADERS)


@pytest.mark.parametrize("name", ["minst", "", "folder", "file:x.csv", "mnist:x", "folder :x", "FOLDER:x"])
def test_an_unknown_set_lists_the_known_ones(name):
    with pytest.raises(DataError, match=f"Unknown data set '{name}'; choose one of: mnist, .*folder:DIR, heart:FILE"):
        load(name)


@pytest.mark.parametrize("name", ["folder:", "heart:", "folder:a\0b"])
def test_the_users_own_data_need_a_path(name):
    with pytest.raises(DataError, match="needs a path after the colon, as in folder:DIR, heart:FILE.csv"):
        load(name)


def test_an_unknown_part_is_refused():
    with pytest.raises(DataError, match="parts 'train' and 'test', not 'validation'"):
        load("mnist", "validation")


def test_a_set_is_held_once():
    assert load("digits-8x8", "test") is load("digits-8x8", "test")


def test_the_hash_tells_images_and_labels_apart():
    images, labels = torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([0, 1])

    def sha256(images: torch.Tensor, labels: torch.Tensor) -> str:
        return Samples("any", "train", images, labels, ("a", "b")).sha256

    assert sha256(images, labels) == sha256(images.clone(), labels.clone())
    assert sha256(images, labels) != sha256(images, labels.flip(0))
    assert sha256(images, labels) != sha256(images + 1, labels)

"""Corrections: kept, corrected again, undone; put onto samples and spaces; a damaged list."""

import numpy as np
import pytest
import torch

from core.data import Samples
from core.embedding.corrections import (
    Correction,
    correct,
    correct_samples,
    correct_space,
    glyph_id,
    list_corrections,
    removed_from,
    restore_corrections,
)
from core.embedding.space import Space
from core.errors import DataError


@pytest.fixture(scope="module")
def samples():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (4, 28, 28)).astype(np.uint8))
    return Samples("tiny", "train", images, torch.tensor([0, 1, 0, 1]), ("a", "b"))


def correction(samples, i, now):
    label = samples.classes[samples.labels[i]]
    return Correction(samples.name, glyph_id(samples.images[i].numpy()), label, now)


def test_corrections_are_kept_and_can_be_taken_back(samples):
    first, second = correction(samples, 0, "b"), correction(samples, 1, None)
    assert correct([first]) == ()
    assert correct([second]) == (first,)
    assert list_corrections() == (first, second)
    restore_corrections((first,))
    assert list_corrections() == (first,)


def test_a_second_correction_remembers_the_first_label(samples):
    correct([correction(samples, 0, "b")])
    correct([Correction("tiny", glyph_id(samples.images[0].numpy()), "b", "c")])  # as the page shows it now
    (kept,) = list_corrections()
    assert (kept.was, kept.now) == ("a", "c")
    correct([Correction("tiny", kept.glyph, "c", "a")])
    assert list_corrections() == ()  # it is what the data set says again


def test_samples_get_their_right_labels(samples):
    corrections = [correction(samples, 0, "new"), correction(samples, 1, None), correction(samples, 3, "a")]
    other = Correction("another set", corrections[0].glyph, "a", "z")
    right, kept = correct_samples(samples, [*corrections, other])
    assert [right.classes[i] for i in right.labels] == ["new", "b", "a", "a"]
    assert kept.tolist() == [True, False, True, True]
    assert samples.labels.tolist() == [0, 1, 0, 1]  # shared by all who load the set
    turned = samples.take(torch.tensor([3, 2, 1, 0]))  # drawn in another order
    assert correct_samples(turned, corrections)[1].tolist() == [True, True, False, True]


def test_spaces_get_them_where_the_set_is_the_data_set(samples):
    glyphs = samples.images.numpy()
    space = Space(
        np.zeros((8, 2), np.float32), np.concatenate([glyphs, glyphs]), np.array([0, 1, 0, 1] * 2),
        np.repeat([0, 1], 4), ("a", "b"), ("tiny train", "letters"),
    )  # fmt: skip
    corrections = [correction(samples, 0, "b"), correction(samples, 1, None)]
    right = correct_space(space, corrections, ["tiny", None])
    assert right.labels.tolist() == [1, 1, 0, 1, 0, 1, 0, 1]
    assert removed_from(space, corrections, ["tiny", None]).tolist() == [False, True] + [False] * 6
    assert correct_space(space, corrections, [None, None]) is space


NO_TEXT = '{"format": 1, "corrections": [{"dataset": 1, "glyph": "", "was": "", "now": ""}]}'


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 9, "corrections": []}', '{"format": 1, "corrections": [{}]}', NO_TEXT]
)
def test_a_damaged_list_is_said_and_not_overwritten(samples, inkling_home, content):
    (inkling_home / "corrections.json").write_text(content)
    with pytest.raises(DataError, match="no list of corrections"):
        list_corrections()
    with pytest.raises(DataError, match="move it away"):
        correct([correction(samples, 0, "b")])
    assert (inkling_home / "corrections.json").read_text() == content

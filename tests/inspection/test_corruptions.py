"""15 corruptions at 5 strengths, and the dials for one picture."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation, gaussian_filter, rotate

from core.data.strokes import draw_glyphs
from core.errors import DataError, NetworkError
from core.inspection.corruptions import CORRUPTIONS, STRENGTHS, corrupt, move, pen, resize, turn
from core.inspection.dials import DIALS, Dials, Sweep, as_paper, sweep, sweep_feature
from core.inspection.specimen import Specimen
from core.inspection.subject import open_subject
from core.networks import open_network


@pytest.fixture(scope="module")
def glyphs() -> np.ndarray:
    return draw_glyphs([*"0123456789"] * 3, seed=5)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_is_the_same_every_time(name, glyphs):
    before = glyphs.copy()
    for strength in STRENGTHS:
        made = corrupt(glyphs, name, strength)
        assert made.shape == glyphs.shape
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made, corrupt(glyphs, name, strength))
        assert (made != glyphs).any(axis=(1, 2)).all()  # none is left as it was
    np.testing.assert_array_equal(glyphs, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_more_strength_changes_more(name, glyphs):
    away = [np.abs(corrupt(glyphs, name, s).astype(float) - glyphs).mean() for s in (0, *STRENGTHS)]
    assert away[0] == 0
    assert all(a < b for a, b in pairwise(away))


@pytest.mark.parametrize("name", ["rotate", "shift", "noise", "salt", "occlude", "line", "elastic", "motion", "shear"])
def test_another_seed_is_another_chance(name, glyphs):
    assert (corrupt(glyphs, name, 3) != corrupt(glyphs, name, 3, seed=1)).any()


def test_there_are_fifteen_with_five_strengths():
    assert len(CORRUPTIONS) == 15
    assert all(len(kind.levels) == len(STRENGTHS) == 5 for kind in CORRUPTIONS.values())
    for kind in CORRUPTIONS.values():
        steps = np.diff(kind.levels)
        assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros((1, 28, 28), np.uint8), "fog", 1), "Unknown corruption 'fog'; choose one of: rotate"),
        ((np.zeros((1, 28, 28), np.uint8), "blur", 6), "from 0 .none. to 5, not 6"),
        ((np.zeros((1, 28, 28), np.float32), "blur", 1), "uint8, not"),
        ((np.zeros((28, 28), np.uint8), "blur", 1), "array"),
    ],
)
def test_what_cannot_be_corrupted_is_told(arguments, said):
    with pytest.raises(DataError, match=said):
        corrupt(*arguments)


def test_nothing_is_corrupted_to_nothing():
    assert corrupt(np.zeros((0, 28, 28), np.uint8), "elastic", 2).shape == (0, 28, 28)


def test_turning_is_scipys_turning(glyphs):
    floats = glyphs.astype(np.float32) / 255
    ours = turn(floats, np.full(len(floats), 30.0))
    theirs = rotate(floats, -30, axes=(1, 2), reshape=False, order=1)
    assert np.abs(ours - theirs).mean() < 0.01


def test_a_quarter_turn_clockwise_is_exact(glyphs):
    floats = glyphs.astype(np.float32) / 255
    np.testing.assert_allclose(turn(floats, np.full(len(floats), 90.0)), np.rot90(floats, -1, (1, 2)), atol=0.02)


def test_moving_by_whole_pixels_is_exact():
    dot = np.zeros((1, 28, 28), np.float32)
    dot[0, 10, 12] = 1
    moved = move(dot, np.array([3.0]), np.array([-2.0]))
    assert moved[0, 8, 15] == 1
    assert moved.sum() == 1


def test_sizes_and_pens(glyphs):
    floats = glyphs.astype(np.float32) / 255

    def height(picture: np.ndarray) -> int:
        return int(np.ptp(np.flatnonzero(picture.max(1) > 0.3)))

    for before, small in zip(floats, resize(floats, 0.5), strict=True):
        assert height(small) == pytest.approx(height(before) / 2, abs=2)
    ink = (floats > 0.5).astype(np.float32)
    np.testing.assert_array_equal(pen(ink, 2)[0] > 0.5, binary_dilation(ink[0], np.ones((3, 3))))
    assert pen(floats, 1).mean() > pen(floats, 0.5).mean() > floats.mean() > pen(floats, -0.5).mean()
    np.testing.assert_allclose(pen(floats, 0.5), (floats + pen(floats, 1)) / 2, atol=1e-6)


def test_a_real_network_reads_less_the_stronger_it_is(data_or_skip):
    """`report` on 500 of MNIST's test samples: each step may gain a little by chance, but not much."""
    data_or_skip("MNIST/raw")
    from core.data import load

    test = load("mnist", "test").take(torch.arange(0, 10_000, 20))
    network, labels = open_network("report"), test.labels.numpy()
    steps = []
    for name in CORRUPTIONS:
        right = [
            (network.logits(corrupt(test.images.numpy(), name, s).astype(np.float32) / 255).argmax(1) == labels).mean()
            for s in (0, *STRENGTHS)
        ]
        assert right[-1] < right[0] - 0.02, name
        steps.append(np.diff(right))
    assert np.max(steps) < 0.02
    assert (np.mean(steps, axis=0) < 0).all()  # over all kinds every step costs


def test_dials_at_rest_change_nothing(glyphs):
    photo = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    for picture in (glyphs[0].astype(np.float32) / 255, photo):
        np.testing.assert_array_equal(Dials().apply(picture), picture)


@pytest.mark.parametrize("name", DIALS)
def test_each_dial_changes_a_glyph_and_keeps_its_range(name, glyphs):
    glyph = glyphs[8].astype(np.float32) / 255
    dial = DIALS[name]
    for value in (dial.low, dial.high):
        made = Dials(**{name: value}).apply(glyph)
        assert made.shape == (28, 28)
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1
        assert (made == glyph).all() == (value == dial.neutral)


@pytest.mark.parametrize("name", [name for name in DIALS if name != "pen"])
def test_each_dial_changes_a_photo(name):
    photo = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    dial = DIALS[name]
    value = dial.high if dial.high != dial.neutral else dial.low
    made = Dials(**{name: value}).apply(photo)
    assert made.shape == photo.shape
    assert made.dtype == np.uint8
    assert (made != photo).mean() > 0.3


def test_dials_do_what_they_say(glyphs):
    glyph = glyphs[3].astype(np.float32) / 255
    np.testing.assert_allclose(Dials(rotate=90).apply(glyph), np.rot90(glyph, -1), atol=0.03)
    np.testing.assert_allclose(Dials(right=2, down=1).apply(glyph)[1:, 2:], glyph[:-1, :-2], atol=1e-6)
    np.testing.assert_allclose(Dials(blur=1.5).apply(glyph), gaussian_filter(glyph, 1.5), atol=1e-5)
    np.testing.assert_allclose(Dials(contrast=0.4).apply(glyph), 0.5 + (glyph - 0.5) * 0.4, atol=1e-6)
    assert (Dials(contrast=0).apply(glyph) == 0.5).all()
    covered = Dials(cover=6).apply(glyph)
    assert (covered[:, 11:17] == 0).all()
    np.testing.assert_allclose(covered[:, :10], glyph[:, :10], atol=1e-6)


@pytest.mark.parametrize("wrong", [{"rotate": 91}, {"size": 0}, {"noise": float("nan")}, {"blur": "much"}])
def test_no_dial_goes_beyond_its_end(wrong):
    with pytest.raises(NetworkError, match="goes from"):
        Dials(**wrong)


def test_a_curve_is_what_the_network_answers_to_each_picture(glyphs):
    subject = open_subject(open_network("report"))
    specimen = Specimen("glyphs", "a 4", glyphs[4].astype(np.float32) / 255)
    found = sweep(subject, specimen, Dials(blur=0.5), "rotate")
    assert found.values[0] == -90
    assert found.values[-1] == 90
    assert 0 in found.values
    for i in (0, 20, 45):
        picture = Dials(blur=0.5, rotate=float(found.values[i])).apply(specimen.pixels)
        alone = subject.probabilities(torch.from_numpy(picture)[None, None])
        np.testing.assert_allclose(found.probabilities[i], alone[0], atol=1e-5)
    assert found.original == subject.probabilities(subject.inputs(specimen))[0].argmax()


def test_other_answers_are_ranges_and_the_first_may_come_back():
    values = np.arange(-3.0, 4.0)
    right = np.array([1, 0, 1, 1, 1, 0, 0])
    found = Sweep(values, np.stack([right, 1 - right], 1).astype(float), 0)
    assert found.others == ((-2.5, -1.5), (1.5, 3.0))
    np.testing.assert_array_equal(found.of_original, right)
    assert Sweep(values, np.tile([0.9, 0.1], (7, 1)), 0).others == ()
    assert Sweep(values, np.tile([0.1, 0.9], (7, 1)), 0).others == ((-3.0, 3.0),)


def test_every_tried_value_is_on_the_right_side_of_the_ranges(glyphs):
    subject = open_subject(open_network("digits"))
    found = sweep(subject, Specimen("glyphs", "a 7", glyphs[7].astype(np.float32) / 255), Dials(), "rotate")
    assert found.others
    for value, probabilities in zip(found.values, found.probabilities, strict=True):
        inside = any(low <= value <= high for low, high in found.others)
        assert inside == (probabilities.argmax() != found.original)


def test_a_photos_lengths_are_not_called_pixels():
    assert DIALS["blur"].unit_on("glyphs") == "σ, pixels"
    assert DIALS["blur"].unit_on("photos") == "σ, 28ths of its side"
    assert DIALS["rotate"].unit_on("photos") == "degrees clockwise"


def test_a_feature_is_moved_alone():
    from core.inspection.subject import Subject
    from core.networks import NetworkSpec
    from core.networks.base import build

    torch.manual_seed(0)
    module = build(NetworkSpec("heart-11-10-1")).eval()
    subject = Subject("heart", module, "features", ("healthy", "ill"), module.example())
    row = np.linspace(-1, 5, 11).astype(np.float32)
    found = sweep_feature(subject, Specimen("features", "row 1", row), 10)
    assert found.values[-1] == 5  # as far as it is out itself
    changed = np.tile(row, (len(found.values), 1))
    changed[:, 10] = found.values
    with torch.no_grad():
        expected = module.logits(torch.from_numpy(changed)).softmax(1).numpy()
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_a_glyph_on_paper_is_dark_on_light(glyphs):
    paper = as_paper(glyphs[2].astype(np.float32) / 255)
    assert paper.shape == (8 * 36, 8 * 36)
    assert paper.dtype == np.uint8
    small = cv2.resize(paper, (36, 36), interpolation=cv2.INTER_AREA)[4:-4, 4:-4]
    assert np.corrcoef(small.ravel(), glyphs[2].ravel())[0, 1] < -0.95

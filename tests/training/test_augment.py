"""Augmentation keeps range and shape, is seeded, and does what its parts say."""

import torch

from core.data.strokes import draw_glyphs
from core.training.augment import augment, bend, change_pen, degrade, jitter

GLYPHS = torch.from_numpy(draw_glyphs([*"0123456789"] * 4, 0))[:, None].float() / 255
FULL = torch.ones(len(GLYPHS))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_range_shape_and_seed():
    first, again, other = augment(GLYPHS, seeded()), augment(GLYPHS, seeded()), augment(GLYPHS, seeded(1))
    assert first.shape == GLYPHS.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_strength_zero_changes_nothing():
    none = torch.zeros(len(GLYPHS))
    assert torch.allclose(bend(GLYPHS, seeded(), none), GLYPHS, atol=1e-5)
    assert torch.equal(change_pen(GLYPHS, seeded(), none), GLYPHS)
    assert torch.allclose(degrade(GLYPHS, seeded(), none), GLYPHS, atol=2e-4)


def test_each_sample_has_its_own_strength():
    strengths = torch.zeros(len(GLYPHS))
    strengths[::2] = 1
    changed = (augmented_by(strengths) - GLYPHS).abs().amax(dim=(1, 2, 3))
    assert changed[1::2].max() < 1e-3
    assert changed[::2].min() > 0.1


def augmented_by(strengths):
    return degrade(bend(GLYPHS, seeded(), strengths), seeded(), strengths)


def test_bends_keep_most_of_the_ink_and_every_sample_differs():
    bent = bend(GLYPHS, seeded(), FULL)
    ratio = bent.sum(dim=(1, 2, 3)) / GLYPHS.sum(dim=(1, 2, 3))
    assert ratio.min() > 0.4
    assert ratio.max() < 1.7
    same = GLYPHS[:1].repeat(8, 1, 1, 1)
    assert len({b.numpy().tobytes() for b in bend(same, seeded(), FULL[:8])}) == 8


def test_the_pen_gets_thicker_for_some_and_thinner_for_others():
    change = (change_pen(GLYPHS, seeded(), FULL) - GLYPHS).sum(dim=(1, 2, 3))
    assert (change > 1).any()
    assert (change < -1).any()


def test_jitter_mirrors_and_moves_whole_pictures():
    glyphs = torch.zeros(400, 1, 28, 28)
    glyphs[:, :, 13, 10:12] = torch.tensor([0.4, 1.0])  # a mark with a left and a right end
    moved = jitter(glyphs, torch.Generator().manual_seed(0))
    assert torch.equal(moved.flatten(1).sum(1), glyphs.flatten(1).sum(1)), "nothing is lost or added"
    rows, columns = (moved.amax(dim).argmax(2).flatten() for dim in (3, 2))
    assert set(rows.tolist()) == {11, 12, 13, 14, 15}
    assert set(columns.tolist()) == {*range(9, 14), *range(14, 19)}, "mirrored about the middle: 11 becomes 16"

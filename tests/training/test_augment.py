"""Augmentation keeps range and shape, is seeded, and does what its parts say."""

import torch

from core.data.strokes import draw_glyphs
from core.training.augment import augment, bend, change_pen, degrade

GLYPHS = torch.from_numpy(draw_glyphs([*"0123456789"] * 4, 0))[:, None].float() / 255


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_range_shape_and_seed():
    first, again, other = augment(GLYPHS, seeded()), augment(GLYPHS, seeded()), augment(GLYPHS, seeded(1))
    assert first.shape == GLYPHS.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_strength_zero_moves_nothing():
    assert torch.allclose(bend(GLYPHS, seeded(), 0.0), resampled_by_mean_scale(GLYPHS), atol=1e-5)
    assert torch.equal(change_pen(GLYPHS, seeded(), 0.0), GLYPHS)
    assert torch.allclose(degrade(GLYPHS, seeded(), 0.0), GLYPHS, atol=2e-4)


def resampled_by_mean_scale(glyphs):
    """At strength zero only the mean scale is left: an independent affine resampling."""
    scale = 1 / ((0.82 + 1.08) / 2)
    matrix = torch.tensor([[scale, 0.0, 0.0], [0.0, scale, 0.0]]).repeat(len(glyphs), 1, 1)
    grid = torch.nn.functional.affine_grid(matrix, list(glyphs.shape), align_corners=False)
    return torch.nn.functional.grid_sample(glyphs, grid, align_corners=False)


def test_bends_keep_most_of_the_ink_and_every_sample_differs():
    bent = bend(GLYPHS, seeded(), 1.0)
    ratio = bent.sum(dim=(1, 2, 3)) / GLYPHS.sum(dim=(1, 2, 3))
    assert ratio.min() > 0.4
    assert ratio.max() < 1.7
    same = GLYPHS[:1].repeat(8, 1, 1, 1)
    assert len({b.numpy().tobytes() for b in bend(same, seeded(), 1.0)}) == 8


def test_the_pen_gets_thicker_for_some_and_thinner_for_others():
    change = (change_pen(GLYPHS, seeded(), 1.0) - GLYPHS).sum(dim=(1, 2, 3))
    assert (change > 1).any()
    assert (change < -1).any()

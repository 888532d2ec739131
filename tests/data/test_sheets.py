"""The sample pictures: drawn from strokes, always the same, and what ships is what the code draws."""

import cv2
import numpy as np
import pytest

from core.data.sheets import SAMPLES, draw_sheet, write_on
from core.paths import ASSETS


@pytest.mark.parametrize("name", SAMPLES)
def test_what_ships_is_what_the_code_draws(name):
    shipped = cv2.cvtColor(cv2.imread(str(ASSETS / "samples" / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    drawn = draw_sheet(SAMPLES[name])
    assert drawn.dtype == np.uint8
    assert shipped.shape == drawn.shape
    assert np.abs(shipped.astype(int) - drawn).mean() < 6  # JPEG smooths the noise, nothing else


def test_a_symbol_is_written_where_and_as_large_as_asked():
    ink = np.zeros((300, 400), np.uint8)
    write_on(ink, "8", np.array([200.0, 150.0]), 120, 9, np.random.default_rng(0))
    ys, xs = np.nonzero(ink)
    height, width = ys.max() - ys.min() + 1, xs.max() - xs.min() + 1
    assert 120 <= max(height, width) <= 120 + 9 + 6  # the pen's width and its soft edge come on top
    assert abs((ys.max() + ys.min()) / 2 - 150) <= 2
    assert abs((xs.max() + xs.min()) / 2 - 200) <= 2

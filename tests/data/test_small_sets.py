"""`digits-8x8` and `usps`: small pictures of digits brought to MNIST's way."""

import gzip

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits

from core.data import load
from core.data.normalise import FAINTEST, normalise
from core.errors import DataError


def test_digits_8x8_keeps_every_digit_in_exactly_one_part():
    train, test = load("digits-8x8", "train"), load("digits-8x8", "test")
    together = torch.bincount(train.labels) + torch.bincount(test.labels)
    assert together.tolist() == np.bincount(load_digits().target).tolist()
    shares = torch.bincount(test.labels) / together
    assert shares.min() > 0.19  # stratified
    assert shares.max() < 0.22


def test_digits_8x8_still_shows_its_digits():
    """Reduced to 8×8 again, each glyph is like the picture it came from, and most like one of the same digit."""
    labels, originals = load_digits().target[:200], load_digits().images[:200]
    glyphs = [normalise((image * 255 / 16).astype(np.uint8)) for image in originals]
    reduced = [cv2.resize(glyph[4:24, 4:24], (8, 8), interpolation=cv2.INTER_AREA) for glyph in glyphs]
    likeness = np.corrcoef(np.reshape(reduced, (200, 64)), np.reshape(originals, (200, 64)))[:200, 200:]
    assert np.diag(likeness).mean() > 0.8
    assert (labels[likeness.argmax(axis=1)] == labels).mean() > 0.9


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
@settings(max_examples=100, deadline=None)
def test_normalise_gives_a_glyph_of_any_picture(picture):
    glyph = normalise(picture)
    assert glyph.shape == (28, 28)
    assert glyph.dtype == np.uint8
    assert glyph.any() == (picture > FAINTEST).any()


def test_normalise_puts_the_centre_of_mass_in_the_middle():
    picture = np.zeros((16, 16), np.uint8)
    picture[2:14, 3:5] = 255  # an L: its mass lies lower left of its box's middle
    picture[12:14, 3:11] = 255
    glyph = normalise(picture)
    weights = glyph / glyph.sum(dtype=float)
    ys, xs = np.indices(glyph.shape)
    np.testing.assert_allclose([(ys * weights).sum(), (xs * weights).sum()], 13.5, atol=0.6)


def test_normalise_leaves_blank_paper_blank():
    assert not normalise(np.full((16, 16), 20, np.uint8)).any()


def test_normalise_fills_20_pixels():
    picture = np.zeros((16, 16), np.uint8)
    picture[3:13, 6:9] = 255
    rows, columns = np.nonzero(normalise(picture))
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == 6


def test_usps_holds_what_was_published(data_or_skip):
    data_or_skip("USPS/zip.test.gz")
    samples = load("usps", "test")
    assert torch.bincount(samples.labels).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]


def row(label: int) -> str:
    return " ".join([f"{label:.4f}", *(["-1.0000"] * 120), *(["1.0000"] * 16), *(["-1.0000"] * 120)])


@pytest.fixture
def usps_file(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))
    (tmp_path / "USPS").mkdir()
    return tmp_path / "USPS" / "zip.test.gz"


def test_usps_reads_rows_of_text(usps_file):
    usps_file.write_bytes(gzip.compress(f"{row(6)}\n{row(2)}\n".encode()))
    samples = load("usps", "test")
    assert samples.labels.tolist() == [6, 2]
    assert samples.images.amax(dim=(1, 2)).tolist() == [255, 255]


def test_usps_missing_is_said_with_the_place_and_the_remedy(usps_file):
    with pytest.raises(DataError, match=rf"{usps_file} is missing; set INKLING_DATA"):
        load("usps", "test")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(gzip.compress(row(3).encode())[:40], id="truncated"),
        pytest.param(gzip.compress(b"5 0.1 0.2\n"), id="short row"),
        pytest.param(gzip.compress(b"a page of HTML"), id="other text"),
        pytest.param(b"no gzip at all", id="no gzip"),
        pytest.param(gzip.compress(b"\xff\xfe"), id="no text"),
        pytest.param(gzip.compress(row(12).encode()), id="no digit"),
    ],
)
def test_usps_damaged_is_said(usps_file, content):
    usps_file.write_bytes(content)
    with pytest.raises(DataError, match=r"zip\.test\.gz is damaged or half downloaded"):
        load("usps", "test")

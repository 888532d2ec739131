"""`greek24`: cut-outs of form sheets become glyphs; writers are in one part only; the sheet's lines go."""

import numpy as np
import pytest

from core.data import load
from core.data.greek24 import CLASSES, LEFT_OUT, SIDE, is_letter, without_lines
from core.errors import DataError


def cell(*strokes: tuple[slice, slice]) -> np.ndarray:
    """A cut-out with these rectangles of ink."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    for rows, columns in strokes:
        ink[rows, columns] = 255
    return ink


LETTER = (slice(14, 40), slice(22, 26))


def test_dotted_lines_near_the_edges_go_and_the_letter_stays():
    letter = cell(LETTER)
    lined = letter.copy()
    lined[47, 2:50:2] = 255  # dots along the foot
    lined[3:50:2, 45] = 255  # and along the right side
    np.testing.assert_array_equal(without_lines(lined), letter)
    np.testing.assert_array_equal(without_lines(letter), letter)


def test_a_short_piece_of_a_line_and_specks_go():
    letter = cell(LETTER)
    np.testing.assert_array_equal(without_lines(cell(LETTER, (slice(49, 51), slice(5, 20)))), letter)
    np.testing.assert_array_equal(without_lines(cell(LETTER, (slice(30, 31), slice(35, 38)))), letter)


def test_a_thin_letter_alone_is_no_piece_of_a_line():
    iota = cell((slice(8, 40), slice(10, 12)))
    np.testing.assert_array_equal(without_lines(iota), iota)


def test_little_ink_is_no_letter():
    assert is_letter(cell(LETTER))
    assert not is_letter(cell())
    assert not is_letter(cell((slice(20, 25), slice(20, 25))))


def test_the_parts_are_of_different_writers_and_hold_all_letters(data_or_skip):
    data_or_skip("greek24/gcdb.npz")
    train, test = load("greek24", "train"), load("greek24", "test")
    assert train.classes == test.classes == CLASSES
    assert (len(train), len(test)) == (11_206, 2_219)
    for samples in (train, test):
        assert set(samples.labels.tolist()) == set(range(24))
        assert tuple(samples.images.shape[1:]) == (28, 28)
        assert all(image.max() > 128 for image in samples.images)
    assert "423 of 11,629" in train.notes[0]
    assert not {image.numpy().tobytes() for image in train.images} & {image.numpy().tobytes() for image in test.images}


def test_the_cells_left_out_are_each_named_once():
    rows = [int(line) for line in LEFT_OUT.read_text("ascii").split()]
    assert rows == sorted(set(rows))
    assert len(rows) == 411


def test_a_missing_or_damaged_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"gcdb.npz is missing; set INKLING_DATA"):
        load("greek24", "test")
    (tmp_path / "greek24").mkdir()
    (tmp_path / "greek24/gcdb.npz").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(DataError, match="is damaged or half downloaded"):
        load("greek24", "test")
    wrong = {"images": np.zeros((1, 9, 9), np.uint8), "labels": ["alpha"], "group": ["LETT_SML_NORM"], "form": [1]}
    np.savez(tmp_path / "greek24/gcdb.npz", **wrong)
    with pytest.raises(DataError, match=r"its images are \(1, 9, 9\)"):
        load("greek24", "test")

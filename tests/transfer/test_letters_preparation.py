"""Both ways from a picture to a glyph, and symbols cut out of sheets."""

import cv2
import numpy as np
import pytest

from core.data.pictures import decode_picture
from core.errors import DataError
from core.reading.segment import segment
from core.transfer.glyphs import COURSE, COURSE_SCALE, OURS, picture_of, png_of, prepare
from core.transfer.letters import largest_symbol
from core.transfer.letters_examples import course_letters, written_letters
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.preparation import letters_of


def by_hand(grey: np.ndarray) -> np.ndarray:
    """The course's transformation of a 133×133 picture, pixel by pixel: the nearest source of each, inverted."""
    middle, first = 66, 52  # of 133 pixels; the first of the 28 in the middle
    source = np.rint((np.arange(28) + first - middle) / COURSE_SCALE + middle).astype(int)
    inside = (source >= 0) & (source < 133)
    cropped = np.where(np.outer(inside, inside), grey[np.ix_(source.clip(0, 132), source.clip(0, 132))], 0)
    weighted = sum(np.float32(weight) * cropped.astype(np.float32) for weight in (0.2989, 0.587, 0.114))
    return (255 - weighted.astype(np.uint8)).astype(np.uint8)  # cut off, not rounded


def test_the_course_s_preparation_is_what_it_says():
    grey = np.random.default_rng(0).integers(0, 256, (133, 133), dtype=np.uint8)
    assert (prepare(grey, COURSE) == by_hand(grey)).all()


def test_the_course_s_pictures_by_hand(data_or_skip):
    data_or_skip("greek_train")
    checked = 0
    for letter in course_letters():
        picture = decode_picture(letter.png)
        if picture.shape[:2] == (133, 133) and (picture == picture[..., :1]).all():
            assert (prepare(picture, COURSE) == by_hand(picture[..., 0])).all()
            checked += 1
    assert checked > 20


def test_a_glyph_stays_as_it_is():
    glyph = decode_picture(written_letters(["alpha"], 1, seed=0)[0].png)
    assert (prepare(glyph, OURS) == glyph[..., 0]).all()
    assert (prepare(glyph, COURSE) == glyph[..., 0]).all()


@pytest.mark.parametrize("preparation", [OURS, COURSE])
def test_an_empty_picture_shows_no_symbol(preparation, tmp_path):
    empty = np.full((133, 133), 250, np.uint8)
    assert prepare(empty, preparation) is None
    cv2.imwrite(str(tmp_path / "empty.png"), empty)
    assert largest_symbol(tmp_path / "empty.png") is None
    alpha = written_letters(["alpha"], 2, seed=0)
    letters = letters_of(LettersSet("mine", (*alpha, Letter("beta", png_of(empty), ""))), preparation)
    assert letters.lost == ((Letter("beta", png_of(empty), "").id, "beta"),)
    assert letters.samples.classes == ("alpha",)
    assert letters.pictures == tuple(x.id for x in alpha)
    with pytest.raises(DataError, match="No symbol was found in any picture of 'none'"):
        letters_of(LettersSet("none", (Letter("beta", b"no picture", ""),)), preparation)


def test_symbols_of_a_sheet_give_the_same_glyphs_alone():
    sheet = np.full((300, 900), 255, np.uint8)
    for number, letter in enumerate(written_letters(["alpha", "mu", "xi"], 1, seed=4)):
        ink = cv2.resize(decode_picture(letter.png)[..., 0], (224, 224), interpolation=cv2.INTER_CUBIC)
        sheet[40:264, 300 * number + 30 : 300 * number + 254] = 255 - ink
    found = segment(sheet).segments
    assert len(found) == 3
    for one in found:
        picture = picture_of(one)
        assert picture.shape == (133, 133)
        assert picture[0].min() == 255
        alike = [
            np.corrcoef(np.roll(prepare(picture), (y, x), (0, 1)).ravel(), one.glyph.ravel())[0, 1]
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)  # the centre of mass is rounded
        ]
        assert max(alike) > 0.98
        assert prepare(picture, COURSE).max() > 200  # in the middle of the course's crop as well

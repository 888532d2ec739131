"""Tracks: identity, fusion, hold and page turns, on readings made by hand."""

import numpy as np
import pytest

from core.reading.tracks import CONFIRM_FRAMES, HOLD_S, Tracker, unsure
from core.reading.types import Reading

CLASSES = tuple("0123456789")
FRAME_S = 1 / 30
RNG = np.random.default_rng(0)
GLYPHS = [np.clip(RNG.normal(0, 1, (28, 28)), 0, 1).astype(np.float32) for _ in CLASSES]  # unlike each other


def reading(label, x, y=100, row=0, sure=0.95, reason=None, glyph=None, size=(40, 60)):
    probabilities = np.full(10, (1 - sure) / 9, np.float32)
    probabilities[int(label)] = sure
    glyph = GLYPHS[int(label)] if glyph is None else glyph
    return Reading(None if reason else label, sure, (x, y, *size), row, glyph, probabilities, reason)


class Film:
    """Plays frames of readings into a tracker."""

    def __init__(self, **options):
        self.tracker = Tracker(CLASSES, **options)
        self.time_s = 0.0

    def play(self, readings, frames=1):
        for _ in range(frames):
            symbols = self.tracker.update(readings, self.time_s)
            self.time_s += FRAME_S
        return symbols


def text(symbols):
    return "".join(s.label for s in symbols if s.reason is None)


def test_a_symbol_is_shown_after_it_was_seen_in_a_few_frames_running():
    film = Film()
    assert film.play([reading("7", 50)], CONFIRM_FRAMES - 1) == ()
    (symbol,) = film.play([reading("7", 50)])
    assert (symbol.label, symbol.reason, symbol.visible) == ("7", None, True)
    assert symbol.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_dirt_that_flashes_up_never_reaches_the_text():
    film = Film()
    film.play([reading("7", 50)], 5)
    for frame in range(30):
        flash = [reading("1", 300)] if frame % 3 else []
        assert text(film.play([reading("7", 50), *flash])) == "7"


def test_equal_neighbours_keep_their_identity_while_the_camera_sways():
    film = Film()
    first = film.play([reading("1", x) for x in (100, 160, 220)], 5)
    for frame in range(120):
        sway = round(25 * np.sin(frame / 5))  # up to 5 px a frame, 50 px in all: nearly the symbols' distance
        symbols = film.play([reading("1", x + sway) for x in (100, 160, 220)])
        assert [s.track for s in symbols] == [s.track for s in first]
        assert [s.box[0] for s in symbols] == [x + sway for x in (100, 160, 220)]


def test_noise_in_single_frames_does_not_change_the_text():
    film = Film()
    film.play([reading("1", 50)], 10)
    rng = np.random.default_rng(1)
    for _ in range(300):
        wrong = rng.random() < 0.2
        symbols = film.play([reading("7" if wrong else "1", 50, sure=0.9, glyph=GLYPHS[1])])
        assert text(symbols) == "1"


def test_fused_probabilities_are_the_normalised_geometric_mean():
    film = Film(smoothing_s=1e9)  # no frame loses weight
    a, b = reading("3", 50, sure=0.9), reading("3", 50, sure=0.6)
    film.play([a], 2)
    (symbol,) = film.play([b], 2)
    expected = np.sqrt(a.probabilities * b.probabilities)
    np.testing.assert_allclose(symbol.probabilities, expected / expected.sum(), rtol=1e-3)


def test_without_smoothing_each_frame_stands_for_itself():
    film = Film(smoothing_s=0)
    film.play([reading("1", 50, glyph=GLYPHS[1])], 5)
    assert text(film.play([reading("7", 50, glyph=GLYPHS[1])])) == "7"


def test_a_lasting_change_wins_within_half_a_second():
    film = Film()
    film.play([reading("1", 50, glyph=GLYPHS[1])], 300)
    assert text(film.play([reading("7", 50, glyph=GLYPHS[1])], 15)) == "7"


def test_a_covered_symbol_is_held_in_its_place_and_then_dropped():
    film = Film()
    row = [reading(label, x) for label, x in (("4", 50), ("2", 120), ("9", 190))]
    before = film.play(row, 10)
    covered = [row[0], row[2]]
    for _ in range(int(HOLD_S / FRAME_S) - 1):
        symbols = film.play(covered)
        assert text(symbols) == "429"
        assert [s.visible for s in symbols] == [True, False, True]
    assert [s.track for s in film.play(row)] == [s.track for s in before]  # it comes back as itself
    assert text(film.play(covered, int(HOLD_S / FRAME_S) + 2)) == "49"
    assert text(film.play([], int(HOLD_S / FRAME_S) + 2)) == ""


def test_a_turned_page_replaces_the_whole_text_at_once():
    film = Film()
    film.play([reading(label, 50 + 70 * i) for i, label in enumerate("12345")], 60)
    new_page = [reading(label, 55 + 90 * i) for i, label in enumerate("678")]
    texts = [text(film.play(new_page)) for _ in range(10)]
    assert texts == ["12345"] * (CONFIRM_FRAMES - 1) + ["678"] * (11 - CONFIRM_FRAMES)


def test_another_symbol_in_the_same_place_is_another_track():
    film = Film()
    (before,) = film.play([reading("3", 50)], 60)
    (after,) = film.play([reading("8", 50)], CONFIRM_FRAMES)
    assert (before.label, after.label) == ("3", "8")
    assert after.track > before.track


def test_refusals_are_fused_too():
    film = Film()
    film.play([reading("5", 50)], 10)
    (symbol,) = film.play([reading("5", 50, reason="too faint")])
    assert symbol.reason is None  # one frame's refusal
    (symbol,) = film.play([reading("5", 50, reason="too faint")], 30)
    assert (symbol.label, symbol.reason) == (None, "too faint")
    (symbol,) = film.play([reading("5", 50)], 30)
    assert (symbol.label, symbol.reason) == ("5", None)


def test_rows_come_in_the_order_of_the_readings():
    film = Film()
    page = [reading("1", 200, 40, row=0), reading("2", 50, 140, row=1), reading("3", 120, 150, row=1)]
    assert [(s.label, s.row) for s in film.play(page, 4)] == [("1", 0), ("2", 1), ("3", 1)]
    assert text(film.play([page[0], page[2]])) == "123"  # held between its neighbours


def test_nothing_grows_over_ten_thousand_frames():
    film = Film()
    rng = np.random.default_rng(2)
    for _ in range(10_000):
        film.play([reading(str(rng.integers(10)), int(x)) for x in rng.integers(0, 600, 3)])
    assert len(film.tracker._tracks) < 60  # three a frame, held for HOLD_S at most


def test_symbols_that_are_not_sure_enough_are_refused_with_the_reason():
    symbols = Film().play([reading("1", 50, sure=0.9), reading("2", 150, sure=0.4)], 5)
    sure, weak = unsure(symbols, 0.6)
    assert (sure.label, sure.reason) == ("1", None)
    assert (weak.label, weak.reason) == (None, "not sure enough")

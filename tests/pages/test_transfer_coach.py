"""Greek Transfer, section Coach: asks, takes what is drawn, teaches again, and says what it gained."""

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.networks import open_network
from core.transfer.attempt import Attempt, attempt
from core.transfer.coach import advise, gain
from core.transfer.letters_examples import written_letters
from core.transfer.letters_set import LettersSet
from core.transfer.letters_store import open_letters, save_letters
from core.transfer.methods import TransferConfig
from core.transfer.preparation import letters_of
from pages.components.transfer.coach_rounds import ROUNDS
from pages.components.transfer.desk import LETTERS, SECTION

# As pages/components names it; the canvas can only be imported while the app runs.
DRAWN = "draw_canvas_drawn"


@pytest.fixture
def mine() -> LettersSet:
    """Two letters that are alike, drawn by several hands."""
    letters = LettersSet("mine", written_letters(["alpha"], 4, seed=1) + written_letters(["omicron"], 4, seed=2))
    save_letters(letters)
    return letters


@pytest.fixture
def open_coach(open_app):
    """`open_coach("mine")` → the section with that set, and the network that is in use at first."""

    def open_(name: str) -> AppTest:
        app = open_app()
        for key, value in ((LETTERS, name), (SECTION, "Coach")):
            app.session_state[key] = value
        return checked(app.switch_page("pages/greek_transfer.py").run())

    return open_


def checked(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].stack_trace
    return app


def measured(letters: LettersSet) -> Attempt:
    *_, last = attempt(open_network("digits"), letters_of(letters), TransferConfig("prototypes"))
    assert isinstance(last, Attempt)
    return last


def sheet(radii: tuple[int, ...]) -> bytes:
    picture = np.full((200, 150 * len(radii), 3), 255, np.uint8)
    for number, radius in enumerate(radii):
        cv2.ellipse(picture, (75 + 150 * number, 100), (radius, 45), 0, 0, 360, (0, 0, 0), 9)
    return cv2.imencode(".png", picture)[1].tobytes()


def test_what_is_asked_for_is_drawn_taught_and_its_gain_told(open_coach, mine):
    app = open_coach("mine")
    before = measured(open_letters("mine"))  # in the order in which they lie on disk
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Right"] == f"{int(before.validation.right.sum())} of 8"
    requests = advise(before, before.letters)
    assert list(app.segmented_control(key="coach_label").options)
    assert requests[0].because in " ".join(m.value for m in app.markdown)
    assert not [*app.success, *app.info], "nothing was gained yet"

    app.segmented_control(key="coach_label").set_value(requests[0].label).run()
    app.session_state[DRAWN] = {"strokes": [{"path": []}], "png": sheet((30, 38))}
    app = checked(app.run())
    app = checked(app.button(key="coach_sheet_add").click().run())
    grown = open_letters("mine")
    assert grown.counts[requests[0].label] == 6, "both symbols are in the set under the letter that was asked for"
    after = measured(grown)
    expected = gain(before, after)
    told = (app.success if expected.difference > 0 else app.info)[0].value
    assert "2 × " in told
    assert told.endswith(expected.sentence)
    rounds = app.session_state[ROUNDS]
    assert [len(one.attempt.letters.samples) for one in rounds] == [8, 10]
    table = app.dataframe[0].value
    assert list(table.pictures) == [8, 10]
    assert table["right"].iloc[1] == f"{int(after.validation.right.sum())} of 10"

    save_letters(mine)  # as an undo does
    app = checked(app.run())
    assert len(app.session_state[ROUNDS]) == 1
    assert not [*app.success, *app.info]


def test_with_one_sample_of_each_nothing_is_claimed(open_coach):
    save_letters(LettersSet("few", written_letters(["alpha", "beta"], 1, seed=3)))
    app = open_coach("few")
    assert "nothing can be measured yet" in app.warning[0].value
    assert app.segmented_control(key="coach_label").options
    assert not app.metric


def test_one_letter_or_empty_pictures_say_what_is_missing(open_coach):
    save_letters(LettersSet("one", written_letters(["alpha"], 2, seed=3)))
    assert "at least two letters" in open_coach("one").info[0].value

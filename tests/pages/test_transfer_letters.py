"""Greek Transfer, section Letters: what stands there at first, every way in, cleaning with its way back, the sets."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from core.transfer.letters_examples import written_letters
from core.transfer.letters_files import write_csv, write_zip
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import folder_of, list_letters, open_letters, save_letters
from pages.components.live_controls import LAST_SNAPSHOT
from pages.components.transfer.desk import LETTERS

PAGE = "pages/greek_transfer.py"
# As pages/components name them; modules that import the canvas can only be imported while the app runs.
DRAWN, WAY, CHOSEN = "draw_canvas_drawn", "letters_way", "letters_grid_start"


@pytest.fixture
def mine() -> LettersSet:
    """A stored set: three alphas, two betas."""
    letters = written_letters(["alpha"], 3, seed=1) + written_letters(["beta"], 2, seed=2)
    save_letters(LettersSet("mine", letters))
    return LettersSet("mine", letters)


@pytest.fixture
def open_letters_page(open_app):
    """`open_letters_page(letters_way="draw")` → the page with that session state."""

    def open_(**state):
        app = open_app()
        for key, value in state.items():
            app.session_state[key] = value
        return checked(app.switch_page(PAGE).run())

    return open_


def checked(app):
    assert not app.exception, app.exception[0].stack_trace
    return app


def choose(app, letters) -> None:
    app.session_state[CHOSEN] = {"revision": 7, "ids": [letter.id for letter in letters]}
    checked(app.run())


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def sheet(symbols: int) -> np.ndarray:
    picture = np.full((200, 150 * symbols, 3), 255, np.uint8)
    for number in range(symbols):
        cv2.circle(picture, (75 + 150 * number, 100), 30 + 8 * number, (0, 0, 0), 9)
    return picture


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def test_letters_stand_there_at_once_and_an_example_is_copied_before_it_is_changed(open_letters_page):
    app = open_letters_page()
    assert metrics(app) == {"letters": "3", "pictures": "27", "of each letter": "9", "without a symbol": "0"}
    assert app.selectbox(key=LETTERS).value.startswith("example: ")
    assert list_letters() == []
    app.session_state[WAY] = "strokes"
    checked(app.run())
    app.pills(key="letters_written").set_value(["psi", "omega"])
    app.number_input(key="letters_written_each").set_value(2)
    checked(app.run())
    app = checked(app.button(key="letters_written_add").click().run())
    (name,) = list_letters()
    kept = open_letters(name)
    assert app.selectbox(key=LETTERS).value == name
    assert kept.classes == ("alpha", "beta", "gamma", "psi", "omega")
    assert kept.counts["psi"] == kept.counts["omega"] == 2
    assert any("The example was copied" in caption.value for caption in app.caption)


def test_letters_are_relabelled_removed_and_everything_taken_back(open_letters_page, mine):
    app = open_letters_page(**{LETTERS: "mine"})
    choose(app, mine.letters[:1])
    app.text_input(key="letters_relabel_to").set_value("β")
    app = checked(app.button(key="letters_relabel").click().run())
    assert open_letters("mine").counts == {"beta": 3, "alpha": 2}
    choose(app, mine.letters[1:3])
    app = checked(app.button(key="letters_remove").click().run())
    assert open_letters("mine").classes == ("beta",)
    assert any("one letter only" in warning.value for warning in app.warning)
    choose(app, open_letters("mine").letters[:1])
    app.text_input(key="letters_relabel_to").set_value(" ")
    app = checked(app.button(key="letters_relabel").click().run())
    assert "The label is empty" in app.error[0].value
    for _ in range(2):
        app = checked(app.button(key="letters_undo").click().run())
    assert open_letters("mine") == mine
    assert "letters_undo" not in [button.key for button in app.button]


def test_what_is_wrong_with_a_set_is_said(open_letters_page, mine):
    same, empty = mine.letters[0].png, png(np.full((90, 90), 255, np.uint8))
    save_letters(mine.with_letters((Letter("beta", same, "twin"), Letter("x/y", empty, "blank"))))
    next((folder_of("mine") / "beta").iterdir()).write_bytes(b"damaged")
    app = open_letters_page(**{LETTERS: "mine"})
    said = " ".join(warning.value for warning in app.warning).replace("\\", "")  # names are no markup
    assert "α and β" in said
    assert "No symbol was found in 1 of 6 pictures (x/y: 1)" in said
    assert "1 of the files in this set cannot be read" in said
    assert metrics(app)["without a symbol"] == "1"
    app = checked(app.button(key="letters_discard").click().run())
    assert "cannot be read" not in " ".join(warning.value for warning in app.warning)


def test_a_drawing_and_a_snapshot_become_letters(open_letters_page, mine):
    drawing = {"strokes": [{"type": "Path"}], "png": png(sheet(1))}
    app = open_letters_page(**{LETTERS: "mine", WAY: "draw", DRAWN: drawing, LAST_SNAPSHOT: sheet(3)})
    app.text_input(key="letters_draw_label").set_value("my 😀/ring")
    checked(app.run())
    app = checked(app.button(key="letters_drawn_add").click().run())
    added = open_letters("mine").letters[-1]
    assert (added.label, added.origin) == ("my 😀/ring", "drawing")
    assert "letters_drawn_add" not in [button.key for button in app.button]  # the sheet is cleared for the next
    app.session_state[WAY] = "camera"
    app = checked(app.run())
    fields = [field for field in app.text_input if field.label.startswith("Symbol ")]
    assert [field.value for field in fields] == ["α"] * 3
    fields[0].set_value("ο")
    fields[1].set_value("")
    app = checked(app.run())
    assert app.button(key="letters_snapshot_add").label == "Add 2 of 3"
    checked(app.button(key="letters_snapshot_add").click().run())
    assert [letter.label for letter in open_letters("mine").letters[-2:]] == ["omicron", "alpha"]


def test_files_come_in_and_bad_ones_are_told(open_letters_page, mine):
    app = open_letters_page(**{LETTERS: "mine", WAY: "zip"})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../x/a.png", b"1")
    app.file_uploader(key="letters_upload_zip_0").upload("evil.zip", content.getvalue(), "application/zip")
    app = checked(app.run())
    assert "would lie outside its folder" in app.error[0].value
    other = LettersSet("other", written_letters(["omega"], 2, seed=5))
    app.file_uploader(key="letters_upload_zip_0").upload("Ωs.zip", write_zip(other), "application/zip")
    checked(app.run())
    app = checked(app.button(key="letters_zip_new").click().run())
    assert [(x.label, x.png) for x in open_letters("Ωs").letters] == [(x.label, x.png) for x in other.letters]
    assert app.selectbox(key=LETTERS).value == "Ωs"
    app.session_state[WAY] = "csv"
    checked(app.run())
    values, names = write_csv(mine)
    app.file_uploader(key="letters_upload_values_1").upload("v.csv", values.encode(), "text/csv")
    app.file_uploader(key="letters_upload_names_1").upload("n.csv", names.encode()[:-5], "text/csv")
    app = checked(app.run())
    assert "one category for each" in app.error[0].value
    app.file_uploader(key="letters_upload_names_1").upload("n.csv", names.encode(), "text/csv")
    checked(app.run())
    checked(app.button(key="letters_csv_add").click().run())
    assert open_letters("Ωs").counts == {"omega": 2, "alpha": 3, "beta": 2}


def test_sets_are_renamed_copied_deleted_and_put_back(open_letters_page, mine):
    app = open_letters_page(**{LETTERS: "mine"})
    app.text_input(key="letters_name_mine").set_value("Άλφα & co")
    app = checked(app.button(key="letters_rename").click().run())
    assert list_letters() == [app.selectbox(key=LETTERS).value] == ["Άλφα & co"]
    app = checked(app.button(key="letters_copy").click().run())
    assert app.selectbox(key=LETTERS).value == "Άλφα & co 2"
    app = checked(app.button(key="letters_delete").click().run())
    assert list_letters() == ["Άλφα & co"]
    app = checked(app.button(key="letters_undelete").click().run())
    assert app.selectbox(key=LETTERS).value == "Άλφα & co 2"
    assert open_letters("Άλφα & co 2").letters == mine.letters

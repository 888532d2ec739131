"""The Draw page without a browser: what it says of samples and of pictures that are handed in."""

import json
import shutil

import cv2
import numpy as np
import pytest

from core.paths import ASSETS
from core.reading.recognizer import NOT_LIKE_ANY
from core.reading.selection import CUT_OFF, TOO_FAINT, TOO_SMALL
from pages.components.readings import REASONS


def shown_text(app) -> str:
    """What stands in the container `draw_reading`, its markup left out."""
    (html,) = [block.proto.body for block in app.get("html") if 'class="reading' in block.proto.body]
    return html.partition(">")[2].removesuffix("</div>")


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def test_first_visit_offers_samples(open_app):
    app = open_app()
    assert shown_text(app) == "–"
    samples = {button.label for button in app.button} - {"Undo", "Clear"}
    assert len(samples) == len(list((ASSETS / "samples").iterdir())) >= 3


@pytest.mark.parametrize(
    ("sample", "text"), [("a-number", "2026"), ("squared-paper", "3141\n5926"), ("a-blackboard", "805\n173")]
)
def test_a_sample_is_read(open_app, sample, text):
    app = open_app()
    app.button(key=f"draw_sample_{sample}").click().run()
    assert not app.exception
    assert shown_text(app) == text


def test_files_that_cannot_be_read_are_told_one_by_one_and_the_others_are_read(open_app):
    app = open_app()
    number = (ASSETS / "samples" / "a-number.jpg").read_bytes()
    app.file_uploader[0].upload("words.png", b"no picture", "image/png")
    app.file_uploader[0].upload("number.jpg", number, "image/jpeg")
    app.file_uploader[0].upload("cut.jpg", number[: len(number) // 2], "image/jpeg")
    app.run()
    assert not app.exception
    assert shown_text(app) == "2026"
    assert [error.value.split()[0] for error in app.error] == ["words.png", "cut.jpg"]


@pytest.mark.parametrize("size", [(1, 1), (120, 160), (9000, 2), (1, 9000)])
def test_a_picture_without_symbols_is_said_to_be_empty(open_app, size):
    app = open_app()
    app.file_uploader[0].upload("white.png", png(np.full(size, 255, np.uint8)), "image/png").run()
    assert not app.exception
    assert shown_text(app) == "–"
    assert any("no symbols were found" in text.value for text in app.markdown)


def test_what_is_refused_is_told_with_its_reason(open_app, inkling_home):
    strict = inkling_home / "networks" / "strict"
    shutil.copytree(ASSETS / "networks" / "digits", strict)
    passport = json.loads((strict / "passport.json").read_text("utf-8"))
    passport |= {"name": "strict", "refusal_threshold": 1e9}
    (strict / "passport.json").write_text(json.dumps(passport), "utf-8")
    app = open_app()
    app.selectbox(key="network_picker").select("strict").run()
    app.button(key="draw_sample_a-number").click().run()
    assert not app.exception
    assert shown_text(app) == "–"
    (refusal,) = [text.value for text in app.markdown if "refused" in text.value]
    assert "4 marks were refused: *not like any class*" in refusal


def test_every_reason_is_explained():
    assert set(REASONS) == {TOO_SMALL, TOO_FAINT, CUT_OFF, NOT_LIKE_ANY}


def test_several_pictures_are_listed_and_one_is_looked_at(open_app):
    app = open_app()
    for name in ("a-number", "a-blackboard"):
        content = (ASSETS / "samples" / f"{name}.jpg").read_bytes()
        app.file_uploader[0].upload(f"{name}.jpg", content, "image/jpeg")
    app.run()
    assert list(app.dataframe[0].value["text"]) == ["2026", "805 / 173"]
    assert shown_text(app) == "2026"
    app.selectbox[-1].select_index(1).run()
    assert shown_text(app) == "805\n173"

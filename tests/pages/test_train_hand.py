"""Your own hand: digits come from a picture, every network is scored on them, single ones go and come back."""

import io
import json
import shutil
from functools import partial

import numpy as np
import pytest
from PIL import Image

from core.data.sheets import Sheet, draw_sheet
from core.data.strokes import draw_glyphs
from core.networks.store import own_shelf
from core.paths import ASSETS
from core.reading import open_recognizer
from core.reading.own_hand import LABELS, add_own_hand, list_own_hand, score_own_hand


@pytest.fixture
def open_hand(open_train_section):
    return partial(open_train_section, "Your hand")


def keep(labels: str, seed: int = 5) -> None:
    add_own_hand(list(labels), list(draw_glyphs(list(labels), seed).astype(np.float32) / 255))


def copy_of_digits(name: str, **changes: object) -> None:
    shutil.copytree(ASSETS / "networks" / "digits", own_shelf() / name)
    file = own_shelf() / name / "passport.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"name": name} | changes), "utf-8")


def sheet_file(*rows: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(draw_sheet(Sheet(rows, seed=1, size_wh=(960, 240 * len(rows))))).save(out, "PNG")
    return out.getvalue()


def html_with(app, part: str) -> list[str]:
    return [block.proto.body for block in app.get("html") if part in block.proto.body]


def buttons(app, start: str) -> list:
    return [button for button in app.button if button.key.startswith(start)]


def test_before_anything_is_written_there_are_ten_sheets_and_an_invitation(open_hand):
    app = open_hand("digits")
    assert [b.key for b in buttons(app, "hand_empty_")] == [f"hand_empty_{label}" for label in LABELS]
    assert app.button(key="hand_keep").disabled
    assert not html_with(app, '"hand-score"')
    assert any("Write the ten digits" in text.value for text in app.markdown)


def test_a_picture_of_ten_digits_is_shown_before_it_is_kept_and_then_scored(open_hand):
    app = open_hand("digits")
    app.segmented_control(key="hand_way").select("picture").run()
    app.file_uploader(key="hand_picture_0").upload("sheet.png", sheet_file("01234", "56789"), "image/png").run()
    assert not app.exception
    (preview,) = html_with(app, '<div class="hand-preview')
    assert preview.count("<img") == 10
    assert list_own_hand() == []
    app.button(key="hand_keep_picture").click().run()
    assert not app.exception
    assert [sample.label for sample in list_own_hand()] == list(LABELS)
    (score,) = html_with(app, '"hand-score"')
    assert f"{score_own_hand(open_recognizer('digits')).right} of 10" in score
    assert not html_with(app, '<div class="hand-preview')


def test_a_picture_with_other_than_ten_symbols_is_refused_in_a_sentence(open_hand):
    app = open_hand("digits")
    app.segmented_control(key="hand_way").select("picture").run()
    app.file_uploader(key="hand_picture_0").upload("sheet.png", sheet_file("0123"), "image/png").run()
    assert [error.value.split(",")[0] for error in app.error] == ["4 symbols were found"]
    app.file_uploader(key="hand_picture_0").upload("words.png", b"no picture", "image/png").run()
    assert len(app.error) == 1
    assert "words.png" in app.error[0].value
    assert "hand_keep_picture" not in {button.key for button in app.button}


def test_the_gap_and_what_it_is_worth_are_those_of_the_score(open_hand):
    keep("0123456789" * 3)
    app = open_hand("report")
    score = score_own_hand(open_recognizer("report"))
    (shown,) = html_with(app, '"hand-score"')
    assert f"{score.accuracy:.1%}" in shown
    assert f"{score.test_accuracy:.2%}" in shown
    assert f"{score.gap_points:.1f} points".replace("-", "−") in shown
    (meaning,) = [text.value for text in app.markdown if text.value.startswith("With 30 digits")]
    least = 100 * (score.test_accuracy - score.interval[1])
    assert ("undecided" in meaning) == (least <= 0)


def test_a_hand_that_is_read_badly_is_said_to_be_harder(open_hand):
    glyphs = draw_glyphs(["1"] * 20, 5).astype(np.float32) / 255
    add_own_hand(["7"] * 20, list(glyphs))
    app = open_hand("digits")
    (meaning,) = [text.value for text in app.markdown if text.value.startswith("With 20 digits")]
    assert "your hand is harder for digits than its test set" in meaning
    assert all("✗ 1" in card and "is 7" in card for card in html_with(app, '<figure class="hand-card'))
    app.segmented_control(key="hand_filter").select("right").run()
    assert not html_with(app, '<figure class="hand-card')


def test_what_would_be_refused_is_marked_and_counted(open_hand):
    keep("0123456789")
    copy_of_digits("strict", refusal_threshold=1e9)
    app = open_hand("strict")
    assert all("? refused" in card for card in html_with(app, '<figure class="hand-card'))
    assert any("10 of them are unlike any digit" in text.value for text in app.markdown)


def test_one_digit_is_removed_and_brought_back(open_hand):
    keep("0123456789")
    app = open_hand("digits")
    three = next(sample.name for sample in list_own_hand() if sample.label == "3")
    app.button(key=f"hand_remove_{three}").click().run()
    assert not app.exception
    assert "3" not in {sample.label for sample in list_own_hand()}
    assert app.button(key="hand_undo").label == "Undo: bring back the 3"
    app.button(key="hand_undo").click().run()
    assert three in {sample.name for sample in list_own_hand()}
    assert "hand_undo" not in {button.key for button in app.button}


def test_all_are_removed_and_brought_back(open_hand):
    keep("0123456789")
    app = open_hand("digits")
    app.button(key="hand_clear").click().run()
    assert not app.exception
    assert list_own_hand() == []
    assert not html_with(app, '"hand-score"')
    app.button(key="hand_undo").click().run()
    assert len(list_own_hand()) == 10
    assert html_with(app, '"hand-score"')


def test_what_somebody_else_has_removed_meanwhile_is_said(open_hand):
    keep("01")
    app = open_hand("digits")
    shutil.rmtree(own_shelf().parent / "own-hand" / "0")
    buttons(app, "hand_remove_0/")[0].click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "not in your own test set any more" in app.error[0].value


def test_every_network_that_knows_digits_is_scored(open_hand):
    keep("0123456789")
    copy_of_digits("letters", classes=list("abcdefghij"))
    copy_of_digits("silent", metrics={})
    app = open_hand("letters")
    assert [info.value[:36] for info in app.info] == ["The network 'letters' does not know "]
    assert len(html_with(app, '<figure class="hand-card')) == 10
    table = app.dataframe[-1].value.set_index("network")
    assert set(table.index) == {"digits", "report", "silent"}
    for name in ("digits", "report"):
        score = score_own_hand(open_recognizer(name))
        assert table.loc[name, "your hand"] == pytest.approx(100 * score.accuracy)
        assert table.loc[name, "gap"] == pytest.approx(score.gap_points)
    assert np.isnan(table.loc["silent", "gap"])


def test_many_digits_are_shown_a_page_at_a_time(open_hand):
    keep("0123456789" * 4)
    app = open_hand("digits")
    assert len(html_with(app, '<figure class="hand-card')) == 30
    app.button(key="hand_more").click().run()
    assert len(html_with(app, '<figure class="hand-card')) == 40


def test_a_network_for_tables_is_not_asked_for_digits(open_hand, table_network):
    app = open_hand("rows")
    (info,) = [info.value for info in app.info]
    assert "**rows** takes rows of a table and reads no handwriting" in info
    assert not buttons(app, "hand_")

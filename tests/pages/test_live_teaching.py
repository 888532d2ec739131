"""Teaching on the Live Camera page without a browser: the panel, its buttons, what is kept, what goes wrong."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from core.networks import open_network
from core.reading.live import LiveReader
from core.reading.recognizer import open_recognizer
from core.reading.scene import DemoScene
from core.reading.teaching import Teaching, prepare
from core.transfer.letters_store import list_letters, open_letters
from pages.components import live_teaching
from pages.components.live_sources import Player

PAGE = "pages/live_camera.py"
SCENE = DemoScene(pages=(("psi", "2", "7"),))
FRAMES, FPS = 5, 15  # that pass between two refreshes


class Paper(Player):
    """In place of the demo: paper with a letter that `digits` does not know, whatever the clock says."""

    frames = 0

    def due(self):
        raise NotImplementedError

    def advance(self, reader):
        for _ in range(FRAMES):
            self.picture = reader.process(SCENE.frame(self.frames / FPS), self.frames / FPS)
            self.frames += 1


@pytest.fixture
def app(open_app, monkeypatch):
    """The page with the panel open, and everything ready."""
    monkeypatch.setattr("pages.components.live_sources.DemoPlayer", Paper)
    app = open_app(PAGE)
    app.session_state["live_teach"] = True
    app.run()
    prepare(app.session_state["live_player_reader"].recognizer).result(timeout=120)
    return app


def shown_text(app) -> str:
    (html,) = [block.proto.body for block in app.get("html") if 'class="reading' in block.proto.body]
    return html.partition(">")[2].removesuffix("</div>")


def said(app) -> str:
    return " ".join(m.value for kind in (app.info, app.success, app.warning, app.error) for m in kind)


def press(app, key, times=1):
    for _ in range(times):
        app.button(key=key).click().run()
        assert not app.exception
    return app


def test_a_symbol_is_taught_undone_and_kept_and_outlasts_leaving_the_page(app):
    press(app, "live_teach_capture")
    assert "Write its name or sign" in said(app)
    app.text_input(key="live_teach_name").set_value(" Ψ star* ").run()
    press(app, "live_teach_capture")
    assert "2 more" in said(app)
    press(app, "live_teach_capture", times=2)
    assert "It is read from now on" in said(app)
    app.run()
    assert shown_text(app) == "Ψ star* 2 7"
    assert open_recognizer("digits").classes == tuple("0123456789")
    app.switch_page("pages/draw.py").run()
    app.switch_page(PAGE).run()
    app.session_state["live_teach"] = True
    app.run()
    assert shown_text(app) == "Ψ star* 2 7"
    app.text_input(key="live_keep_set_name").set_value("from the stage").run()
    press(app, "live_keep_letters")
    kept = open_letters("from the stage")
    assert [letter.label for letter in kept.letters] == ["Ψ star*"] * 3
    press(app, "live_keep_letters")
    assert "already" in said(app)
    assert list_letters() == ["from the stage"]
    assert not app.button(key="live_keep_teach").disabled, "one symbol is learned beside the digits"
    press(app, "live_teach_undo")
    assert len(app.session_state[live_teaching.TEACHING].captures) == 2
    (number,) = {c.number for c in app.session_state[live_teaching.TEACHING].of("Ψ star*")[:1]}
    press(app, f"live_teach_forget_{number}")
    app.run()
    assert shown_text(app) != "Ψ star* 2 7"
    press(app, "live_teach_back")
    assert len(app.session_state[live_teaching.TEACHING].captures) == 2


@pytest.fixture
def session(monkeypatch):
    """Streamlit's session state, for what the buttons do."""
    state = {}
    monkeypatch.setattr(live_teaching.st, "session_state", state)
    return state


@pytest.fixture
def reader():
    reader = LiveReader(recognizer=open_recognizer("digits"))
    for frame in range(6):
        reader.process(SCENE.frame(frame / FPS), frame / FPS)
    return reader


def test_a_greek_letter_is_the_same_by_sign_and_by_name(session, reader):
    for place, name in enumerate(("ψ", "psi", "PSI")):
        session[live_teaching.NAME] = name
        live_teaching.capture(reader, is_camera=False)
        for frame in range(10 * place + 6, 10 * place + 16):
            reader.process(SCENE.frame(frame / FPS), frame / FPS)
    assert live_teaching.teaching().labels == ("psi",)
    assert session[live_teaching.SAID].text.startswith("Capture 3 of “ψ”")


def test_the_symbol_that_nobody_reads_is_meant_unless_another_is_chosen(session, reader):
    symbols = live_teaching.candidates(reader)
    assert len(symbols) == 3
    assert live_teaching.chosen(symbols).track == symbols[0].track
    live_teaching.choose(symbols[2].track)
    assert live_teaching.chosen(symbols).track == symbols[2].track
    assert live_teaching.chosen(symbols[:1]).track == symbols[0].track
    assert live_teaching.chosen(()) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * 400, "\ud800"])
def test_what_is_no_name_is_told_and_nothing_is_captured(session, reader, name):
    session[live_teaching.NAME] = name
    live_teaching.capture(reader, is_camera=False)
    assert session[live_teaching.SAID].kind == "warning"
    assert not live_teaching.teaching().captures


def test_a_lost_camera_is_told_and_the_captures_stay(session, reader, monkeypatch):
    session[live_teaching.NAME] = "psi"
    live_teaching.capture(reader, is_camera=True)
    now = time.monotonic() + 5
    monkeypatch.setattr("core.reading.live.time.monotonic", lambda: now)
    live_teaching.capture(reader, is_camera=True)
    assert "No picture comes from the camera" in session[live_teaching.SAID].text
    assert len(live_teaching.teaching().captures) == 1
    live_teaching.capture(LiveReader(recognizer=reader.recognizer), is_camera=True)
    assert "No picture comes" in session[live_teaching.SAID].text


def test_a_series_takes_its_captures_by_itself_and_ends_with_the_picture(session, reader, monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(live_teaching.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(live_teaching, "_has_picture", lambda *_: True)
    session[live_teaching.NAME] = "fork"
    live_teaching.start_series(reader, is_camera=False)
    frame = 6
    for _ in range(8):
        live_teaching.keep_up(reader, reader.recognizer)
        live_teaching.keep_up(reader, reader.recognizer)  # too early for another
        for _ in range(8):
            reader.process(SCENE.frame(frame / FPS), frame / FPS)
            frame += 1
        clock.now += 0.55
    assert [c.label for c in live_teaching.teaching().captures] == ["fork"] * live_teaching.SERIES_LENGTH
    assert live_teaching.SERIES not in session
    tracks = [glyph.glyph for glyph in live_teaching.teaching().captures]
    assert len({glyph.tobytes() for glyph in tracks}) == live_teaching.SERIES_LENGTH
    live_teaching.start_series(reader, is_camera=False)
    live_teaching.keep_up(LiveReader(recognizer=open_recognizer("report")), open_recognizer("report"))
    assert live_teaching.SERIES not in session
    assert "comes from elsewhere" in session[live_teaching.SAID].text


def test_a_network_that_cannot_be_taught_leaves_the_reading_as_it_is(session, reader, monkeypatch):
    taught = session[live_teaching.TEACHING] = Teaching()
    taught.take("psi", live_teaching.candidates(reader)[0].glyph)

    def failed(_):
        return SimpleNamespace(done=lambda: True, exception=lambda: ValueError("no embedding"))

    monkeypatch.setattr(live_teaching, "prepare", failed)
    recognizer = open_recognizer("digits")
    assert live_teaching.taught_or(recognizer) is recognizer
    monkeypatch.setattr(live_teaching, "prepare", lambda _: SimpleNamespace(done=lambda: False))
    assert live_teaching.taught_or(recognizer) is recognizer
    np.testing.assert_array_equal(recognizer.classes, open_network("digits").passport.classes)

"""The Live Camera page without a browser: sources, controls, and the camera's callback on frames made by hand."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import NetworkError
from core.reading import open_recognizer
from core.reading.live import LiveReader, LiveSettings
from core.reading.scene import PAGES, DemoScene
from pages.components import live_webcam
from pages.components.live_controls import snapshot_json, snapshot_png
from pages.components.live_sources import VideoPlayer
from pages.components.live_webcam import DropCounter, frame_callback, ice_servers

FPS = 25
PAGE = "pages/live_camera.py"


@pytest.fixture(scope="module")
def scene():
    return DemoScene()


@pytest.fixture
def reader():
    try:
        return LiveReader(recognizer=open_recognizer("digits"))
    except NetworkError as error:
        pytest.skip(f"no trained network: {error}")


def shown_text(app) -> str:
    (html,) = [block.proto.body for block in app.get("html") if 'class="reading' in block.proto.body]
    return html.partition(">")[2].removesuffix("</div>")


def frames_of(scene, start_s, seconds):
    for index in range(int(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(scene.frame(start_s + index / FPS), format="rgb24")
        yield frame.reformat(format="yuv420p")  # as a browser sends it


def clip_of(scene, seconds, start_s=0.0) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.bit_rate = 4_000_000
        for index in range(int(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(scene.frame(start_s + index / FPS), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return content.getvalue()


def test_first_visit_plays_the_demo_scene(open_app):
    app = open_app(PAGE)
    for _ in range(4):  # the page refreshes itself in a browser
        app.run()
    assert shown_text(app).replace(" ", "") in {text.replace(" ", "") for text in PAGES}
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("source", ["Demo", "Snapshot", "Video", "Webcam"])
def test_each_source_can_be_chosen(open_app, source):
    app = open_app(PAGE)
    app.segmented_control(key="live_source").select(source).run()
    assert not app.exception
    assert not app.error


def test_a_camera_that_connects_says_so_and_shows_nothing_of_the_demo(open_app, monkeypatch):
    app = open_app(PAGE)
    monkeypatch.setattr(
        live_webcam,
        "webrtc_streamer",
        lambda **_: SimpleNamespace(state=SimpleNamespace(playing=False, signalling=True)),
    )
    app.run()
    assert shown_text(app) == "–"
    assert [info.value for info in app.info] == ["Connecting to the camera. If the browser asks, allow it."]


def test_a_camera_in_use_is_read_by_the_callback_it_was_given(open_app, monkeypatch, scene):
    given = {}

    def streamer(**arguments):
        given.update(arguments)
        return SimpleNamespace(state=SimpleNamespace(playing=True, signalling=False))

    monkeypatch.setattr(live_webcam, "webrtc_streamer", streamer)
    app = open_app(PAGE)
    for frame in frames_of(scene, 0, 0.5):
        given["video_frame_callback"](frame)
    app.run()
    assert shown_text(app) == " ".join(scene.text(0))
    for _ in range(3):
        given["video_frame_callback"](av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24"))
    app.run()
    assert [info.value for info in app.info] == [
        "The camera sees only darkness: is its lens covered, or the light off?"
    ]
    assert given["rtc_configuration"] == {"iceServers": []}
    assert given["media_stream_constraints"]["audio"] is False


def test_controls_change_the_settings_of_the_reader(open_app):
    app = open_app(PAGE)
    app.segmented_control(key="live_stage").select("glyphs").run()
    app.segmented_control(key="live_method").select("otsu").run()
    app.slider(key="live_confidence").set_value(70).run()
    app.slider(key="live_smoothing").set_value(0.0).run()
    app.toggle(key="live_mirror").set_value(True).run()
    app.toggle(key="live_freeze").set_value(True).run()
    assert app.session_state["live_player_reader"].settings == LiveSettings(
        method="otsu", confidence=0.7, smoothing_s=0.0, mirror=True, stage="glyphs", frozen=True
    )


def test_the_callback_draws_on_frames_and_reads_them(reader, scene):
    callback = frame_callback(reader)
    for frame in frames_of(scene, 0, 0.5):
        shown = callback(frame)
    assert (shown.width, shown.height) == (640, 480)
    assert reader.newest.reading.text == scene.text(0)
    assert reader.status().errors == 0


def test_the_callback_goes_on_when_anything_inside_fails(reader, monkeypatch, scene):
    callback = frame_callback(reader)
    (frame, *_) = frames_of(scene, 0, 0.1)
    callback(frame)

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("broken")

    monkeypatch.setattr(reader, "_recognizer", Broken())
    shown = callback(frame)  # the reader passes it on as it came
    assert np.abs(shown.to_ndarray(format="rgb24").astype(int) - frame.to_ndarray(format="rgb24")).max() < 8
    unreadable = SimpleNamespace(time=None)  # no picture at all
    assert callback(unreadable) is unreadable
    assert reader.status().errors == 2
    assert reader.status().first_error == "RuntimeError: broken"


@pytest.mark.parametrize("kept_every", [1, 2, 3])
def test_dropped_frames_are_told_from_the_time_stamps(kept_every):
    counter = DropCounter()
    rng = np.random.default_rng(0)
    times = np.arange(0, 8, 1 / 30) + rng.normal(0, 0.002, 240)  # seconds, with a camera's jitter
    kept = [t for i, t in enumerate(times) if i < 60 or i % kept_every == 0]
    dropped = sum(counter.dropped_before(SimpleNamespace(time=t)) for t in kept[:90])
    expected = (kept_every - 1) * 30  # the 60 before were all seen
    assert abs(dropped - expected) <= 0.1 * expected + 1


def test_a_pause_and_missing_time_stamps_are_no_drops():
    counter = DropCounter()
    times = [0.0, 0.03, 0.06, None, 10.0, 10.03, 0.0, 0.03]
    assert sum(counter.dropped_before(SimpleNamespace(time=t)) for t in times) == 0


def test_ice_servers_come_from_the_environment(monkeypatch):
    assert ice_servers() == []
    servers = [{"urls": "turn:turn.example.org:3478", "username": "me", "credential": "secret"}]
    monkeypatch.setenv("INKLING_ICE_SERVERS", json.dumps(servers))
    assert ice_servers() == servers


@pytest.mark.parametrize("given", ["{", '{"urls": "stun:a"}', '["stun:a"]', '[{"url": "stun:a"}]'])
def test_ice_servers_that_cannot_be_used_are_told_and_left_out(open_app, monkeypatch, given):
    monkeypatch.setenv("INKLING_ICE_SERVERS", given)
    assert ice_servers() == []
    app = open_app(PAGE)
    assert [warning.value.split(":")[0] for warning in app.warning] == ["INKLING_ICE_SERVERS is left out"]


def test_a_video_file_is_played_at_its_own_speed_and_read(scene, reader, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("pages.components.live_sources.time.monotonic", lambda: now[0])
    player = VideoPlayer(clip_of(scene, 2.0), "clip.mp4")
    shown = 0
    while not player.ended:
        shown += len(list(player.due()))
        now[0] += 0.1
    assert shown == 2 * FPS
    assert now[0] == pytest.approx(102, abs=0.25)
    player = VideoPlayer(clip_of(scene, 2.0), "clip.mp4")
    now[0] += 1.0  # the machine was busy for a second
    late = list(player.due())
    assert len(late) < FPS / 2
    assert len(late) + sum(due.dropped for due in late) == pytest.approx(FPS, abs=1)
    now[0] += 0.1
    player.advance(reader)
    assert player.picture.shape == (480, 640, 3)


def test_an_uploaded_video_plays_on_the_page_and_what_is_none_gets_one_sentence(open_app, scene):
    app = open_app(PAGE)
    app.segmented_control(key="live_source").select("Video").run()
    app.file_uploader[0].upload("clip.mp4", clip_of(scene, 0.4), "video/mp4").run()
    for _ in range(20):
        app.run()
    assert not app.exception
    assert shown_text(app) == " ".join(scene.text(0))
    app.file_uploader[0].upload("words.mp4", b"only words", "video/mp4").run()
    assert not app.exception
    (error,) = app.error
    assert error.value.startswith("words.mp4 is no video that can be read")


def test_a_snapshot_holds_the_picture_and_its_readings(reader, scene):
    reader.change(replace(reader.settings, confidence=0.9))
    for index in range(10):
        reader.process(scene.frame(index / FPS), index / FPS)
    shot = reader.newest
    picture = np.asarray(Image.open(io.BytesIO(snapshot_png(shot))))
    np.testing.assert_array_equal(picture, shot.picture_rgb)
    record = json.loads(snapshot_json(shot))
    assert record["text"] == scene.text(0)
    assert "".join(symbol["label"] for symbol in record["symbols"]) == scene.text(0)
    assert record["size"] == [640, 480]
    assert record["settings"]["confidence"] == 0.9


def test_a_snapshot_from_the_camera_is_read(open_app, scene, monkeypatch):
    png = cv2.imencode(".png", cv2.cvtColor(scene.frame(0), cv2.COLOR_RGB2BGR))[1].tobytes()
    taken = SimpleNamespace(file_id="one", getvalue=lambda: png)
    monkeypatch.setattr("streamlit.camera_input", lambda *_, **__: taken)
    app = open_app(PAGE)
    app.segmented_control(key="live_source").select("Snapshot").run()
    for _ in range(4):
        app.run()
    assert shown_text(app) == " ".join(scene.text(0))

"""The live pipeline: settings, readings, errors, status, and video files."""

import json
import tracemalloc
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from core.errors import NetworkError, VideoError
from core.reading import Recognizer, open_recognizer
from core.reading.live import STAGES, LiveReader, LiveSettings
from core.reading.scene import PAGE_S, DemoScene
from core.reading.video import open_frames, watch

FPS = 25


@pytest.fixture(scope="module")
def scene():
    return DemoScene()


@pytest.fixture(scope="module")
def recognizer():
    try:
        return open_recognizer("digits")
    except NetworkError as error:
        pytest.skip(f"no trained network: {error}")


@pytest.fixture
def reader(recognizer):
    return LiveReader(recognizer=recognizer)


class Failing(Recognizer):
    """A recognizer that throws as long as it is told to."""

    fails = True

    def classify(self, glyphs):
        if self.fails:
            raise RuntimeError("the network is gone")
        return super().classify(glyphs)


def play(reader, scene, start_s, seconds):
    for frame in range(int(seconds * FPS)):
        time_s = start_s + frame / FPS
        picture = reader.process(scene.frame(time_s), time_s)
    return picture


def test_the_demo_scene_is_read_page_by_page(reader, scene):
    for page in range(3):
        play(reader, scene, page * PAGE_S, 1.0)
        reading = reader.newest.reading
        assert reading.text == scene.text(page * PAGE_S)
        assert reading.spaced == " ".join(scene.text(page * PAGE_S))
        assert reading.size_wh == (640, 480)
        assert not reading.is_dark


def test_a_dark_picture_has_no_symbols_and_says_that_it_is_dark(reader):
    reader.process(np.zeros((480, 640, 3), np.uint8))
    reading = reader.newest.reading
    assert (reading.text, reading.spaced, reading.is_dark) == ("", "–", True)


def test_an_error_inside_is_counted_and_the_video_goes_on(recognizer, scene):
    failing = Failing(recognizer.network)
    reader = LiveReader(recognizer=failing)
    frame = scene.frame(0)
    for _ in range(3):
        assert reader.process(frame) is frame
    status = reader.status()
    assert (status.frames, status.errors, status.first_error) == (3, 3, "RuntimeError: the network is gone")
    assert status.age_s is None
    failing.fails = False
    play(reader, scene, 0, 0.5)
    assert reader.newest.reading.text == scene.text(0)
    assert reader.status().errors == 3


@pytest.mark.parametrize(
    "frame",
    [np.zeros((0, 0, 3), np.uint8), np.zeros((1, 1, 3), np.uint8), np.full((3, 2000, 3), 9, np.uint8), None],
    ids=["empty", "one pixel", "sliver", "nothing"],
)
def test_no_frame_whatsoever_raises(reader, frame):
    for stage in STAGES:
        reader.change(replace(reader.settings, stage=stage))
        reader.process(frame)
    assert reader.status().frames == len(STAGES)


def test_frames_that_change_size_start_new_tracks(reader, scene):
    play(reader, scene, 0, 0.5)
    before = {s.track for s in reader.newest.reading.symbols}
    play(reader, DemoScene(size_wh=(320, 240)), 0.5, 0.5)
    reading = reader.newest.reading
    assert reading.size_wh == (320, 240)
    assert reading.text == scene.text(0)
    assert before.isdisjoint(s.track for s in reading.symbols)


def test_settings_act_on_the_next_frame(reader, scene):
    play(reader, scene, 0, 0.5)
    text = reader.newest.reading.text
    reader.change(replace(reader.settings, confidence=1.0))
    reader.process(scene.frame(0.5), 0.5)
    assert reader.newest.reading.text == ""
    assert {s.reason for s in reader.newest.reading.refused} == {"not sure enough"}
    reader.change(replace(reader.settings, confidence=0.5))
    reader.process(scene.frame(0.52), 0.52)
    assert reader.newest.reading.text == text


def test_an_unknown_network_leaves_everything_as_it_was(reader):
    with pytest.raises(NetworkError, match="no trained network 'nobody'"):
        reader.change(replace(reader.settings, network="nobody"))
    assert reader.settings.network == "digits"


@pytest.mark.parametrize(
    "wrong",
    [{"method": "magic"}, {"stage": "behind"}, {"confidence": 2}, {"smallest": 0}, {"smoothing_s": -1}],
    ids=str,
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LiveSettings(**wrong)


def test_frozen_the_picture_and_its_reading_stay(reader, scene):
    shown = play(reader, scene, 0, 0.5)
    shot = reader.newest
    reader.change(replace(reader.settings, frozen=True))
    assert reader.process(scene.frame(PAGE_S), PAGE_S) is shown
    assert reader.newest is shot
    reader.change(replace(reader.settings, frozen=False))
    play(reader, scene, PAGE_S, 0.5)
    assert reader.newest.reading.text == scene.text(PAGE_S)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mirror", [False, True])
def test_each_stage_is_a_picture_of_the_frames_size(reader, scene, stage, mirror):
    reader.change(replace(reader.settings, stage=stage, mirror=mirror))
    frame = scene.frame(1)
    untouched = frame.copy()
    picture = [reader.process(frame, i / FPS) for i in range(5)][-1]
    assert (picture.shape, picture.dtype) == (frame.shape, np.uint8)
    assert (picture != frame).any()
    np.testing.assert_array_equal(frame, untouched)


def test_mirroring_turns_the_picture_and_not_the_reading(reader, scene):
    plain = play(reader, scene, 0, 0.5)
    boxes = [s.box for s in reader.newest.reading.symbols]
    reader.change(replace(reader.settings, mirror=True))
    mirrored = reader.process(scene.frame(11 / FPS), 0.5)  # the same picture once more
    assert [s.box for s in reader.newest.reading.symbols] == boxes
    assert reader.newest.reading.text == scene.text(0)
    corner = np.s_[-60:, :200]  # no symbol stands there
    np.testing.assert_array_equal(mirrored[:, ::-1][corner], plain[corner])


def test_after_a_restart_nothing_of_the_old_video_is_left(reader, scene):
    play(reader, scene, 0, 0.5)
    reader.restart()
    assert reader.newest is None
    assert reader.status().frames == 0
    play(reader, scene, PAGE_S, 0.5)
    assert reader.newest.reading.text == scene.text(PAGE_S)


def test_status_counts_frames_and_drops(reader, scene):
    frame = scene.frame(0)
    for _ in range(5):
        reader.process(frame, dropped=2)
    status = reader.status()
    assert (status.frames, status.dropped, status.errors, status.first_error) == (5, 10, 0, None)
    assert 0 < status.p50_ms <= status.p95_ms
    assert status.frames_per_second > 0
    assert status.age_s >= 0


def test_memory_stays_within_bounds(reader, scene):
    frames = [scene.frame(i / FPS) for i in range(10)]
    for index in range(400):
        reader.process(frames[index % 10], index / FPS)
    tracemalloc.start()
    try:
        for index in range(400, 700):
            reader.process(frames[index % 10], index / FPS)
        before, _ = tracemalloc.get_traced_memory()
        for index in range(700, 1000):
            reader.process(frames[index % 10], index / FPS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 500_000  # one frame is 921,600 bytes: not even one is kept


@pytest.fixture(scope="module")
def clip(scene, tmp_path_factory):
    """Two pages of the demo scene as an MP4 file."""
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.bit_rate = 4_000_000
        for index in range(2 * FPS):
            time_s = PAGE_S - 1 + index / FPS
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene.frame(time_s), format="rgb24")))
        container.mux(stream.encode())
    return file


def test_watch_tells_each_frame_in_json(clip, scene, recognizer):
    records = [json.loads(json.dumps(record)) for record in watch(clip)]
    assert [r["frame"] for r in records] == list(range(2 * FPS))
    assert records[FPS]["time_s"] == pytest.approx(1.0, abs=0.01)
    assert records[FPS - 1]["text"] == scene.text(0)
    assert records[-1]["text"] == scene.text(PAGE_S)
    assert "".join(s["label"] for s in records[-1]["symbols"]) == scene.text(PAGE_S)
    assert set(records[-1]["symbols"][0]) == {"track", "label", "confidence", "box"}
    assert records[-1]["processing_ms"] > 0


def test_frames_of_a_video_are_the_pictures_that_went_in(clip, scene):
    frames = list(open_frames(clip))
    assert len(frames) == 2 * FPS
    difference = np.abs(frames[10].pixels.astype(int) - scene.frame(PAGE_S - 1 + 10 / FPS)).mean()
    assert difference < 6  # the codec's loss; red and blue exchanged would be 9


def test_what_is_no_video_is_told_in_one_line(tmp_path, clip):
    (tmp_path / "notes.mp4").write_text("not a video at all\n" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:2000])
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXTINF:10,\n{clip}\n#EXT-X-ENDLIST\n")
    for name in ("missing.mp4", "notes.mp4", "empty.mp4", "cut.mp4", "list.mp4"):
        with pytest.raises(VideoError, match="video") as caught:
            next(open_frames(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_a_sound_file_is_no_video(tmp_path):
    file = tmp_path / "sound.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="holds no pictures"):
        next(open_frames(file))


def test_stages_show_what_they_say(reader, scene):
    reader.change(replace(reader.settings, stage="threshold"))
    picture = play(reader, scene, 0, 0.5)
    grey = cv2.cvtColor(picture[300:, :], cv2.COLOR_RGB2GRAY)
    assert grey.std() < cv2.cvtColor(scene.frame(0)[300:, :], cv2.COLOR_RGB2GRAY).std()  # empty paper has no noise left

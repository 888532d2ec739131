"""Live Camera: hold writing before a webcam and read along; or a snapshot, a video file, the demo scene."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from core.errors import InklingError
from core.reading import Recognizer
from core.reading.live import LiveReader, LiveSettings
from core.reading.picture import decode_picture
from pages.components.header import header
from pages.components.live_controls import controls, unfreeze
from pages.components.live_panel import panel
from pages.components.live_sources import DemoPlayer, StillPlayer, VideoPlayer, play, switch_to
from pages.components.live_teach_panel import teach_panel
from pages.components.live_teaching import keep_up, taught_or
from pages.components.live_webcam import webcam

STYLE = Path(__file__).parent / "components/live.css"
SOURCE = "live_source"
CAMERA_READER, PLAYER_READER = "live_camera_reader", "live_player_reader"
WEBCAM, DEMO, SNAPSHOT, VIDEO = "Webcam", "Demo", "Snapshot", "Video"
ABOUT_DEMO = "This is the demo scene: paper, light and an unsteady hand, drawn from pen strokes and read like a camera."
REFRESH_S = 0.25
VIDEO_TYPES = ("mp4", "m4v", "mov", "webm", "mkv", "avi", "mpg", "mpeg", "ogv", "gif")


def main() -> None:
    st.html(STYLE)
    recognizer = header(
        "Live Camera", "Hold handwritten digits before the camera: Inkling reads along, frame by frame."
    )
    if recognizer is None:
        return
    # Two readers: after the page was left, the camera's thread runs on for a while and must not disturb the demo.
    camera, player = _reader(CAMERA_READER, recognizer), _reader(PLAYER_READER, recognizer)
    video, readings = st.columns([6, 5], gap="large")
    with video:
        reader = _show_source(camera, player)
    with readings:
        beside_the_video(reader, recognizer, is_camera=reader is camera)


@st.fragment(run_every=REFRESH_S)
def beside_the_video(reader: LiveReader, recognizer: Recognizer, is_camera: bool) -> None:
    """Readings and controls, refreshed together: what a slow connection loses of one refresh, the next one brings."""
    keep_up(reader, recognizer)
    with st.container():  # of its own: a notice that comes or goes would move the open controls, which closes them
        panel(reader, is_camera)
    controls(reader)
    teach_panel(reader, recognizer, is_camera)


def _reader(key: str, recognizer: Recognizer) -> LiveReader:
    """One of the session's readers, set to that network."""
    network = recognizer.network.name
    reader = st.session_state.get(key)
    if reader is None:
        reader = st.session_state[key] = LiveReader(LiveSettings(network=network), recognizer)
    reader.change(replace(reader.settings, network=network), taught_or(recognizer))
    return reader


def _show_source(camera: LiveReader, player: LiveReader) -> LiveReader:
    """The choice of where the frames come from, and their picture; the reader that they go through."""
    source = st.segmented_control(
        "Source",
        (WEBCAM, DEMO, SNAPSHOT, VIDEO),
        default=WEBCAM,
        required=True,
        key=SOURCE,
        persist_state="session",
        label_visibility="collapsed",
        on_change=unfreeze,
    )
    if source == WEBCAM and webcam(camera):
        switch_to(WEBCAM, camera)
        return camera
    if source in (WEBCAM, DEMO):
        play(player, switch_to(DEMO, player, DemoPlayer))
        st.caption(ABOUT_DEMO + (" Start the camera above to see your own writing." if source == WEBCAM else ""))
        return player
    try:
        _play_file(source, player)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
    return player


def _play_file(source: str, reader: LiveReader) -> None:
    """A snapshot or a video file; raises `PictureError` or `VideoError` where it is none."""
    if source == SNAPSHOT:
        file = st.camera_input("Hold the writing before the camera and take a picture", key="live_snapshot")
    else:
        file = st.file_uploader("A video of handwriting", VIDEO_TYPES, key="live_video")
    if file is None:
        switch_to(source, reader)
    elif source == SNAPSHOT:
        play(
            reader,
            switch_to(file.file_id, reader, lambda: StillPlayer(decode_picture(file.getvalue(), "The snapshot"))),
        )
    else:
        play(reader, switch_to(file.file_id, reader, lambda: VideoPlayer(file.getvalue(), file.name)))


main()

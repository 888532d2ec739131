"""What stands in for a webcam: the demo scene, a video file, a still picture, played as if they came from a camera."""

import base64
import io
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import streamlit as st

from core.errors import InklingError
from core.reading.live import LiveReader
from core.reading.scene import DemoScene
from core.reading.video import Frame, open_frames

PLAYING = "live_playing"  # session state: what is playing (its identity) and its player
REFRESH_S = 0.1
ALT = "the video with what is read on it"
JPEG_QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 85)
MAX_FRAMES_AT_ONCE = 6  # of a video file between two refreshes; what is later than that is dropped, as by a camera


class Due(NamedTuple):
    """A frame whose time has come."""

    pixels: np.ndarray  # (H, W, 3) uint8 RGB
    time_s: float
    dropped: int  # frames skipped before it


class Player(ABC):
    """Hands frames to a reader when their time has come."""

    picture: np.ndarray | None = None  # the newest one to show
    ended = False

    @abstractmethod
    def due(self) -> Iterator[Due]:
        """The frames whose time has come since the last call; raises `VideoError` where a file breaks off."""

    def advance(self, reader: LiveReader) -> None:
        for frame in self.due():
            self.picture = reader.process(frame.pixels, frame.time_s, frame.dropped)


class DemoPlayer(Player):
    """The built-in scene, as it looks now."""

    def __init__(self) -> None:
        self._scene = DemoScene()
        self._start = time.monotonic()

    def due(self) -> Iterator[Due]:
        time_s = time.monotonic() - self._start
        yield Due(self._scene.frame(time_s), time_s, 0)


class StillPlayer(Player):
    """A picture in which nothing moves."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = pixels

    def due(self) -> Iterator[Due]:
        yield Due(self._pixels, time.monotonic(), 0)


class VideoPlayer(Player):
    """A video file at its own speed."""

    def __init__(self, content: bytes, name: str) -> None:
        self._frames = open_frames(io.BytesIO(content), name)
        self._next: Frame | None = next(self._frames)  # raises VideoError at once where there is no video
        self._start = time.monotonic() - self._next.time_s

    @property
    def ended(self) -> bool:
        return self._next is None

    def due(self) -> Iterator[Due]:
        now = time.monotonic() - self._start
        waiting: list[Frame] = []
        dropped = 0
        while self._next is not None and self._next.time_s <= now:
            waiting.append(self._next)
            if len(waiting) > MAX_FRAMES_AT_ONCE:
                del waiting[0]
                dropped += 1
            self._next = None  # should the file break off here, the video has ended
            self._next = next(self._frames, None)
        for frame in waiting:
            yield Due(frame.pixels, frame.time_s, dropped)
            dropped = 0


def switch_to(identity: str, reader: LiveReader, make: Callable[[], Player] | None = None) -> Player | None:
    """The player of that identity: the one that plays already, or a new one and an empty reading."""
    playing, player = st.session_state.get(PLAYING, (None, None))
    if playing != identity:
        player = make() if make else None
        reader.restart()
        st.session_state[PLAYING] = (identity, player)
    return player


@st.fragment(run_every=REFRESH_S)
def play(reader: LiveReader, player: Player) -> None:
    """Shows the player's picture and moves it on, several times a second."""
    try:
        player.advance(reader)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
    if player.picture is not None:
        _show(player.picture)
    if player.ended:
        st.button("Play again", icon=":material/replay:", on_click=_forget_player)


def _show(picture_rgb: np.ndarray) -> None:
    """The picture within the page itself.

    `st.image` would hand out an address for each, and its file is gone by the time a slow browser asks for it.
    """
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture_rgb, cv2.COLOR_RGB2BGR), JPEG_QUALITY)[1].tobytes()
    height, width = picture_rgb.shape[:2]
    st.html(
        f'<img class="live-video" alt="{ALT}" width="{width}" height="{height}" decoding="sync" '
        f'src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
    )


def _forget_player() -> None:
    st.session_state.pop(PLAYING, None)

"""The webcam: streamlit-webrtc around a callback that knows nothing of Streamlit."""

import json
import os
from collections import deque
from collections.abc import Callable
from typing import Any

import av
import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from core.reading.live import LiveReader

ICE_SERVERS = "INKLING_ICE_SERVERS"  # environment variable or Streamlit secret: JSON, a list of WebRTC's RTCIceServer
CONSTRAINTS = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "facingMode": {"ideal": "environment"}},
    "audio": False,
}
VIDEO = {"autoPlay": True, "muted": True, "playsInline": True, "controls": False, "style": {"width": "100%"}}
WORDS = {
    "start": "Start camera",
    "stop": "Stop camera",
    "select_device": "Choose a camera",
    "media_api_not_available": "This browser gives a page no camera here. It does over HTTPS and on localhost.",
    "device_ask_permission": "The browser asks whether Inkling may use the camera: allow it.",
    "device_not_available": "No camera was found. Plug one in, or take a snapshot, a video file or the demo scene.",
    "device_access_denied": "The camera was refused. Allow it in the browser's address bar, then start again.",
}
RECENT_GAPS = 60  # frames: the camera's own rate is judged from the last two seconds


def webcam(reader: LiveReader) -> bool:
    """Shows the camera with its start button; True while it plays (or is being connected)."""
    context = webrtc_streamer(
        key="live_webcam",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": ice_servers()},
        media_stream_constraints=CONSTRAINTS,
        video_frame_callback=frame_callback(reader),
        video_html_attrs=VIDEO,
        translations=WORDS,
        media_toggle_controls=False,
        async_processing=True,  # the newest frame is read, those that came meanwhile are dropped
    )
    return bool(context.state.playing or context.state.signalling)


def frame_callback(reader: LiveReader) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """A callback for streamlit-webrtc: frame in, frame with its overlay out.

    It runs on streamlit-webrtc's thread `async_media_processor_N`, one for each connection, while the page's script
    thread only swaps the reader's settings and looks at its newest shot. It never raises: one exception there ends the
    video without a word.
    """
    counter = DropCounter()

    def callback(frame: av.VideoFrame) -> av.VideoFrame:
        try:
            dropped = counter.dropped_before(frame)
            picture = reader.process(frame.to_ndarray(format="rgb24"), dropped=dropped)
            return av.VideoFrame.from_ndarray(picture, format="rgb24")
        except Exception as error:  # a frame that cannot be converted goes on as it came
            reader.count_error(error)
            return frame

    return callback


class DropCounter:
    """How many of the camera's frames were skipped, told from the gaps between their time stamps.

    A heuristic: the camera's own interval is taken to be a short one of the recent gaps (the 20th percentile, so that
    jitter does not pass for speed).
    """

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=RECENT_GAPS)
        self._last_s: float | None = None

    def dropped_before(self, frame: av.VideoFrame) -> int:
        time_s, last_s = frame.time, self._last_s
        self._last_s = time_s
        if time_s is None or last_s is None or not 0 < time_s - last_s < 2:  # a pause is no drop
            return 0
        gap = time_s - last_s
        self._gaps.append(gap)
        interval = sorted(self._gaps)[len(self._gaps) // 5]
        return max(0, round(gap / interval) - 1)


def ice_servers() -> list[dict[str, Any]]:
    """The STUN and TURN servers to connect through; none unless configured, for on localhost none is needed.

    A value that cannot be used is told on the page and left out.
    """
    given = os.environ.get(ICE_SERVERS) or _secret(ICE_SERVERS)
    if not given:
        return []
    try:
        servers = json.loads(given) if isinstance(given, str) else [dict(server) for server in given]
        if not isinstance(servers, list) or not all(isinstance(s, dict) and "urls" in s for s in servers):
            raise ValueError("it must be a list of objects with 'urls'")
    except (ValueError, TypeError) as error:
        st.warning(f'{ICE_SERVERS} is left out: {error}. Expected JSON such as [{{"urls": "stun:example.org:3478"}}].')
        return []
    return servers


def _secret(name: str) -> Any:
    try:
        return st.secrets.get(name)
    except FileNotFoundError:  # no secrets file: nothing is configured
        return None

"""The app of `throughput.py`: a webcam through a callback that reads, or through one that only passes frames on."""

import av
import streamlit as st
from streamlit_webrtc import webrtc_streamer

from core.reading import open_recognizer
from core.reading.live import LiveReader
from pages.components.live_webcam import CONSTRAINTS, frame_callback


class Counter:
    """Counts the frames that a callback gets; called by the video's thread only."""

    def __init__(self, callback) -> None:
        self.callback = callback
        self.frames = 0

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        self.frames += 1
        return self.callback(frame)


@st.cache_resource
def counter(mode: str) -> Counter:
    if mode == "reading":
        return Counter(frame_callback(LiveReader(recognizer=open_recognizer("digits"))))
    return Counter(lambda frame: av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), format="rgb24"))


mode = st.query_params.get("mode", "pass")
webrtc_streamer(
    key=mode,
    rtc_configuration={"iceServers": []},
    media_stream_constraints=CONSTRAINTS,
    video_frame_callback=counter(mode),
)


@st.fragment(run_every=0.5)
def show_count() -> None:
    with st.container(key="frames"):
        st.text(counter(mode).frames)


show_count()

"""Video file → frames → readings: the live pipeline over a recording."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import av
import numpy as np

from core.errors import VideoError
from core.reading.live import LivePipeline, LiveSettings
from core.reading.recognizer import open_recognizer

# Containers that hold a recording and nothing else; playlists (which can name other files and hosts) are not opened.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg,flv,gif,yuv4mpegpipe,mjpeg,asf"
MAX_PIXELS = 40_000_000  # 8K video has 33 million; more is a mistake or an attack
DEFAULT_RATE = 30.0  # frames a second, for streams that do not say


class Frame(NamedTuple):
    """One frame of a recording."""

    number: int  # from 0
    time_s: float
    pixels: np.ndarray  # (H, W, 3) uint8 RGB, turned upright


def open_frames(source: str | Path | BinaryIO, name: str = "") -> Iterator[Frame]:
    """The frames of a video, a file's or one in memory, one after another.

    `name` is only what errors call it. Raises `VideoError` when it is no video that can be read; a recording that
    breaks off gives the frames before the break, and the error after them.
    """
    name = name or str(source)
    if isinstance(source, str | Path) and not Path(source).is_file():
        raise VideoError(f"There is no video file {name}; check the path.")
    file = str(source) if isinstance(source, str | Path) else source
    try:
        container = av.open(file, "r", options={"format_whitelist": FORMATS})
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"{name} is no video that can be read (MP4, WebM, AVI, … can): {_reason(error)}.") from error
    with container:
        if not container.streams.video:
            raise VideoError(f"{name} holds no pictures, only sound; choose a video.")
        stream = container.streams.video[0]
        if stream.width * stream.height > MAX_PIXELS:
            raise VideoError(f"{name} has frames of {stream.width}×{stream.height} pixels; reduce it below 8K.")
        yield from _decode(container, stream, name)


def _decode(container: av.container.InputContainer, stream: av.VideoStream, name: str) -> Iterator[Frame]:
    rate = float(stream.average_rate or DEFAULT_RATE)
    number = 0
    try:
        for frame in container.decode(stream):
            time_s = number / rate if frame.time is None else float(frame.time)
            pixels = np.rot90(frame.to_ndarray(format="rgb24"), k=round(frame.rotation / 90))
            yield Frame(number, time_s, np.ascontiguousarray(pixels))
            number += 1
    except av.FFmpegError as error:
        raise VideoError(f"{name} breaks off after {number} frames: {_reason(error)}.") from error
    if number == 0:
        raise VideoError(f"{name} holds no frame; it is an empty video or was cut off while it was written.")


def watch(
    path: str | Path, network: str = "digits", settings: LiveSettings = LiveSettings()
) -> Iterator[dict[str, Any]]:
    """One record a frame: `{"frame", "time_s", "text", "symbols": [{"track", …}], "processing_ms"}`.

    Raises `NetworkError` and `VideoError` before the first record where there is nothing to read.
    """
    recognizer, pipeline = open_recognizer(network), LivePipeline()
    for frame in open_frames(path):
        reading, _ = pipeline.read(frame.pixels, frame.time_s, recognizer, settings)
        yield reading.to_json()


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")

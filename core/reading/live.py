"""Live reading: the frames of a video → segment → one batch → tracks → overlay, whatever the frames come from."""

import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from core.reading.ink import Survey
from core.reading.overlay import draw_stage
from core.reading.recall import RecallingRecognizer
from core.reading.recognizer import Recognizer, open_recognizer
from core.reading.segment import METHODS, SegmentOptions
from core.reading.tracks import TrackedSymbol, Tracker, unsure
from core.reading.types import Page, written

STAGES = ("camera", "threshold", "boxes", "glyphs")
NOTHING = "–"  # what stands for a text when nothing is read
WINDOW = 300  # frames that the status looks back over: ten seconds of a webcam
SURVEY_S = 0.25  # how long frames share one survey of paper and pen, which takes a third of the segmentation's time
STALLED_S = 2.0  # a camera that sends nothing for so long has stopped, and so has its frame rate
DARK_LEVEL, DARK_SPREAD = 40, 12  # grey levels: darker and flatter than any lit paper, the lens is covered


@dataclass(frozen=True)
class LiveSettings:
    """Everything that can be changed while a video runs; a new one takes effect with the next frame."""

    network: str = "digits"
    method: str = "adaptive"  # how ink is told from paper: one of METHODS
    smallest: float = 0.03  # smallest symbol: its longest side as a share of the frame's shortest side
    confidence: float = 0.5  # symbols that are less sure are shown, but not read
    smoothing_s: float = 0.25  # after so many seconds a frame weighs half; 0 reads each frame on its own
    mirror: bool = False  # of the picture shown, never of the one read
    stage: str = "camera"  # what is shown: one of STAGES
    frozen: bool = False  # the last picture and its reading stay
    work_px: int = 640  # frames are reduced to this longest side for reading: symbols on a page keep enough pixels

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is one of {', '.join(METHODS)}, not {self.method!r}")
        if self.stage not in STAGES:
            raise ValueError(f"stage is one of {', '.join(STAGES)}, not {self.stage!r}")
        if not 0 <= self.confidence <= 1 or not 0 < self.smallest <= 1 or self.smoothing_s < 0:
            raise ValueError("confidence is from 0 to 1, smallest above 0 up to 1, smoothing_s 0 or more")

    @property
    def segmentation(self) -> SegmentOptions:
        return SegmentOptions(
            method=self.method,
            smallest=self.smallest,
            keep_stages=self.stage == "threshold",
            longest_side=self.work_px,
        )


@dataclass(frozen=True, eq=False)
class LiveReading:
    """What stands in a video after one frame."""

    frame: int  # counted from 0 since the pipeline was made
    time_s: float
    symbols: tuple[TrackedSymbol, ...]  # in reading order
    refused: tuple[TrackedSymbol, ...]
    processing_ms: float  # segmentation, network and tracks; not the overlay
    size_wh: tuple[int, int]
    is_dark: bool  # nothing but darkness: the lens may be covered

    @property
    def text(self) -> str:
        """The symbols as people write them; rows are separated by a newline."""
        text, row = "", None
        for symbol in self.symbols:
            text += ("\n" if row not in (None, symbol.row) else "") + written(symbol.label or "")
            row = symbol.row
        return text

    @property
    def spaced(self) -> str:
        """The symbols in reading order separated by spaces, `–` when nothing is read."""
        return " ".join(written(symbol.label or "") for symbol in self.symbols) or NOTHING

    def to_json(self) -> dict[str, Any]:
        return {
            "frame": self.frame,
            "time_s": round(self.time_s, 4),
            "text": self.text,
            "symbols": [
                {"track": s.track, "label": s.label, "confidence": round(s.confidence, 4), "box": list(s.box)}
                for s in self.symbols
            ],
            "processing_ms": round(self.processing_ms, 3),
        }


@dataclass(frozen=True)
class LiveStatus:
    """How a video is doing, over the last `WINDOW` frames."""

    frames: int
    frames_per_second: float
    p50_ms: float
    p95_ms: float
    dropped: int  # frames of the camera that were never seen, because a newer one was there
    errors: int
    first_error: str | None
    age_s: float | None  # of the newest reading; None before the first


class LivePipeline:
    """Frames in, readings out; one thread at a time. Errors are the caller's."""

    _recognizer: Recognizer
    _recalling: RecallingRecognizer

    def __init__(self) -> None:
        self._tracker: Tracker | None = None
        self._tracked: tuple[Any, ...] = ()  # what the tracker was made for
        self._survey: Survey | None = None
        self._surveyed_s = 0.0
        self._frames = 0

    def read(
        self, frame_rgb: np.ndarray, time_s: float, recognizer: Recognizer, settings: LiveSettings
    ) -> tuple[LiveReading, Page]:
        """The next frame, `(H, W, 3) uint8` RGB, and its time → what stands now, and the frame's own page."""
        start = time.perf_counter()
        size_wh = (frame_rgb.shape[1], frame_rgb.shape[0])
        tracker = self._tracker_for(recognizer, size_wh, settings)
        page = self._recalling.read(frame_rgb, settings.segmentation, self._survey_at(time_s))
        self._survey = page.segmentation.survey if page.readings else None  # nothing found: look anew
        symbols = unsure(tracker.update(page.readings, time_s), settings.confidence)
        thumbnail = frame_rgb[::16, ::16]
        reading = LiveReading(
            frame=self._frames,
            time_s=time_s,
            symbols=tuple(s for s in symbols if s.reason is None),
            refused=tuple(s for s in symbols if s.reason is not None),
            processing_ms=(time.perf_counter() - start) * 1000,
            size_wh=size_wh,
            is_dark=thumbnail.size > 0 and bool(thumbnail.mean() < DARK_LEVEL and thumbnail.std() < DARK_SPREAD),
        )
        self._frames += 1
        return reading, page

    def _survey_at(self, time_s: float) -> Survey | None:
        """What is known of paper and pen; None when it is time to look anew."""
        if self._survey is not None and 0 <= time_s - self._surveyed_s < SURVEY_S:
            return self._survey
        self._surveyed_s = time_s
        return None

    def _tracker_for(self, recognizer: Recognizer, size_wh: tuple[int, int], settings: LiveSettings) -> Tracker:
        """The tracker; a new one when the frames' size or the network changes, for then nothing can be compared.

        Symbols that are taught to the recognizer, or forgotten, leave the tracks as they are.
        """
        wanted = (recognizer.network, size_wh)
        if self._tracker is None or self._tracked != wanted:
            first = self._tracker.next_number if self._tracker else 1
            self._tracker, self._tracked = Tracker(recognizer.classes, first_number=first), wanted
            self._recognizer, self._recalling = recognizer, RecallingRecognizer(recognizer)
            self._survey = None
        elif self._recognizer is not recognizer:
            self._tracker.learn(recognizer.classes)
            self._recognizer, self._recalling = recognizer, RecallingRecognizer(recognizer)
        self._tracker.smoothing_s = settings.smoothing_s
        return self._tracker


@dataclass(frozen=True, eq=False)
class Shot:
    """The newest picture as it is shown, with its reading and the settings that made it."""

    picture_rgb: np.ndarray  # (H, W, 3) uint8
    frame_rgb: np.ndarray  # the same size: the picture as it came, with nothing drawn on it
    reading: LiveReading
    classes: tuple[str, ...]
    settings: LiveSettings


class LiveReader:
    """A pipeline that a video thread feeds and a page looks at.

    `process` is called by the video's thread and never raises: an error is counted, the first is kept to be told, and
    the frame goes on as it came. `change`, `newest` and `status` are called by the page's thread. What the two share is
    replaced whole under a lock, and nothing of it grows.
    """

    _newest: Shot | None
    _first_error: str | None
    _errors: int
    _durations_ms: deque[float]
    _arrivals: deque[float]

    def __init__(self, settings: LiveSettings = LiveSettings(), recognizer: Recognizer | None = None) -> None:
        self._turn = Lock()  # one frame at a time, also while an older video's thread is still running out
        self._shared = Lock()  # guards everything below
        self._settings = settings
        self._recognizer = recognizer or open_recognizer(settings.network)
        self._forget()

    @property
    def settings(self) -> LiveSettings:
        return self._settings

    @property
    def recognizer(self) -> Recognizer:
        return self._recognizer

    @property
    def newest(self) -> Shot | None:
        return self._newest

    def change(self, settings: LiveSettings, recognizer: Recognizer | None = None) -> None:
        """New settings from the next frame on; a network is opened here, not in the video's thread.

        Raises `NetworkError` when it cannot be opened; then everything stays as it was.
        """
        if settings.network != self._settings.network or recognizer is not None:
            recognizer = recognizer or open_recognizer(settings.network)
        with self._shared:
            self._settings, self._recognizer = settings, recognizer or self._recognizer

    def process(self, frame_rgb: np.ndarray, time_s: float | None = None, dropped: int = 0) -> np.ndarray:
        """The next frame, `(H, W, 3) uint8` RGB → the picture to show, of the same size; never raises.

        `time_s` is the frame's own time (default: now); `dropped` says how many frames were skipped before it.
        """
        with self._turn:
            start = time.perf_counter()
            with self._shared:
                settings, recognizer, newest = self._settings, self._recognizer, self._newest
            picture = frame_rgb
            try:
                if settings.frozen and newest is not None:
                    picture = newest.picture_rgb
                else:
                    now = time.monotonic() if time_s is None else time_s
                    reading, page = self._pipeline.read(frame_rgb, now, recognizer, settings)
                    picture = draw_stage(frame_rgb, reading, page, settings.stage, settings.mirror)
                    newest = Shot(picture, frame_rgb, reading, recognizer.classes, settings)
            except Exception as error:  # whatever it is: one exception in the video's thread would end the video
                self.count_error(error)
            self._record(newest, (time.perf_counter() - start) * 1000, dropped)
            return picture

    def count_error(self, error: Exception) -> None:
        """Counts an error of the video's thread; the first one is kept to be told."""
        with self._shared:
            self._errors += 1
            self._first_error = self._first_error or f"{type(error).__name__}: {error}"

    def restart(self) -> None:
        """Forgets the video so far, for the next frame is another's; the settings stay."""
        with self._turn, self._shared:
            self._forget()

    def _forget(self) -> None:
        self._pipeline = LivePipeline()
        self._newest, self._newest_at = None, 0.0
        self._errors, self._first_error = 0, None
        self._frames = self._dropped = 0
        self._durations_ms, self._arrivals = deque(maxlen=WINDOW), deque(maxlen=WINDOW)

    def _record(self, newest: Shot | None, duration_ms: float, dropped: int) -> None:
        now = time.monotonic()
        with self._shared:
            self._frames += 1
            self._dropped += dropped
            self._arrivals.append(now)
            self._durations_ms.append(duration_ms)
            if newest is not self._newest:
                self._newest, self._newest_at = newest, now

    def status(self) -> LiveStatus:
        now = time.monotonic()
        with self._shared:
            recent = [t for t in self._arrivals if now - t <= STALLED_S]
            span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
            p50, p95 = np.percentile(self._durations_ms, (50, 95)) if self._durations_ms else (0.0, 0.0)
            return LiveStatus(
                frames=self._frames,
                frames_per_second=(len(recent) - 1) / span if span > 0 else 0.0,
                p50_ms=float(p50),
                p95_ms=float(p95),
                dropped=self._dropped,
                errors=self._errors,
                first_error=self._first_error,
                age_s=now - self._newest_at if self._newest else None,
            )

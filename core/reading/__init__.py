"""Picture → readings: segment, glyph, recognizer, refusal, tracks; knows nothing of windows, browsers or WebRTC."""

from core.reading.recognizer import Recognizer, open_recognizer
from core.reading.segment import SegmentOptions, segment
from core.reading.types import Page, Reading, Segment, Segmentation, written

__all__ = [
    "Page",
    "Reading",
    "Recognizer",
    "Segment",
    "SegmentOptions",
    "Segmentation",
    "open_recognizer",
    "segment",
    "written",
]

"""The live pipeline: time a frame, memory over ten thousand frames, and how steadily a moving page is read."""

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.reading.live import LivePipeline, LiveReader, LiveSettings
from core.reading.recognizer import Recognizer, open_recognizer
from core.reading.scene import PAGE_S, PAGES, DemoScene

FPS = 30
SIZES_WH = ((640, 480), (1280, 720))
FIVE_SYMBOLS_S = PAGE_S  # the scene's second page holds five
WARM_UP, MEASURED = 60, 600  # frames
MEMORY_FRAMES = 10_000
SEEDS = 5  # hands that write the scene's pages
SETTLE_S = 0.5  # after a page is turned


def run() -> Iterator[dict[str, Any]]:
    """The records of this benchmark, on one thread of the machine it runs on."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        recognizer = open_recognizer("digits")
        for size_wh in SIZES_WH:
            yield from _time_a_frame(recognizer, size_wh)
        yield _memory_growth(recognizer)
        yield from _steadiness(recognizer)
    finally:
        cv2.setNumThreads(threads)


def _time_a_frame(recognizer: Recognizer, size_wh: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Segmentation, network, tracks and overlay of a frame with five symbols; the camera's share is left out."""
    scene, reader = DemoScene(size_wh=size_wh), LiveReader(recognizer=recognizer)
    frames = [scene.frame(FIVE_SYMBOLS_S + i / FPS) for i in range(FPS)]
    durations_ms = []
    for index in range(WARM_UP + MEASURED):
        start = time.perf_counter()
        reader.process(frames[index % FPS], index / FPS)
        durations_ms.append((time.perf_counter() - start) * 1000)
    shot, status = reader.newest, reader.status()
    facts = {"size": list(size_wh), "symbols": len(shot.reading.symbols) if shot else 0, "errors": status.errors}
    for share in (50, 95):
        figure = round(float(np.percentile(durations_ms[WARM_UP:], share)), 2)
        yield {"what": f"processing p{share}", "figure": figure, "unit": "ms a frame", "n": MEASURED, **facts}


def _memory_growth(recognizer: Recognizer) -> dict[str, Any]:
    """Growth of the process's resident memory, after a warm-up."""
    scene, reader = DemoScene(), LiveReader(recognizer=recognizer)
    frames = [scene.frame(PAGE_S - 0.5 + i / FPS) for i in range(FPS)]  # a page is turned in the middle
    for index in range(MEMORY_FRAMES // 20):
        reader.process(frames[index % FPS], index / FPS)
    before = _resident_bytes()
    for index in range(MEMORY_FRAMES):
        reader.process(frames[index % FPS], index / FPS)
    growth = (_resident_bytes() - before) / 1e6
    return {"what": "memory growth", "figure": round(growth, 1), "unit": "MB", "n": MEMORY_FRAMES}


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _steadiness(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    """The scene's pages in several hands: share of frames whose whole text is right, and changes of text a second."""
    right = seen = changes = 0
    for seed in range(SEEDS):
        scene, pipeline, last = DemoScene(seed), LivePipeline(), None
        for index in range(int(len(PAGES) * PAGE_S * FPS)):
            time_s = index / FPS
            reading, _ = pipeline.read(scene.frame(time_s), time_s, recognizer, LiveSettings())
            if time_s % PAGE_S < SETTLE_S:
                last = None
                continue
            text = "".join(symbol.label or "" for symbol in reading.symbols)
            seen += 1
            right += text == scene.text(time_s)
            changes += last not in (None, text)
            last = text
    facts = {"n": seen, "seeds": SEEDS, "source": "the demo scene"}
    yield {"what": "frames wholly right", "figure": round(right / seen, 4), "unit": "share", **facts}
    yield {"what": "flicker", "figure": round(changes / (seen / FPS), 3), "unit": "changes a second", **facts}

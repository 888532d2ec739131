"""Teaching live: how soon a symbol is read after its last capture, how surely, and what it costs the digits."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from core.bench.letters import _handwriting
from core.data import load
from core.data.strokes import bend, draw_glyphs, render, scribble
from core.errors import DataError
from core.paths import data_dir
from core.reading.live import LiveReader
from core.reading.recognizer import Recognizer, open_recognizer
from core.reading.scene import DemoScene
from core.reading.teaching import Teaching
from core.reading.types import GREEK

FPS, CAPTURES, FRAMES, WARM_UP = 30, 5, 300, 30
EPISODES, SYMBOLS = 6, 3
ENOUGH_PEOPLE = 10  # pictures of a letter from which some are taught and some are left to test
NEW_AMONG_DIGITS = ("psi", "2", "0", "7", "4")
LOOKS_LIKE_A_DIGIT = "omicron"


def run() -> Iterator[dict[str, Any]]:
    """What needs no data first; then MNIST and the pictures of people's handwriting."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield from _speed(open_recognizer("digits"))
    finally:
        cv2.setNumThreads(threads)
    for network in ("digits", "report"):
        recognizer = open_recognizer(network)
        yield _measured(recognizer, "invented symbols, the same hand", [_invented(seed) for seed in range(EPISODES)])
        letters = [_letters_of_people(seed) for seed in range(EPISODES)]
        for captures in (1, 3, CAPTURES):
            few = [({label: glyphs[:captures] for label, glyphs in taught.items()}, test) for taught, test in letters]
            yield _measured(recognizer, f"Greek letters, {captures} captures, other people's hands", few)


Episode = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # label → captures, label → unseen glyphs; (N, 28, 28)


def _speed(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    """On drawn paper: seconds from a capture to the first frame that reads the symbol, and the time a frame."""
    scene, teaching = DemoScene(pages=(NEW_AMONG_DIGITS,)), Teaching()
    reader = LiveReader(recognizer=recognizer)
    start = time.perf_counter()
    teaching.take("warming up", draw_glyphs(["psi"], 0)[0].astype(np.float32) / 255)
    teaching.recognizer(recognizer)
    teaching.undo()
    yield {"what": "getting ready, once for each network", "figure": _seconds(start), "unit": "s"}
    frame = 0

    def play(count: int) -> list[float]:
        nonlocal frame
        durations = []
        for _ in range(count):
            picture = scene.frame((frame % (4 * FPS)) / FPS)
            began = time.perf_counter()
            reader.process(picture, frame / FPS)
            durations.append((time.perf_counter() - began) * 1000)
            frame += 1
        return durations

    before = float(np.median(play(WARM_UP + FRAMES)[WARM_UP:]))
    waited_s = []
    for number in range(CAPTURES):
        assert reader.newest is not None
        seen = (*reader.newest.reading.symbols, *reader.newest.reading.refused)
        symbol = min(seen, key=lambda s: s.box[0])
        start = time.perf_counter()
        teaching.take("trident", symbol.glyph)
        reader.change(reader.settings, teaching.recognizer(recognizer))
        frames = 0
        while "trident" not in [s.label for s in reader.newest.reading.symbols] and frames < 10 * FPS:
            play(1)
            frames += 1
        waited_s.append(_seconds(start) + frames / FPS)  # as if each frame had been waited for
        play(FPS // 2 + 2 * number)
    yield {"what": "from the third capture to the first reading", "figure": round(waited_s[2], 3), "unit": "s",
           "longest": round(max(waited_s), 3), "frames_a_second": FPS}  # fmt: skip
    after = float(np.median(play(WARM_UP + FRAMES)[WARM_UP:]))
    yield {"what": "a frame with five symbols, one taught", "figure": round(after, 2), "unit": "ms (p50)",
           "before": round(before, 2), "times": round(after / before, 2)}  # fmt: skip


def _measured(recognizer: Recognizer, what: str, episodes: Sequence[Episode]) -> dict[str, Any]:
    """Shares in per cent over all episodes; digits are lost that the network alone reads rightly."""
    digits = load("mnist", "test")
    images, labels = digits.images.numpy().astype(np.float32) / 255, digits.labels.numpy()
    people = _handwriting(tuple("0123456789"))
    people_images, people_labels = people.images.numpy().astype(np.float32) / 255, people.labels.numpy()
    right_before = _right(recognizer, images, labels).mean()
    people_before = _right(recognizer, people_images, people_labels).mean()
    read, lost, people_lost, seconds = [], [], [], []
    for taught, test in episodes:
        teaching = Teaching()
        for label, glyphs in taught.items():
            for glyph in glyphs:
                teaching.take(label, glyph)
        start = time.perf_counter()
        reads = teaching.recognizer(recognizer)
        seconds.append(time.perf_counter() - start)
        for label, glyphs in test.items():
            read.append(_right(reads, glyphs, np.full(len(glyphs), reads.classes.index(label))))
        lost.append(right_before - _right(reads, images, labels).mean())
        people_lost.append(people_before - _right(reads, people_images, people_labels).mean())
    return {
        "what": f"{recognizer.network.name} taught {SYMBOLS} {what}",
        "figure": round(100 * float(np.concatenate(read).mean()), 1),
        "unit": "% of unseen ones read",
        "n": sum(map(len, read)),
        "digits_lost": round(100 * float(np.mean(lost)), 3),
        "digits_lost_at_worst": round(100 * float(np.max(lost)), 3),
        "digits": len(images),
        "people's_digits_lost": round(100 * float(np.mean(people_lost)), 2),
        "seconds": round(float(np.median(seconds)), 2),
    }


def _right(recognizer: Recognizer, glyphs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which are read, not refused, and read rightly."""
    parts = [recognizer.classify(glyphs[i : i + 500]) for i in range(0, len(glyphs), 500)]
    answers = np.concatenate([probabilities.argmax(1) for probabilities, _ in parts])
    scores = np.concatenate([scores for _, scores in parts])
    return (answers == labels) & (scores >= recognizer.threshold)


def _invented(seed: int) -> Episode:
    """Scribbles, each written again and again by a hand that varies."""
    rng = np.random.default_rng([seed, 7])
    taught, test = {}, {}
    for number in range(SYMBOLS):
        strokes = scribble(rng)
        glyphs = np.stack([render(bend(strokes, rng, 0.8), rng.uniform(1.5, 3.5)) for _ in range(CAPTURES + 20)])
        label = f"symbol {number + 1}"
        taught[label], test[label] = np.split(glyphs.astype(np.float32) / 255, [CAPTURES])
    return taught, test


def _letters_of_people(seed: int) -> Episode:
    """Letters of the handwriting's pictures, each by another person."""
    if not (data_dir() / "handwriting").is_dir():
        raise DataError("The pictures of people's handwriting are missing; set INKLING_DATA to a folder that has them.")
    people = _handwriting(tuple(GREEK))
    images, labels = people.images.numpy().astype(np.float32) / 255, people.labels.numpy()
    rng = np.random.default_rng(seed)
    many = [
        number
        for number, label in enumerate(people.classes)
        if (labels == number).sum() >= ENOUGH_PEOPLE and label != LOOKS_LIKE_A_DIGIT
    ]
    taught, test = {}, {}
    for number in rng.choice(many, SYMBOLS, replace=False):
        glyphs = rng.permutation(images[labels == number])
        glyphs = glyphs[glyphs.max(axis=(1, 2)) > 0]
        taught[people.classes[number]], test[people.classes[number]] = np.split(glyphs, [CAPTURES])
    return taught, test


def _seconds(start: float) -> float:
    return round(time.perf_counter() - start, 3)

"""How well the shipped networks read and refuse: MNIST, USPS, KMNIST, and people's own handwriting."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.data import load
from core.errors import DataError
from core.paths import data_dir
from core.reading import Recognizer, open_recognizer
from core.reading.picture import read_picture

NETWORKS = ("digits", "report")
BATCH = 1000
MARGIN_PX = 8  # of paper round a 28×28 picture
REFUSED_OF_MNIST = 0.005  # the share of real digits at which the refusal and the softmax threshold are compared


def run() -> Iterator[dict[str, Any]]:
    for name in NETWORKS:
        recognizer = open_recognizer(name)
        for record in _sets(recognizer):
            yield {"network": name, **record}
    recognizer = open_recognizer("digits")
    for kind in ("single", "page"):
        yield {"network": "digits", **_handwriting(recognizer, kind)}


def _sets(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    metrics = recognizer.network.passport.metrics
    by_seed = metrics.get("test_accuracy_by_seed", [])
    if by_seed:
        yield {
            "figure": round(100 * float(np.mean(by_seed)), 3),
            "unit": "% of MNIST test, mean",
            "seeds": len(by_seed),
        }
    mnist, kmnist = load("mnist", "test"), load("kmnist", "test")
    probabilities, scores = _classify(recognizer, mnist.images.numpy())
    labels = mnist.labels.numpy()
    yield {"figure": _percent(probabilities.argmax(1) == labels), "unit": "% of MNIST test right", "n": len(labels)}
    yield {"figure": _percent(scores < recognizer.threshold), "unit": "% of MNIST test refused", "n": len(labels)}
    yield {"figure": round(metrics["test_ece"], 5), "unit": "expected calibration error, MNIST test"}
    strange_probabilities, strange_scores = _classify(recognizer, kmnist.images.numpy())
    n = len(strange_scores)
    yield {"figure": _percent(strange_scores < recognizer.threshold), "unit": "% of KMNIST test refused", "n": n}
    for what, known, strange in (
        ("score", scores, strange_scores),
        ("softmax threshold alone", probabilities.max(1), strange_probabilities.max(1)),
    ):
        level = np.quantile(known, REFUSED_OF_MNIST)
        unit = "% of KMNIST test refused where 0.5 % of MNIST test is"
        yield {"figure": _percent(strange < level), "unit": unit, "by": what, "n": n}
    yield from _usps(recognizer)


def _usps(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    """Digits from envelopes, each as a picture with a margin of paper through the whole pipeline."""
    usps = load("usps", "test")
    pictures = np.pad(usps.images.numpy(), ((0, 0), (MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX)))
    said = [[symbol.label for symbol in recognizer.read(picture).symbols] for picture in pictures]
    wanted = [[usps.classes[label]] for label in usps.labels]
    right = np.array([s == w for s, w in zip(said, wanted, strict=True)])
    refused = np.array([not s for s in said])
    yield {"figure": _percent(right), "unit": "% of USPS test read right", "n": len(said), "refused": _percent(refused)}


def _classify(recognizer: Recognizer, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [recognizer.classify(images[i : i + BATCH].astype(np.float32) / 255) for i in range(0, len(images), BATCH)]
    return np.concatenate([p for p, _ in parts]), np.concatenate([s for _, s in parts])


def _percent(share: np.ndarray) -> float:
    return round(100 * float(np.mean(share)), 3)


def _handwriting(recognizer: Recognizer, kind: str) -> dict[str, Any]:
    """Digits of many people, whole pictures through the whole pipeline."""
    root = data_dir() / "handwriting"
    wanted = _labels(root, kind)
    edits = right = wrong = 0
    for file, label in wanted:
        said = "".join(r.label or "" for r in recognizer.read(read_picture(file)).symbols)
        edits += edit_distance(label, said)
        right += said == label
        wrong += len(said) == len(label) and said != label
    n, symbols = len(wanted), sum(len(label) for _, label in wanted)
    if kind == "single":
        unit = "% of people's single digits right"
        return {"figure": round(100 * right / n, 2), "unit": unit, "n": n, "wrong": wrong, "other": n - right - wrong}
    return {"figure": round(100 * edits / symbols, 2), "unit": "% symbol errors on people's pages", "symbols": symbols}


def _labels(root: Path, kind: str) -> list[tuple[Path, str]]:
    try:
        with open(root / "labels.csv", encoding="utf-8", newline="") as file:
            rows = [r for r in csv.DictReader(file) if r["file"].startswith("digits/") and r["kind"] == kind]
    except OSError as error:
        raise DataError(f"{root}/labels.csv is missing: set INKLING_DATA to the folder with `handwriting`.") from error
    return [(root / r["file"], r["label"].replace("/", "").replace(" ", "")) for r in rows]


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: insertions, deletions and exchanges that turn `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]

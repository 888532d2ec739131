"""How well Greek letters are read: by `greek`, and after 27 pictures of three; what other symbols need and cost."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.bench import kept, symbols
from core.data import Samples, load
from core.errors import DataError
from core.networks import open_network
from core.paths import data_dir
from core.reading import open_recognizer
from core.training.fit import predict
from core.transfer import METHODS
from core.transfer.features import forget_features
from core.transfer.letters import largest_symbol, read_letters
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.validation import cross_validate

TAUGHT = ("alpha", "beta", "gamma")


def run() -> Iterator[dict[str, Any]]:
    """Needs the Greek letters and the pictures of people's handwriting."""
    greek = open_recognizer("greek")
    test = load("greek24", "test")
    answers, _ = greek.classify(test.images.numpy().astype(np.float32) / 255)
    right = float((answers.argmax(1) == test.labels.numpy()).mean())
    yield {"what": "greek: cells of unseen writers, faulty ones too", "figure": _percent(right), "unit": "% right",
           "n": len(test)}  # fmt: skip
    people = _handwriting(greek.classes)
    answers, scores = greek.classify(people.images.numpy().astype(np.float32) / 255)
    yield {
        "what": "greek: letters on photos, scans and drawings of people",
        "figure": _percent(float((answers.argmax(1) == people.labels.numpy()).mean())),
        "unit": "% right",
        "refused": _percent(float((scores < greek.threshold).mean())),
        "n": len(people),
    }
    for name in ("digits", "greek"):
        yield from _taught(name)
    yield from symbols.run()
    yield from kept.run()


def _taught(name: str, methods: tuple[str, ...] = METHODS) -> Iterator[dict[str, Any]]:
    letters, people = read_letters(data_dir() / "greek_train").samples, _handwriting(TAUGHT)
    source = open_network(name).module()
    for method in methods:
        forget_features()  # each method pays for its own features
        config = TransferConfig(method)
        started = time.perf_counter()
        *_, taught = teach(source, letters, config)
        taught_s = time.perf_counter() - started
        validation = cross_validate(source, letters, config)
        seconds = time.perf_counter() - started
        assert isinstance(taught, Taught)
        assert validation is not None
        logits = predict(taught.network, people)
        assert logits is not None
        yield {
            "what": f"{name} taught three letters from {len(letters)} pictures: {method}",
            "figure": _percent((logits.argmax(1) == people.labels).float().mean().item()),
            "unit": "% of other people's right",
            "n": len(people),
            "cross_validated": _percent(validation.accuracy),
            "how": validation.kind,
            "seconds": round(taught_s, 2),
            "seconds_with_cross_validation": round(seconds, 2),
        }


def _handwriting(classes: tuple[str, ...]) -> Samples:
    """The pictures of one letter of these classes; one that no symbol is found on is an empty glyph, read wrongly."""
    table = data_dir() / "handwriting" / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["kind"] == "single" and row["label"] in classes]
    except OSError as error:
        raise DataError(
            f"{table} cannot be read ({error.strerror}); set INKLING_DATA to a folder that has it."
        ) from error
    glyphs = [_glyph(table.parent / row["file"]) for row in rows]
    images = torch.from_numpy(np.rint(np.stack(glyphs) * 255).astype(np.uint8))
    return Samples("handwriting", "test", images, torch.tensor([classes.index(row["label"]) for row in rows]), classes)


def _glyph(file: Path) -> np.ndarray:
    found = largest_symbol(file)
    return np.zeros((28, 28), np.float32) if found is None else found


def _percent(share: float) -> float:
    return round(100 * share, 2)

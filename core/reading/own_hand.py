"""The user's own hand: digits that they wrote themselves, kept as a test set that no network has ever seen."""

import io
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.data.alphabet import DIGITS
from core.data.strokes import SIZE
from core.errors import DataError, NetworkError, PictureError
from core.networks.store import unwritable, write_together
from core.networks.trash import Deleted, list_trash, put_back, throw_away
from core.paths import home_dir
from core.reading.recognizer import Recognizer
from core.reading.segment import segment
from core.reading.types import Segment

if TYPE_CHECKING:
    from core.data import Samples

LABELS = tuple(DIGITS)
SHEET = "".join(LABELS)
KIND = "own-hand"
FILES = "[0-9]/*.png"
NAME_PATTERN = re.compile(r"[0-9]/[0-9a-f-]+\.png")
MAX_BYTES = 10_000  # a glyph as PNG takes a few hundred


@dataclass(frozen=True, eq=False)
class OwnSample:
    """One digit of the user's."""

    name: str  # to remove it by
    label: str
    glyph: np.ndarray  # (28, 28) float32 in [0, 1]


@dataclass(frozen=True, eq=False)
class OwnHandScore:
    """How one network reads the user's own digits; a refused digit counts as right where its likeliest class is.

    So the accuracy compares with the passport's, for which nothing was refused either.
    """

    samples: tuple[OwnSample, ...]
    predictions: tuple[str, ...]  # the likeliest class of each
    confidences: np.ndarray  # (N,) its calibrated probability
    refused: np.ndarray  # (N,) bool: looks like no class of the network's
    test_accuracy: float | None  # on the test set of the passport, where it says so

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sample.label for sample in self.samples)

    @property
    def glyphs(self) -> np.ndarray:
        """What the network saw, `(N, 28, 28) float32`."""
        return np.stack([sample.glyph for sample in self.samples])

    @property
    def right(self) -> int:
        return sum(a == b for a, b in zip(self.predictions, self.labels, strict=True))

    @property
    def of(self) -> int:
        return len(self.samples)

    @property
    def accuracy(self) -> float:
        return self.right / self.of

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on very many such digits lies, with 95 % confidence."""
        from core.training.results import wilson

        return wilson(self.right, self.of)

    @property
    def gap_points(self) -> float | None:
        """The own-hand gap: how many percentage points the accuracy lies below that on the network's test set."""
        return None if self.test_accuracy is None else 100 * (self.test_accuracy - self.accuracy)


def read_sheet(image: np.ndarray, expected: str = SHEET) -> list[np.ndarray]:
    """The glyphs of the symbols on one picture, in reading order; as many as `expected` names, one sign each.

    Raises `PictureError` where there are more or fewer.
    """
    segments = segment(image).segments
    found = [s for s in segments if s.reason is None]
    if len(found) != len(expected):
        unclear = f", and {len(segments) - len(found)} that cannot be used" if len(segments) > len(found) else ""
        raise PictureError(
            f"{len(found)} symbols were found{unclear}, but {len(expected)} are expected ({expected} in reading "
            "order); write them large and well apart on an empty sheet, and show the whole sheet."
        )
    return [s.glyph for s in found]


def read_single(image: np.ndarray) -> np.ndarray:
    """The glyph of a picture's only symbol, or of its largest; raises `PictureError` where there is none."""
    segments = segment(image).segments
    found = [s for s in segments if s.reason is None]
    if not found:
        came = f"what is there is {segments[0].reason}" if segments else "the picture is empty"
        raise PictureError(f"No symbol was found: {came}; write one digit, large and in the middle.")
    return max(found, key=_size).glyph


def _size(found: Segment) -> int:
    return max(found.box[2:])


def add_own_hand(labels: Sequence[str], glyphs: Sequence[np.ndarray]) -> list[str]:
    """Keeps the user's digits, all or none; the names that `remove_own_hand` knows them by."""
    if len(labels) != len(glyphs):
        raise DataError(f"Each glyph needs its label: {len(glyphs)} glyphs came with {len(labels)} labels.")
    if unknown := [label for label in labels if label not in LABELS]:
        raise DataError(f"{unknown[0]!r} is no digit; the own hand's labels are {', '.join(LABELS)}.")
    moment = f"{time.time_ns():020}-{secrets.token_hex(4)}"  # sorted, and another one for everybody who writes now
    names = [f"{label}/{moment}-{number:04}.png" for number, label in enumerate(labels)]
    files = {name: _png(glyph) for name, glyph in zip(names, glyphs, strict=True)}
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        write_together(_folder(), files)
    except OSError as error:
        raise unwritable(_folder(), error) from error
    return names


def list_own_hand() -> list[OwnSample]:
    """The user's digits in the order they came; files that are no glyphs are left out."""
    samples = [_sample(file) for file in _files()]
    return [sample for sample in samples if sample]


def load_own_hand() -> "Samples | None":
    """The user's digits as a test set; None before there are any."""
    import torch

    from core.data import Samples

    files, samples = _files(), list_own_hand()
    if not samples:
        return None
    images = np.rint(np.stack([s.glyph for s in samples]) * 255).astype(np.uint8)
    labels = torch.tensor([LABELS.index(s.label) for s in samples])
    set_ = Samples(KIND, "test", torch.from_numpy(images), labels, LABELS)
    damaged = len(files) - len(samples)
    return replace(set_, notes=(f"{damaged} damaged files were left out.",)) if damaged else set_


def remove_own_hand(names: Sequence[str]) -> str:
    """Moves some of the user's digits to the trash; the token for `undo_own_hand`."""
    files = [_folder() / name for name in names if NAME_PATTERN.fullmatch(name)]
    if len(files) < len(names) or not files or not all(file.is_file() for file in files):
        raise DataError("These digits are not in your own test set any more; load the page anew to see what is.")
    return _throw_away(files)


def clear_own_hand() -> str:
    """Moves all of the user's digits to the trash; the token for `undo_own_hand`."""
    files = _files()
    if not files:
        raise DataError("Your own test set is empty; there is nothing to clear.")
    return _throw_away(files)


def _throw_away(files: Sequence[Path]) -> str:
    try:
        return throw_away(files, _folder(), KIND)
    except OSError as error:
        raise unwritable(_folder(), error) from error


def undo_own_hand(token: str) -> None:
    """Puts removed digits back; raises `InklingError` when they are no longer in the trash."""
    put_back(token, _folder(), FILES)


def list_removed() -> list[Deleted]:
    """The digits in the trash, the latest removal first."""
    return list_trash(KIND, FILES)


def score_own_hand(recognizer: Recognizer) -> OwnHandScore | None:
    """How a network reads the user's digits; None before there are any.

    Raises `NetworkError` for a network that does not know all ten digits.
    """
    passport = recognizer.network.passport
    if missing := [label for label in LABELS if label not in recognizer.classes]:
        raise NetworkError(
            f"The network {passport.name!r} does not know {', '.join(missing)}; the own hand needs one that reads all "
            "ten digits, such as 'digits'."
        )
    samples = tuple(list_own_hand())
    if not samples:
        return None
    probabilities, scores = recognizer.classify(np.stack([s.glyph for s in samples]))
    best = probabilities.argmax(axis=1)
    return OwnHandScore(
        samples,
        tuple(recognizer.classes[i] for i in best),
        probabilities.max(axis=1),
        scores < recognizer.threshold,
        passport.metrics.get("test_accuracy"),
    )


def _folder() -> Path:
    return home_dir() / "own-hand"


def _files() -> list[Path]:
    return sorted(_folder().glob(FILES), key=lambda file: file.name)


def _png(glyph: np.ndarray) -> bytes:
    glyph = np.asarray(glyph)
    if glyph.shape != (SIZE, SIZE) or not np.issubdtype(glyph.dtype, np.floating):
        raise PictureError(f"A glyph is ({SIZE}, {SIZE}) float, not {glyph.shape} {glyph.dtype}.")
    if not (np.isfinite(glyph).all() and glyph.min() >= 0 and glyph.max() <= 1 and glyph.any()):
        raise PictureError("A glyph holds ink from 0 to 1, and some at least; this one is empty or out of range.")
    out = io.BytesIO()
    Image.fromarray(np.rint(glyph * 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _sample(file: Path) -> OwnSample | None:
    """The glyph in a file; None for whatever else somebody put there."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        with Image.open(file, formats=("PNG",)) as image:
            if image.size != (SIZE, SIZE) or image.mode != "L":
                return None
            pixels = np.asarray(image)
    except Exception:  # a decoder meets damage in its own ways; each means the same
        return None
    return OwnSample(f"{file.parent.name}/{file.name}", file.parent.name, pixels.astype(np.float32) / 255)

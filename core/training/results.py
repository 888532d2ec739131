"""What a network does on a test set: accuracy with its interval, confusions, calibration, single answers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from core.data import Samples
from core.errors import NetworkError
from core.networks import TrainedNetwork
from core.training.calibration import BINS, expected_calibration_error

BATCH = 500  # samples an answer: enough to be fast, few enough for a progress bar that moves

Progress = Callable[[int, int], None]  # (done, of how many)


@dataclass(frozen=True)
class ClassFigures:
    """How one class fares; a share of nothing (never predicted, no samples) is not a number."""

    label: str
    precision: float  # of what is read as this class, the share that is it
    recall: float  # of what is this class, the share that is read as it
    f1: float
    support: int  # samples of this class


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Confidence against accuracy in `BINS` bins of equal width; empty bins hold NaN."""

    confidence: np.ndarray  # (BINS,) mean of the bin
    accuracy: np.ndarray  # (BINS,)
    count: np.ndarray  # (BINS,)


@dataclass(frozen=True, eq=False)
class TestResult:
    """All figures of a network on one test set; `logits` are `(N, C)` as the network gave them, not yet scaled."""

    logits: np.ndarray
    labels: np.ndarray  # (N,) indices into classes
    classes: tuple[str, ...]
    temperature: float

    __test__ = False  # pytest takes every class of such a name for tests

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.logits.argmax(axis=1)

    @cached_property
    def right(self) -> np.ndarray:
        """`(N,) bool`."""
        return self.predicted == self.labels

    @cached_property
    def probabilities(self) -> np.ndarray:
        """`(N, C)`, calibrated: what the app shows as confidence."""
        return softmax(self.logits / self.temperature, axis=1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """`(N,)`: the probability of the answer given."""
        return self.probabilities.max(axis=1)

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on very many such samples lies, with 95 % confidence (Wilson 1927)."""
        return wilson(int(self.right.sum()), len(self))

    @cached_property
    def confusion(self) -> np.ndarray:
        """`(C, C)` counts: a row for each true class, a column for each answer."""
        return confusion_matrix(self.labels, self.predicted, labels=np.arange(len(self.classes)))

    @cached_property
    def per_class(self) -> tuple[ClassFigures, ...]:
        known = np.arange(len(self.classes))
        figures = precision_recall_fscore_support(
            self.labels, self.predicted, labels=known, average=None, zero_division=np.nan
        )
        return tuple(
            ClassFigures(label, float(precision), float(recall), float(f1), int(support))
            for label, precision, recall, f1, support in zip(self.classes, *figures, strict=True)
        )

    @cached_property
    def calibration(self) -> CalibrationCurve:
        confidence = self.confidence.astype(np.float32)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        count = np.bincount(bins, minlength=BINS)
        size = np.where(count > 0, count, np.nan)
        return CalibrationCurve(
            np.bincount(bins, confidence, BINS) / size, np.bincount(bins, self.right, BINS) / size, count
        )

    @cached_property
    def calibration_error(self) -> float:
        return expected_calibration_error(
            torch.from_numpy(self.probabilities.astype(np.float32)), torch.from_numpy(self.labels)
        )

    def most_confident_mistakes(self, count: int) -> np.ndarray:
        """Positions of the wrong answers that were given with most confidence, the surest first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")][:count]

    def cell(self, true: int, predicted: int) -> np.ndarray:
        """Positions of the samples that one cell of the confusion matrix counts."""
        return np.flatnonzero((self.labels == true) & (self.predicted == predicted))

    def first_outputs(self, count: int = 10) -> list["Outputs"]:
        """The network's own answers to the first samples, as the course asks for them."""
        rows = log_softmax(self.logits[:count].astype(np.float64), axis=1)
        return [
            Outputs(tuple(float(v) for v in np.round(row, 2) + 0.0), int(row.argmax()), int(label))
            for row, label in zip(rows, self.labels, strict=False)
        ]


@dataclass(frozen=True)
class Outputs:
    log_probabilities: tuple[float, ...]  # to two decimals
    index: int  # of the largest
    true: int


def result_of(logits: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], temperature: float = 1.0) -> TestResult:
    """The figures for answers `(N, C)` to samples with these labels; raises `ValueError` where they do not fit."""
    logits, labels = np.asarray(logits), np.asarray(labels, dtype=np.int64)
    if logits.shape != (len(labels), len(classes)) or not len(labels):
        raise ValueError(f"{len(labels)} labels and {len(classes)} classes do not fit logits of shape {logits.shape}.")
    return TestResult(logits, labels, tuple(classes), temperature)


def logits_of(trained: TrainedNetwork, samples: Samples, progress: Progress | None = None) -> np.ndarray:
    """The network's `(N, C)` logits for all samples, by ONNX Runtime; `progress(done, total)` after each batch."""
    expected = trained.passport.classes
    if expected != samples.classes:
        raise NetworkError(
            f"The network {trained.name!r} tells {_some(expected)} apart, but {samples.name!r} holds "
            f"{_some(samples.classes)}; test it on samples of its own classes."
        )
    if trained.passport.reads_glyphs == samples.is_table:
        wants, has = ("glyphs", "rows of a table") if samples.is_table else ("rows of a table", "glyphs")
        raise NetworkError(f"The network {trained.name!r} reads {wants}, but {samples.name!r} holds {has}.")
    batches = []
    for start in range(0, len(samples), BATCH):
        inputs = samples.inputs[start : start + BATCH].numpy()
        batches.append(trained.logits(inputs if samples.is_table else inputs.astype(np.float32) / 255))
        if progress is not None:
            progress(min(start + BATCH, len(samples)), len(samples))
    return np.concatenate(batches)


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score."""
    interval = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _some(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:3]) + (f", … ({len(classes)} classes)" if len(classes) > 3 else "")

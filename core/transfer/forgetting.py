"""What a network forgets of what it read before, when it learns letters besides."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from core.data import Samples
from core.errors import InklingError
from core.networks import TrainedNetwork
from core.networks.base import Network, as_input
from core.training.comparison import Candidate, Difference, compare
from core.training.fit import StopEvent
from core.training.results import TestResult, result_of
from core.training.tested import held_out
from core.transfer.letters import Letters
from core.transfer.rehearsal import Rehearsal
from core.transfer.validation import CrossValidation, Validating

BATCH = 500
LOOK_ALIKE = {"omicron": "0", "iota": "1"}  # letters that are, to look at, a digit


@dataclass(frozen=True)
class ClassLoss:
    """One of the source's classes; accuracies in [0, 1]."""

    label: str
    before: float
    after: float
    count: int


@dataclass(frozen=True)
class Mixup:
    """So many samples of `actual` are read as `predicted`, one being a class of before and the other a letter."""

    actual: str
    predicted: str
    count: int


@dataclass(frozen=True, eq=False)
class Forgetting:
    """The source's own test set, read by the network before and after."""

    test_name: str
    before: TestResult
    after: TestResult
    difference: Difference  # the same samples twice: McNemar's exact test
    per_class: tuple[ClassLoss, ...]  # what has lost most first
    taken: tuple[Mixup, ...]  # test samples that are read as letters, and letters (cross-validated) as what was before
    rehearsal: Rehearsal
    look_alikes: tuple[tuple[str, str], ...]  # letters that are one of the source's classes to look at

    @property
    def lost(self) -> float:
        """Accuracy lost, in [-1, 1]; below zero where it was gained."""
        return self.before.accuracy - self.after.accuracy

    @property
    def lost_interval(self) -> tuple[float, float]:
        """95 %, Bonett and Price's for the same samples."""
        low, high = self.difference.low, self.difference.high
        return (low, high) if self.difference.first == "before" else (-high, -low)

    @property
    def sentences(self) -> tuple[str, ...]:
        warnings = [
            f"{letter} looks like a {digit}: where both are read, one of them is lost. Leave {letter} out, or let the "
            "context decide."
            for letter, digit in self.look_alikes
        ]
        return (self.rehearsal.sentence, *warnings)


def measure_forgetting(
    source: TrainedNetwork,
    before: Network,
    after: Network,
    letters: Letters,
    rehearsal: Rehearsal,
    validation: CrossValidation | None,
    stop: StopEvent | None = None,
) -> Generator[Validating, None, Forgetting | None]:
    """Tells how far it is; returns None after a stop, and where the source's test set cannot be had."""
    try:
        test = held_out(source.passport)
    except InklingError:
        return None
    if test.classes != rehearsal.known:
        return None
    results = []
    for number, network in enumerate((before, after)):
        logits = []
        for start in range(0, len(test), BATCH):
            if stop is not None and stop.is_set():
                return None
            yield Validating(number * len(test) + start, 2 * len(test), "what was forgotten")
            with torch.inference_mode():
                logits.append(network.logits(as_input(test.images[start : start + BATCH])).numpy())
        results.append(np.concatenate(logits))
    yield Validating(2 * len(test), 2 * len(test), "what was forgotten")
    return forgetting_of(test, results[0], results[1], letters, rehearsal, validation)


def forgetting_of(
    test: Samples,
    before: np.ndarray,
    after: np.ndarray,
    letters: Letters,
    rehearsal: Rehearsal,
    validation: CrossValidation | None = None,
) -> Forgetting:
    """From the logits `(N, C)` and `(N, C + n)` for the test samples."""
    labels = test.labels.numpy()
    old, new = result_of(before, labels, rehearsal.known), result_of(after, labels, rehearsal.classes)
    candidates = [Candidate("before", old, test.sha256), Candidate("after", new, test.sha256)]
    losses = [
        ClassLoss(label, float(old.right[own].mean()), float(new.right[own].mean()), int(own.sum()))
        for number, label in enumerate(rehearsal.known)
        if (own := labels == number).any()
    ]
    return Forgetting(
        f"{test.name} {test.part}",
        old,
        new,
        compare(candidates).differences[0],
        tuple(sorted(losses, key=lambda loss: loss.after - loss.before)),
        _mixups(new, validation, rehearsal),
        rehearsal,
        tuple(
            (letter, digit)
            for letter, digit in LOOK_ALIKE.items()
            if letter in letters.samples.classes and digit in rehearsal.known
        ),
    )


def _mixups(result: TestResult, validation: CrossValidation | None, rehearsal: Rehearsal) -> tuple[Mixup, ...]:
    """Answers across the border between what was read before and the letters, the most frequent first."""
    actual, predicted = result.labels, result.predicted
    if validation is not None:
        actual = np.concatenate([actual, validation.labels.numpy()])
        predicted = np.concatenate([predicted, validation.logits.argmax(1).numpy()])
    border = len(rehearsal.known)
    across = (actual < border) != (predicted < border)
    pairs, counts = np.unique(np.stack([actual[across], predicted[across]]), axis=1, return_counts=True)
    found = [
        Mixup(rehearsal.classes[a], rehearsal.classes[p], int(count))
        for (a, p), count in zip(pairs.T, counts, strict=True)
    ]
    return tuple(sorted(found, key=lambda mixup: -mixup.count))

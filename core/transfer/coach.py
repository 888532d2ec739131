"""Which letters to draw more of, and what it gained when they were drawn.

The choice is a heuristic: of each letter's errors (those of others that are taken for it count as well) a sample more
takes away as much as errors fall with the number of samples elsewhere, about as n^-0.7. A handful of answers tells
little about a single letter, so most of what is expected is the mean of all letters: those with fewest samples are
filled up first, then errors decide between letters with as many. Asking for many samples of a few letters gained less.
"""

from dataclasses import dataclass

import numpy as np
import torch

from core.reading import written
from core.training.calibration import fit_temperature
from core.training.comparison import Candidate, Difference, compare
from core.training.results import TestResult, result_of
from core.transfer.attempt import Attempt
from core.transfer.heads import embed
from core.transfer.learning_curve import PRIOR_POWER
from core.transfer.letters import Letters
from core.transfer.validation import CrossValidation

BUDGET = 12  # drawings that a person makes at a stretch
SPREAD = 0.9  # part of a letter's expected errors that is the mean of all letters
PRIOR_SAMPLES = 3.0  # a letter's errors are drawn to the mean of all, as if it had so many samples more
SOFT = 0.5  # part of the errors that is doubt: the probability that went elsewhere, answers that were right included
WIDE = 1.3  # times the usual spread, from which it is told as a reason
SEEN = 2  # reasons that are told


@dataclass(frozen=True)
class Request:
    """`count` more samples of a letter are asked for."""

    label: str
    count: int
    because: str  # a sentence


@dataclass(frozen=True)
class Gain:
    """Accuracy after minus before, in [-1, 1], with its 95 % interval."""

    difference: float
    low: float
    high: float
    p_value: float
    count: int  # samples that were asked
    asked: str  # what was asked: "test", "letters in common" or "letters"

    @property
    def decided(self) -> bool:
        """Whether the samples tell better from worse at 5 %."""
        return self.p_value < 0.05 and (self.low > 0 or self.high < 0)

    @property
    def sentence(self) -> str:
        what = {
            "test": f"the same {self.count} test samples",
            "letters in common": f"the {self.count} letters that were there before",
            "letters": "different letters before and after, so the comparison is rough",
        }[self.asked]
        points = f"{self.difference * 100:+.1f} points ({self.low * 100:+.1f} to {self.high * 100:+.1f})"
        if self.difference == 0:
            return f"No gain: {points}, on {what}."
        word = "gain" if self.difference > 0 else "loss"
        doubt = "" if self.decided else "; so few samples cannot tell it from chance"
        return f"A {word} of {points}, on {what}{doubt}."


@dataclass(frozen=True, eq=False)
class _Answers:
    """What was asked of whom: probabilities `(M, C)` for samples with these labels `(M,)` of these classes."""

    probabilities: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]


def advise(measured: Attempt | CrossValidation, letters: Letters, budget: int = BUDGET) -> tuple[Request, ...]:
    """`budget` samples, the most wanted letter first; `letters` are those that taught."""
    samples = letters.samples
    sizes = torch.bincount(samples.labels, minlength=len(samples.classes)).numpy()
    need, answers = _need(measured, letters)
    wanted = _share_out(need, sizes, budget)
    spread = _spread(measured, letters)
    order = sorted(wanted, key=lambda number: (-wanted[number], -need[number]))
    return tuple(
        Request(samples.classes[number], wanted[number], _because(number, sizes, spread, answers, samples.classes))
        for number in order
    )


def _need(measured: Attempt | CrossValidation, letters: Letters) -> tuple[np.ndarray, _Answers | None]:
    """How much goes wrong with each letter, `(C,)` in [0, 1]; with what was asked, where anything was."""
    classes = letters.samples.classes
    validation = measured.validation if isinstance(measured, Attempt) else measured
    if validation is None:
        return np.full(len(classes), 0.5), None
    own = measured.classes if isinstance(measured, Attempt) else classes
    temperature = fit_temperature(validation.logits, validation.labels)
    answers = _Answers((validation.logits / temperature).softmax(1).numpy(), validation.labels.numpy(), own)
    wrong = np.zeros(len(classes))
    asked = np.zeros(len(classes))
    hard = np.eye(len(own))[answers.probabilities.argmax(1)]
    given = SOFT * answers.probabilities + (1 - SOFT) * hard  # (M, C)
    for number, label in enumerate(classes):
        column = own.index(label)
        mine = answers.labels == column
        asked[number] = mine.sum()
        wrong[number] = ((1 - given[mine, column]).sum() + given[~mine, column].sum()) / 2
    mean = wrong.sum() / max(asked.sum(), 1)
    return np.minimum((wrong + PRIOR_SAMPLES * mean) / (asked + PRIOR_SAMPLES), 1), answers


def _share_out(need: np.ndarray, sizes: np.ndarray, budget: int) -> dict[int, int]:
    """One sample after the other to the letter that is expected to gain most by it: class → samples."""
    own = need * sizes**PRIOR_POWER  # errors times n^0.7 is the same for any number of samples n
    scale = (1 - SPREAD) * own + SPREAD * (own.mean() or 1.0)  # without any doubt all are wanted alike
    wanted: dict[int, int] = {}

    def gain(number: int) -> float:
        there = sizes[number] + wanted.get(number, 0)
        return float(scale[number] * (there**-PRIOR_POWER - (there + 1) ** -PRIOR_POWER))

    for _ in range(budget):
        best = max(range(len(need)), key=gain)
        wanted[best] = wanted.get(best, 0) + 1
    return wanted


def _spread(measured: Attempt | CrossValidation, letters: Letters) -> np.ndarray | None:
    """How far each letter's samples lie from their mean in the embedding, the median of all letters being 1."""
    if not isinstance(measured, Attempt):
        return None
    rows, labels = embed(measured.network, letters.samples.images), letters.samples.labels
    own = [rows[labels == number] for number in range(len(letters.samples.classes))]
    # divided by n - 1: the mean of few lies too near to them
    spread = np.array([float((r - r.mean(0)).pow(2).sum() / max(len(r) - 1, 1)) ** 0.5 for r in own])
    middle = float(np.median(spread))
    return spread / middle if middle > 0 else None


def _because(
    number: int, sizes: np.ndarray, spread: np.ndarray | None, answers: _Answers | None, classes: tuple[str, ...]
) -> str:
    reasons = [] if answers is None else _mistakes(answers, classes[number])
    if sizes[number] == 1:
        reasons.insert(0, "there is one sample only, so whether others are read cannot be measured")
    elif sizes[number] <= sizes.max() / 2:
        reasons.append(f"there are {sizes[number]} samples of it only, and up to {sizes.max()} of others")
    if spread is not None and spread[number] >= WIDE:
        reasons.append(f"its samples differ more than others do ({spread[number]:.1f} times the usual spread)")
    if not reasons and answers is not None:
        reasons.append(_doubt(answers, classes[number]))
    said = " and ".join(reasons[:SEEN]) or "nothing was measured yet, so all letters are wanted alike"
    return f"{said[0].upper()}{said[1:]}."


def _mistakes(answers: _Answers, label: str) -> list[str]:
    column, read = answers.classes.index(label), answers.probabilities.argmax(1)
    mine = answers.labels == column
    said = []
    others = read[mine & (read != column)]
    if len(others):
        most = int(np.bincount(others).argmax())
        count = int((others == most).sum())
        said.append(f"{count} of {mine.sum()} {_were(count)} read as {written(answers.classes[most])}")
    taken = answers.labels[~mine & (read == column)]
    if len(taken):
        most = int(np.bincount(taken).argmax())
        count = int((taken == most).sum())
        said.append(f"{count} {written(answers.classes[most])} {_were(count)} read as {written(label)}")
    return said


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _doubt(answers: _Answers, label: str) -> str:
    column = answers.classes.index(label)
    mine = answers.probabilities[answers.labels == column]
    if not len(mine):
        return "it was not asked about"
    rivals = mine.mean(0)
    sure = float(rivals[column])
    rivals[column] = -1
    rival = written(answers.classes[int(rivals.argmax())])
    return f"all are read rightly, with a mean confidence of {sure:.0%}; what is nearest to it is {rival}"


def gain(before: Attempt, after: Attempt) -> Gain:
    """What the letters added since have brought.

    Asked are the same test samples where both have them, or else, by cross-validation, the letters that both were
    taught with: the new ones do not count, which may be easier or harder than the others.
    """
    first, second, what = _both(before, after)
    shared = "the same" if what != "letters" else ""
    candidates = [
        Candidate("before", first, shared or "before"),
        Candidate("after", second, shared or "after"),
    ]
    found: Difference = compare(candidates).differences[0]
    sign = 1 if found.first == "after" else -1
    low, high = sorted((sign * found.low, sign * found.high))
    return Gain(sign * found.difference + 0.0, low, high, found.p_value, len(second), what)  # + 0.0: never −0.0


def _both(before: Attempt, after: Attempt) -> tuple[TestResult, TestResult, str]:
    tests = before.test, after.test
    if tests[0] and tests[1] and tests[0].samples.sha256 == tests[1].samples.sha256:
        return _right(_hits(before)), _right(_hits(after)), "test"
    old, new = _validated(before), _validated(after)
    if both := [picture for picture in old if picture in new]:
        return _right([old[p] for p in both]), _right([new[p] for p in both]), "letters in common"
    return _right(_hits(before)), _right(_hits(after)), "letters"


def _validated(tried: Attempt) -> dict[str, bool]:
    """Picture → whether it was read rightly by a network that was taught without it."""
    if tried.validation is None:
        return {}
    pictures = [tried.letters.pictures[i] for i in tried.validation.index.tolist()]
    return dict(zip(pictures, tried.validation.right.tolist(), strict=True))


def _hits(tried: Attempt) -> list[bool]:
    return [prediction.predicted == prediction.actual for prediction in tried.predictions]


def _right(hits: list[bool]) -> TestResult:
    """As a test of two classes, so that the comparison of networks can be asked."""
    right = np.array(hits)
    logits = np.stack([right, ~right], 1).astype(float)
    return result_of(logits, np.zeros(len(right), int), ("right", "wrong"))

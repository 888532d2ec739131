"""Accuracy by number of samples per letter, and how it may go on: how many more would help.

The extension is a heuristic: errors of learners fall about as a power of the number of samples (Cortes et al. 1993,
Hestness et al. 2017), so the power is fitted and followed. `follow` says how far off that was where it was checked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from core.data import Samples
from core.networks.base import Network
from core.training.fit import StopEvent, predict
from core.training.results import wilson
from core.transfer.features import Features
from core.transfer.heads import nearest_means
from core.transfer.methods import Lesson, Taught, TransferConfig, features_for, learn, lesson_of
from core.transfer.neighbours import Vote
from core.transfer.validation import alike_numbers, deal

FOLDS = 5  # each letter is asked once a round, by networks that were taught without it
ROUNDS = {"prototypes": 10, "neighbours": 10, "head": 2, "top": 1}  # each draws other letters to teach with
STAND_IN = "head"  # measured in place of methods whose features are not frozen: hundreds of trainings take too long
SHARES = (0.1, 0.15, 0.25, 0.35, 0.5, 0.7, 1.0)  # of the samples there are, besides the small numbers
SMALL = (1, 2, 3, 5)
BEYOND = 4.0  # the extension reaches so many times as many samples
SHORTEST_CHECK = 3  # points that a power is fitted to
MOST_ADVISED = 100  # more samples than that are not advised: other letters, or another source, help more
HIGH_ENOUGH = 0.995
PRIOR_POWER, PRIOR_WEIGHT = 0.7, 4.0  # what powers are drawn to, where there is little to fit


@dataclass(frozen=True)
class PowerLaw:
    """The share of errors with `n` samples of each letter: `scale · n^-power`."""

    scale: float
    power: float

    def accuracy(self, counts: np.ndarray | float) -> np.ndarray:
        return 1 - np.minimum(self.scale * np.asarray(counts, float) ** -self.power, 1)


@dataclass(frozen=True)
class Check:
    """The extension put to the test: fitted to the smaller half, asked for the largest number measured."""

    upto: int  # samples a letter that it was fitted to
    at: int  # and that it was asked about
    expected: float
    measured: float


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """`(K,)` arrays; accuracies in [0, 1] on letters that were held out."""

    counts: np.ndarray  # samples of each letter that taught; of letters that have fewer, all
    accuracies: np.ndarray
    low: np.ndarray  # 95 %, Wilson's for as many letters as there are: drawing others to teach with adds none
    high: np.ndarray
    method: str  # that was measured; another than was asked for stands in for it, see `STAND_IN`
    letters: int  # that were asked
    expected: tuple[np.ndarray, np.ndarray] | None  # (counts, accuracies) beyond what is there
    check: Check | None  # None where there are too few points
    per_class: dict[str, np.ndarray]  # (K,) of each letter
    advice: tuple[str, ...]


def learning_curve(
    source: Network,
    letters: Samples,
    config: TransferConfig = TransferConfig(),
    stop: StopEvent | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> LearningCurve | None:
    """Cross-validated for each number of samples; features are computed once. None after a stop, or without a letter
    that has two samples.
    """
    method = config.method if config.is_frozen else STAND_IN
    config = replace(config, method=method, keep_classes=False)
    lesson = lesson_of(letters)
    features = features_for(source, lesson, config)
    assert features is not None  # of a frozen method
    alike, labels = alike_numbers(letters), letters.labels.numpy()
    counts = _counts(labels)
    if not len(counts):
        return None
    rounds = ROUNDS[method]
    right = np.zeros((len(counts), len(letters)))
    total, done = rounds * FOLDS * len(counts), 0
    for number in range(rounds):
        rng = np.random.default_rng([config.seed, number])
        for held_out in deal(labels, alike, FOLDS, rng):
            order = rng.permutation(np.setdiff1d(np.arange(len(labels)), held_out))
            for row, count in enumerate(counts):
                if stop is not None and stop.is_set():
                    return None
                tell(done, total)
                taught = _first_of_each(order, labels, count)
                right[row, held_out] += _hits(source, lesson, config, features, taught, held_out)
                done += 1
    tell(total, total)
    return _curve(counts, right / rounds, letters, method)


def _counts(labels: np.ndarray) -> np.ndarray:
    """The numbers of samples that are tried, up to what is left of the largest class when a fold is held out."""
    sizes = np.bincount(labels)
    sizes = sizes[sizes > 0]
    if sizes.max() < 2:
        return np.zeros(0, int)
    most = int(sizes.max() - np.ceil(sizes.max() / FOLDS))
    wanted = {*SMALL, *(round(most * share) for share in SHARES)}
    return np.array(sorted(count for count in wanted if 1 <= count <= most))


def _first_of_each(order: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """The first `count` positions of each class in that order, sorted."""
    chosen = [order[labels[order] == label][:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(chosen))


def _hits(
    source: Network,
    lesson: Lesson,
    config: TransferConfig,
    features: Features,
    taught: np.ndarray,
    held_out: np.ndarray,
) -> np.ndarray:
    """Which of the letters held out are read rightly, `(M,)`; one whose class taught nothing is not."""
    index, asked = torch.from_numpy(taught), torch.from_numpy(held_out)
    labels = lesson.letters.labels
    part = features.take(index)
    # the same answers as those of the networks that `learn` makes, but without them
    if config.method == "prototypes":
        return (_read(part, labels[index], features.own[asked]) == labels[asked]).numpy()
    if config.method == "neighbours":
        vote = Vote(part.own, labels[index], len(lesson.classes))
        return (vote(features.own[asked]).argmax(1) == labels[asked]).numpy()
    there = labels[index].unique()
    known = replace(  # a class that is held out as a whole cannot be read
        lesson.letters.take(index),
        labels=torch.searchsorted(there, labels[index]),
        classes=tuple(lesson.letters.classes[i] for i in there.tolist()),
    )
    *_, last = learn(source, Lesson(known, None), config, part)
    assert isinstance(last, Taught)
    answers = predict(last.network, lesson.letters.take(asked))
    assert answers is not None  # nobody stops this
    return (there[answers.argmax(1)] == labels[asked]).numpy()


def _read(features: Features, labels: Tensor, asked: Tensor) -> Tensor:
    """The classes `(M,)` whose letters' and copies' mean is nearest to each of the rows asked, `(M, D)`."""
    there, numbers = features.labels(labels, labels[:0]).unique(return_inverse=True)
    weight, bias = nearest_means(features.rows(), numbers, len(there))
    return there[(asked @ weight.T + bias).argmax(1)]


def _curve(counts: np.ndarray, right: np.ndarray, letters: Samples, method: str) -> LearningCurve:
    """`right` `(K, N)`: how often each letter was read rightly, in [0, 1]."""
    labels, n = letters.labels.numpy(), right.shape[1]
    accuracies = right.mean(1)
    bounds = np.array([wilson(round(float(share) * n), n) for share in accuracies])
    per_class = {
        label: right[:, labels == number].mean(1)
        for number, label in enumerate(letters.classes)
        if (labels == number).any()
    }
    law = follow(counts, accuracies, n)
    beyond = None
    if law is not None:
        more = np.unique(np.round(np.geomspace(counts[-1], counts[-1] * BEYOND, 9)).astype(int))
        beyond = (more, _joined(law, counts[-1], accuracies[-1], more))
    return LearningCurve(
        counts,
        accuracies,
        bounds[:, 0],
        bounds[:, 1],
        method,
        n,
        beyond,
        check_extension(counts, accuracies, n),
        per_class,
        _advice(counts, accuracies, per_class, np.bincount(labels, minlength=len(letters.classes)), law, letters),
    )


def follow(counts: np.ndarray, accuracies: np.ndarray, letters: int) -> PowerLaw | None:
    """The likeliest power law for these shares of so many letters; None for fewer than `SHORTEST_CHECK` points.

    Binomial likelihood, so that points without an error count as well, with a weak prior for the power (heuristic).
    """
    if len(counts) < SHORTEST_CHECK:
        return None
    n, errors = np.log(counts.astype(float)), (1 - accuracies) * letters

    def loss(parameters: np.ndarray) -> float:
        log_scale, power = parameters
        share = np.clip(np.exp(log_scale - power * n), 1e-6, 1 - 1e-6)
        likelihood = errors * np.log(share) + (letters - errors) * np.log(1 - share)
        return float(-likelihood.sum() + PRIOR_WEIGHT * (power - PRIOR_POWER) ** 2)

    start = np.array([np.log(np.clip(1 - accuracies[0], 0.01, 0.9)), PRIOR_POWER])
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 2000})
    return PowerLaw(float(np.exp(found.x[0])), float(np.clip(found.x[1], 0, 2)))


def check_extension(counts: np.ndarray, accuracies: np.ndarray, letters: int) -> Check | None:
    """What the smaller half would have made expect of the largest number; None where there are too few points."""
    smaller = counts <= counts[-1] / 2
    law = follow(counts[smaller], accuracies[smaller], letters)
    if law is None:
        return None
    last = counts[smaller][-1]
    expected = _joined(law, last, accuracies[smaller][-1], counts[-1:])[0]
    return Check(int(last), int(counts[-1]), float(expected), float(accuracies[-1]))


def _joined(law: PowerLaw, last: int, accuracy: float, counts: np.ndarray) -> np.ndarray:
    """The law's expectation, begun half way between the last point measured and itself: both are noisy."""
    at_last = float(law.accuracy(last))
    middle = 1 - (2 - at_last - accuracy) / 2
    scale = (1 - middle) / max(1 - at_last, 1e-9)
    return 1 - np.minimum((1 - law.accuracy(counts)) * scale, 1)


def _advice(
    counts: np.ndarray,
    accuracies: np.ndarray,
    per_class: dict[str, np.ndarray],
    sizes: np.ndarray,
    law: PowerLaw | None,
    letters: Samples,
) -> tuple[str, ...]:
    """How many more of which letter would about halve its errors; the letters that are read worst first."""
    from core.reading import written

    now = {label: float(shares[-1]) for label, shares in per_class.items() if shares[-1] < HIGH_ENOUGH}
    asked = len(letters)
    if not now:
        low = wilson(asked, asked)[0]
        return (
            f"All letters that were held out are read rightly with {counts[-1]} samples of each. More would only make "
            f"that surer: of {asked} right answers the interval begins at {low:.0%}.",
        )
    if law is None:
        return ("There are too few samples to say how many more would help; about five of each letter allow a guess.",)
    said = []
    for label, share in sorted(now.items(), key=lambda item: item[1])[:3]:
        size = int(sizes[letters.classes.index(label)])
        factor = 2 ** (1 / law.power) if law.power > 0.05 else np.inf
        if (more := size * (factor - 1)) > MOST_ADVISED:
            said.append(
                f"More samples of {written(label)} alone will hardly help ({share:.0%} of {size} are read rightly, and "
                "the curve is nearly flat): look at the wrong ones, or take another network or method."
            )
            continue
        said.append(
            f"About {max(1, round(more))} more samples of {written(label)} would help: {share:.0%} of {size} are read "
            f"rightly now, about {1 - (1 - share) / 2:.0%} then."
        )
    return tuple(said)

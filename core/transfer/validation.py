"""What a method really reaches: cross-validation, since accuracy on the letters that taught says nothing."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor

from core.data import Samples
from core.networks.base import Network
from core.training.fit import StopEvent, predict
from core.training.results import wilson
from core.transfer.features import Features
from core.transfer.methods import Lesson, Taught, TransferConfig, features_for, learn, lesson_of
from core.transfer.rehearsal import Rehearsal

MANY = 10
# As many folds as the method has time for; none more than the rarest letter has samples. One letter at a time is held
# out where that costs nothing. With fewer folds each network learns from less, so the figure is a little too low:
# three folds leave out a third of the letters where leave-one-out leaves out one.
LEAVE_ONE_OUT = ("prototypes", "neighbours")
FOLDS = {"prototypes": MANY, "neighbours": MANY, "head": 5, "top": 5, "finetune": 3, "scratch": 3}
ONE_BY_ONE = 60  # letters that are held out one at a time; of more there are `MANY` folds


@dataclass(frozen=True)
class Validating:
    """How far the measuring is."""

    done: int
    total: int
    what: str = "cross-validation"


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Every letter's answer by a network that was taught without it.

    A letter that is the only one of its class is not asked: without it, its class is unknown. `index` says which were.
    """

    logits: Tensor  # (M, C)
    labels: Tensor  # (M,) indices into the network's classes
    index: Tensor  # (M,) positions among the letters: all, in their order, where no class has one letter only
    folds: int
    left_out: tuple[str, ...] = ()  # classes with one letter only

    @property
    def right(self) -> np.ndarray:
        """`(M,) bool`."""
        return (self.logits.argmax(1) == self.labels).numpy()

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, Wilson's; it takes the answers for independent, which those of networks taught alike are not quite."""
        return wilson(int(self.right.sum()), len(self.labels))

    @property
    def kind(self) -> str:
        """How it was done, in words."""
        return "leave-one-out" if self.folds == len(self.labels) else f"{self.folds}-fold cross-validation"


def cross_validate(
    source: Network, letters: Samples, config: TransferConfig, rehearsal: Rehearsal | None = None
) -> CrossValidation | None:
    """As `validating`, without telling how far it is."""
    steps = validating(source, letters, config, rehearsal=rehearsal)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: CrossValidation | None = end.value
            return result


def validating(
    source: Network,
    letters: Samples,
    config: TransferConfig,
    stop: StopEvent | None = None,
    rehearsal: Rehearsal | None = None,
) -> Generator[Validating, None, CrossValidation | None]:
    """Stratified folds, each read by a network that the others taught with the same method.

    Pictures that are alike are held out together. Returns None where no letter can be held out, and after a stop.
    """
    lesson = lesson_of(letters, rehearsal)
    asked, single = _asked(letters)
    folds = _folds(letters, asked, config.method)
    if folds < 2:
        return None
    features = features_for(source, lesson, config)
    logits = torch.zeros(len(letters), len(lesson.classes))
    for done, held_out in enumerate(_split(letters, asked, folds, config.seed)):
        yield Validating(done, folds)
        answers = _answers(source, lesson, config, features, held_out, stop)
        if answers is None:
            return None
        logits[held_out] = answers
    yield Validating(folds, folds)
    return CrossValidation(logits[asked], lesson.letters.labels[asked], asked, folds, single)


def _answers(
    source: Network,
    lesson: Lesson,
    config: TransferConfig,
    features: Features | None,
    held_out: Tensor,
    stop: StopEvent | None,
) -> Tensor | None:
    """The logits of the letters held out; None after a stop."""
    rest = torch.ones(len(lesson.letters), dtype=torch.bool)
    rest[held_out] = False
    index = rest.nonzero()[:, 0]
    part = None if features is None else features.take(index)
    events = list(learn(source, lesson.without_others(index), config, part, stop=stop))
    if not events or not isinstance(last := events[-1], Taught):
        return None
    return predict(last.network, lesson.letters.take(held_out), stop)


def _asked(letters: Samples) -> tuple[Tensor, tuple[str, ...]]:
    """The positions of letters that can be held out, and the classes that have one letter only."""
    counts = torch.bincount(letters.labels, minlength=len(letters.classes))
    single = tuple(label for label, count in zip(letters.classes, counts.tolist(), strict=True) if count == 1)
    return (counts[letters.labels] > 1).nonzero()[:, 0], single


def _folds(letters: Samples, asked: Tensor, method: str) -> int:
    """How many; 0 where none can be made."""
    if not len(asked):
        return 0
    if method in LEAVE_ONE_OUT and len(asked) <= ONE_BY_ONE:
        return int(alike_numbers(letters.take(asked)).max()) + 1
    counts = torch.bincount(letters.labels[asked])
    return min(FOLDS[method], int(counts[counts > 0].min()))


def _split(letters: Samples, asked: Tensor, folds: int, seed: int) -> Iterator[Tensor]:
    """The positions that each fold holds out."""
    labels, alike = letters.labels[asked].numpy(), alike_numbers(letters.take(asked))
    if folds == alike.max() + 1:
        yield from (asked[torch.from_numpy(alike == number)] for number in range(folds))
        return
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for _, held_out in splitter.split(labels, labels, alike):
        yield asked[torch.from_numpy(held_out)]


def alike_numbers(letters: Samples) -> np.ndarray:
    """`(N,)`: the same number for glyphs that are the same pixel for pixel."""
    _, numbers = np.unique(letters.inputs.flatten(1).numpy(), axis=0, return_inverse=True)
    return numbers.ravel()


def deal(labels: np.ndarray, alike: np.ndarray, folds: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """As many folds as asked for, dealt class by class like cards, pictures that are alike together.

    For classes with fewer samples than folds, which a stratified splitter refuses.
    """
    place = np.zeros(len(labels), int)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        groups = rng.permutation(np.unique(alike[own]))
        first = rng.integers(folds)
        for number, group in enumerate(groups):
            place[own[alike[own] == group]] = (first + number) % folds
    yield from (held for fold in range(folds) if len(held := np.flatnonzero(place == fold)))

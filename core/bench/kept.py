"""What letters cost the digits that a network reads already, and whether the coach's choice beats chance."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from core.data import Samples, load
from core.networks import open_network
from core.networks.base import Network
from core.training.fit import predict
from core.transfer.attempt import Attempt, attempt
from core.transfer.coach import advise
from core.transfer.letters import Letters
from core.transfer.methods import Taught, TransferConfig, teach
from core.transfer.validation import cross_validate

LOOK_ALIKE = ("omicron", "iota")  # a zero and a one to look at
A_LETTER, ASKED = 100, 40  # samples of each letter that teach, and that are asked
KEEPING = ("prototypes", "head", "top")

START, BUDGET, AT_RANDOM = 3, 24, 8  # samples of each letter at first; samples drawn then; of so many random letters
COACHED = 12  # repetitions, with other samples
COACH_ASKED = 100  # test samples of each letter


def run() -> Iterator[dict[str, Any]]:
    yield from forgetting()
    yield from coaching()


def forgetting(methods: tuple[str, ...] = KEEPING) -> Iterator[dict[str, Any]]:
    """22 generated Greek letters besides the ten digits, tested on MNIST."""
    train, test = load("strokes-greek", "train"), load("strokes-greek", "test")
    letters, asked = (_letters(part, count) for part, count in ((train, A_LETTER), (test, ASKED)))
    for method in methods:
        started = time.perf_counter()
        *_, last = attempt(
            open_network("digits"), letters, TransferConfig(method, keep_classes=True, validate=False), asked
        )
        assert isinstance(last, Attempt)
        found = last.forgetting
        assert found is not None
        yield {
            "what": f"digits taught {len(letters.samples.classes)} Greek letters besides: {method}",
            "figure": round(100 * found.lost, 2),
            "unit": "points of the digits lost",
            "interval": [round(100 * bound, 2) for bound in found.lost_interval],
            "n": len(found.before),
            "letters_right": None if last.test_accuracy is None else round(100 * last.test_accuracy, 2),
            "rehearsed": len(found.rehearsal.samples),
            "seconds": round(time.perf_counter() - started, 1),
        }


def _letters(samples: Samples, count: int) -> Letters:
    names = tuple(label for label in samples.classes if label not in LOOK_ALIKE)
    chosen = _take(samples, [(samples.classes.index(label), count) for label in names], np.random.default_rng(0))
    numbers = torch.tensor([names.index(label) if label in names else -1 for label in samples.classes])
    own = replace(chosen, labels=numbers[chosen.labels], classes=names)
    return Letters(own, tuple(f"{samples.part} {i}" for i in range(len(own))))


def _take(samples: Samples, wanted: list[tuple[int, int]], rng: np.random.Generator) -> Samples:
    """So many samples of each class, at random."""
    labels = samples.labels.numpy()
    index = [rng.permutation(np.flatnonzero(labels == number))[:count] for number, count in wanted]
    return samples.take(torch.from_numpy(np.concatenate(index)))


def coaching() -> Iterator[dict[str, Any]]:
    """The same number of further samples of the letters that the coach names, of letters at random, and of all."""
    source = open_network("digits").module()
    gains: dict[str, list[float]] = {"the coach's letters": [], "letters at random": [], "all letters alike": []}
    for seed in range(COACHED):
        for who, share in _coached(source, seed).items():
            gains[who].append(100 * share)
    for who, found in gains.items():
        against = np.array(gains["the coach's letters"]) - found
        yield {
            "what": f"{BUDGET} more samples of {who}: accuracy after minus before",
            "figure": round(float(np.mean(found)), 2),
            "unit": "points, mean of repetitions",
            "n": COACHED,
            "spread": round(float(np.std(found, ddof=1)), 2),
            "the_coach_is_ahead_by": round(float(against.mean()), 2),
            "standard_error": round(float(against.std(ddof=1) / COACHED**0.5), 2),
        }


def _coached(source: Network, seed: int) -> dict[str, float]:
    train, test = load("strokes-greek", "train"), load("strokes-greek", "test")
    rng = np.random.default_rng(seed)
    classes = len(train.classes)
    asked = _take(test, [(number, COACH_ASKED) for number in range(classes)], rng)
    labels = train.labels.numpy()
    pools = [rng.permutation(np.flatnonzero(labels == number)) for number in range(classes)]
    config = TransferConfig("prototypes", seed=seed)

    def samples(more: np.ndarray) -> Samples:
        index = [pool[: START + count] for pool, count in zip(pools, more, strict=True)]
        return train.take(torch.from_numpy(np.concatenate(index)))

    def accuracy(more: np.ndarray) -> float:
        *_, last = teach(source, samples(more), config)
        assert isinstance(last, Taught)
        logits = predict(last.network, asked)
        assert logits is not None
        return (logits.argmax(1) == asked.labels).float().mean().item()

    first = samples(np.zeros(classes, int))
    validation = cross_validate(source, first, config)
    assert validation is not None
    coached = np.zeros(classes, int)
    for request in advise(validation, Letters(first, tuple(map(str, range(len(first))))), BUDGET):
        coached[train.classes.index(request.label)] = request.count
    chance = np.zeros(classes, int)
    chance[rng.choice(classes, AT_RANDOM, replace=False)] = BUDGET // AT_RANDOM
    before = accuracy(np.zeros(classes, int))
    return {
        "the coach's letters": accuracy(coached) - before,
        "letters at random": accuracy(chance) - before,
        "all letters alike": accuracy(np.full(classes, BUDGET // classes)) - before,
    }

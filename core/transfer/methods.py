"""How letters are taught: prototypes, neighbours, a new output layer, the dense layers, all layers, or from scratch."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.data import Samples
from core.errors import TrainingError
from core.networks.base import Network, build, count_parameters
from core.training.config import TrainingConfig
from core.training.fit import EpochDone, StopEvent, Trainer, predict
from core.transfer import METHODS
from core.transfer.features import Features, features_of, negatives_of, top_of
from core.transfer.heads import OnEmbeddings, as_table, embed, freeze_norms, output_layer, set_prototypes, with_classes
from core.transfer.neighbours import Neighbours
from core.transfer.rehearsal import Rehearsal

AN_EPOCH = 1000  # examples: every letter changed anew as often as it takes
BATCH = 64
# Two threads wait for one another wherever anything else has work to do: fine-tuning then took 1.4 to 2 times as long
# as with one, and in the app, beside a test run, minutes in place of seconds.
THREADS = 1
# Peak learning rates. Fine-tuning begins at the prototypes and has little to add: with `digits` as source and other
# letters than those it is tested with, 1e-4 read 96.1 % of people's letters and 88.6 % of form cells, 3e-4 98.7 and
# 89.5, 1e-3 99.5 and 86.5 (5 epochs; 5 and 4 sets of 3 to 8 letters, 9 samples of each taught).
RATES = {"finetune": 3e-4, "head": 1e-2, "top": 1e-3, "scratch": 3e-3}
FROZEN = ("prototypes", "neighbours", "head", "top")  # methods that leave all but the last layer or two as it is
PARTS = dict.fromkeys(METHODS, "embedding") | {"top": "top"}  # what of the network makes the features


@dataclass(frozen=True)
class TransferConfig:
    """What is done to teach letters."""

    method: str = "finetune"
    epochs: int = 8  # of prototypes and neighbours there are none
    seed: int = 0
    keep_classes: bool = False  # the network reads the source's classes too, which are rehearsed
    validate: bool = True  # cross-validation: what the method reaches on letters that it has not seen

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise TrainingError(f"The method must be one of {', '.join(METHODS)}, not {self.method!r}.")
        if not isinstance(self.epochs, int) or isinstance(self.epochs, bool) or self.epochs < 1:
            raise TrainingError(f"epochs must be a whole number of at least 1, not {self.epochs!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise TrainingError(f"seed must be a whole number of at least 0, not {self.seed!r}.")

    @property
    def is_frozen(self) -> bool:
        """Whether the features are the source's, so that they are computed once for all folds."""
        return self.method in FROZEN

    def training(self, network: Network) -> TrainingConfig:
        """The same as `Trainer` understands it."""
        return TrainingConfig(
            network=network.spec.architecture,
            epochs=self.epochs,
            batch_size=BATCH,
            learning_rate=RATES[self.method],
            optimizer="adam",
            weight_decay=1e-2,
            dropout=network.spec.dropout,
            cnn=network.spec.cnn,
            augmentation="none" if self.is_frozen else "handwriting",
            seed=self.seed,
            threads=THREADS,
        )


@dataclass(frozen=True, eq=False)
class Taught:
    """The last event: a network that reads the letters, in eval mode."""

    network: Network
    trainable: int  # parameters that were learned; all others are the source's
    first_perfect_epoch: int | None = None  # after which all letters were read rightly; None without epochs


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned: the letters, and samples of the classes that stay, numbered alike."""

    letters: Samples
    rehearsed: Samples | None  # none where only the letters are read afterwards

    @property
    def classes(self) -> tuple[str, ...]:
        return self.letters.classes

    @property
    def rehearsed_labels(self) -> Tensor:
        return self.letters.labels[:0] if self.rehearsed is None else self.rehearsed.labels

    def without_others(self, index: Tensor) -> "Lesson":
        """The same with these letters alone."""
        return replace(self, letters=self.letters.take(index))


def lesson_of(letters: Samples, rehearsal: Rehearsal | None = None) -> Lesson:
    """Raises `TrainingError` where a class has nothing to learn from."""
    if missing := [c for i, c in enumerate(letters.classes) if not (letters.labels == i).any()]:
        raise TrainingError(f"There is no picture of {missing[0]!r} to learn from; add one, or leave the class out.")
    if rehearsal is None:
        return Lesson(letters, None)
    numbers = torch.tensor([rehearsal.classes.index(label) for label in letters.classes])
    merged = replace(letters, labels=numbers[letters.labels], classes=rehearsal.classes)
    return Lesson(merged, rehearsal.samples)


def teach(
    source: Network,
    letters: Samples,
    config: TransferConfig = TransferConfig(),
    test: Samples | None = None,
    stop: StopEvent | None = None,
    rehearsal: Rehearsal | None = None,
) -> Iterator[EpochDone | Taught]:
    """Teaches a copy of `source` the letters; `test` is only measured (without one, the letters are).

    With `rehearsal` the network reads the source's classes too. An epoch is about `AN_EPOCH` letters, and as many
    rehearsed samples. After a stop the last event is no `Taught`. Raises `TrainingError` where a class has no letter.
    """
    lesson = lesson_of(letters, rehearsal)
    if rehearsal is not None and test is not None:
        test = lesson_of(test, rehearsal).letters
    yield from learn(source, lesson, config, features_for(source, lesson, config), test, stop)


def features_for(source: Network, lesson: Lesson, config: TransferConfig) -> Features | None:
    """What the method computes once for all folds; None for training from scratch, which has nothing frozen."""
    if config.method == "scratch":
        return None
    return features_of(source, PARTS[config.method], lesson.letters, lesson.rehearsed, config.seed)


def learn(
    source: Network,
    lesson: Lesson,
    config: TransferConfig,
    features: Features | None,
    test: Samples | None = None,
    stop: StopEvent | None = None,
) -> Iterator[EpochDone | Taught]:
    """As `teach`, with the features of the lesson (or of the letters of a fold of it)."""
    torch.manual_seed(config.seed)
    if config.is_frozen:
        assert features is not None
        yield from _learn_last(source, lesson, config, features, test, stop)
    else:
        yield from _learn_all(source, lesson, config, features, test or lesson.letters, stop)


def _learn_last(
    source: Network,
    lesson: Lesson,
    config: TransferConfig,
    features: Features,
    test: Samples | None,
    stop: StopEvent | None,
) -> Iterator[EpochDone | Taught]:
    """The last layer or two learn, on what the frozen rest makes of the glyphs: an epoch takes milliseconds."""
    network = with_classes(source, len(lesson.classes))
    if config.method == "neighbours":
        points = torch.cat([features.own, features.rehearsed])
        labels = torch.cat([lesson.letters.labels, lesson.rehearsed_labels])
        yield Taught(Neighbours(network, points, labels), 0)
        return
    rows, labels = features.rows(), features.labels(lesson.letters.labels, lesson.rehearsed_labels)
    _, output = output_layer(network)
    tail: nn.Module = output
    if config.method == "top":
        tail = top_of(network)[1]
    with torch.no_grad():
        inner = tail[:-1] if isinstance(tail, nn.Sequential) else nn.Identity()
        further = config.method != "prototypes"
        set_prototypes(output, inner(rows), labels, inner(features.negatives) if further else None)
    if config.method == "prototypes":
        yield Taught(network, count_parameters(output))
        return
    body = network.embed if config.method == "head" else top_of(network)[0]
    shown = features.own if test is None else embed(body, test.inputs)
    trainer = Trainer(
        OnEmbeddings(network.spec, tail),
        as_table(replace(lesson.letters, labels=labels), rows),
        as_table(test or lesson.letters, shown),
        config.training(network),
        features.negatives[:, None],
    )
    own = as_table(lesson.letters, features.own)
    first = yield from _epochs(trainer, own, stop)
    if stop is None or not stop.is_set():
        yield Taught(network.eval(), count_parameters(tail), first)


def _learn_all(
    source: Network,
    lesson: Lesson,
    config: TransferConfig,
    features: Features | None,
    test: Samples,
    stop: StopEvent | None,
) -> Iterator[EpochDone | Taught]:
    """All layers learn; those of a trained network but the norms' statistics."""
    letters = lesson.letters
    many = letters.take(torch.arange(len(letters)).repeat(math.ceil(AN_EPOCH / len(letters))))
    if lesson.rehearsed is not None:
        chosen = lesson.rehearsed.take(torch.arange(min(len(lesson.rehearsed), len(many))))
        many = replace(
            many,
            inputs=torch.cat([many.inputs, chosen.inputs]),
            labels=torch.cat([many.labels, chosen.labels]),
        )
    if features is None:
        network = tuned = build(replace(source.spec, classes=len(lesson.classes)))
    else:
        network = _at_prototypes(source, lesson, features)
        tuned = with_classes(network, network.spec.classes)
        tuned.load_state_dict(network.state_dict())
        freeze_norms(tuned)
    negatives, _ = negatives_of(letters, config.seed)
    trainer = Trainer(tuned, many, test, config.training(network), negatives)
    first = yield from _epochs(trainer, letters, stop)
    if stop is None or not stop.is_set():
        trainable = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
        if tuned is not network:
            network.load_state_dict(tuned.state_dict(), strict=False)
        yield Taught(network.to(memory_format=torch.contiguous_format).eval(), trainable, first)


def _at_prototypes(source: Network, lesson: Lesson, features: Features) -> Network:
    """The network whose output layer answers with the nearest mean, as a start for learning further."""
    network = with_classes(source, len(lesson.classes))
    labels = features.labels(lesson.letters.labels, lesson.rehearsed_labels)
    set_prototypes(output_layer(network)[1], features.rows(), labels, features.negatives)
    return network


def _epochs(trainer: Trainer, letters: Samples, stop: StopEvent | None) -> Generator[EpochDone, None, int | None]:
    """The epochs; returns the first after which all letters were read rightly."""
    first = None
    for event in trainer.run(stop):
        if isinstance(event, EpochDone):
            if first is None:
                answers = predict(trainer.measured, letters)
                assert answers is not None  # nobody stops this
                first = event.epoch if bool((answers.argmax(1) == letters.labels).all()) else None
            yield event
    return first

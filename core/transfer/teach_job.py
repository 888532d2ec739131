"""Teaching in the background: several methods, and preparations, one after the other on the same letters."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from core.errors import DataError, InklingError
from core.networks import TrainedNetwork, open_network
from core.training.fit import EpochDone
from core.transfer.attempt import Attempt, Validating, attempt
from core.transfer.job import Job
from core.transfer.letters import Letters
from core.transfer.letters_set import LettersSet
from core.transfer.methods import TransferConfig
from core.transfer.preparation import OURS, letters_of
from core.transfer.validation import FOLDS

KIND = "teach"
QUICK = ("prototypes", "neighbours")  # taught at once, without epochs
# What an epoch of a method costs, all of prototypes being 1: rough, for the bar only.
COST = {"head": 0.1, "top": 0.15, "finetune": 1.0, "scratch": 1.0}


@dataclass(frozen=True)
class Plan:
    """What shall be taught to what, how, and what tests it."""

    source: str  # a network of the store
    letters: LettersSet
    methods: tuple[str, ...]
    preparations: tuple[str, ...] = (OURS,)
    epochs: int = 8
    keep_classes: bool = False
    seed: int = 0
    test: LettersSet | None = None


@dataclass(eq=False)
class Lesson:
    """One method with one preparation, as far as it is."""

    config: TransferConfig
    preparation: str
    state: str = "waits"  # then "runs", "done" or "failed"
    problem: str = ""  # why it failed, as a sentence
    epochs: list[EpochDone] = field(default_factory=list)
    attempt: Attempt | None = None
    measured: Validating | None = None  # how far its measuring is
    kept: tuple[str, ...] = ()  # the names under which its network was kept

    @property
    def method(self) -> str:
        return self.config.method

    @property
    def quick(self) -> bool:
        """Whether it is taught at once, without epochs."""
        return self.method in QUICK

    @property
    def cost(self) -> float:
        """How long it takes, compared with others."""
        return 1.0 if self.quick else 1.0 + COST[self.method] * self.config.epochs * (1 + FOLDS[self.method])

    @property
    def share(self) -> float:
        """What of it is done, in [0, 1]: each fold of the measuring takes about as long as the learning."""
        if self.state in ("done", "failed"):
            return 1.0
        folds = FOLDS[self.method]
        if self.measured is not None:
            return (1 + folds * self.measured.done / self.measured.total) / (1 + folds)
        return len(self.epochs) / self.config.epochs / (1 + folds)


class TeachJob(Job):
    """Teaches the letters in each way that is planned; a way that fails leaves the others alone."""

    kind = KIND

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.letters.name)
        self.plan = plan
        self.left_out: tuple[str, ...] = ()  # labels of the test set that are not taught
        self.lessons = tuple(
            Lesson(TransferConfig(method, plan.epochs, plan.seed, plan.keep_classes), preparation)
            for preparation in plan.preparations
            for method in plan.methods
        )

    @property
    def done(self) -> tuple[Lesson, ...]:
        return tuple(lesson for lesson in self.lessons if lesson.attempt is not None)

    @property
    def progress(self) -> float:
        return sum(one.share * one.cost for one in self.lessons) / sum(one.cost for one in self.lessons)

    @cached_property
    def origins(self) -> dict[str, str]:
        """Picture → where it comes from, for people."""
        test = self.plan.test.letters if self.plan.test else ()
        return {letter.id: letter.origin for letter in (*self.plan.letters.letters, *test)}

    def keep(self, lesson: Lesson, name: str) -> TrainedNetwork:
        """The lesson's network in the store; raises `NetworkError` where it cannot be kept under that name."""
        assert lesson.attempt is not None
        network = lesson.attempt.keep(name)
        lesson.kept += (name,)
        return network

    @property
    def current(self) -> Lesson | None:
        """The lesson that is going on; None while the pictures are prepared."""
        return next((lesson for lesson in self.lessons if lesson.state == "runs"), None)

    def _work(self) -> None:
        source = open_network(self.plan.source)
        prepared: dict[str, tuple[Letters, Letters | None]] = {}
        for lesson in self.lessons:
            if lesson.preparation not in prepared:
                prepared[lesson.preparation] = self._prepare(lesson.preparation)
            lesson.state = "runs"
            try:
                self._teach(lesson, source, *prepared[lesson.preparation])
                lesson.state = "done"
            except InklingError as error:
                lesson.state, lesson.problem = "failed", str(error)
            except BaseException:
                lesson.state = "waits"
                raise
        if not self.done:
            raise DataError(self.lessons[0].problem)

    def _teach(self, lesson: Lesson, source: TrainedNetwork, letters: Letters, test: Letters | None) -> None:
        for event in attempt(source, letters, lesson.config, test, self.stop_event):
            self.stop_event.check()
            if isinstance(event, Attempt):
                lesson.attempt = event
            elif isinstance(event, Validating):
                lesson.measured = event
            else:
                lesson.epochs.append(event)

    def _prepare(self, preparation: str) -> tuple[Letters, Letters | None]:
        self.stop_event.check()
        letters = letters_of(self.plan.letters, preparation)
        if len(letters.samples.classes) < 2:
            raise DataError(
                f"Symbols of one letter only were found in {self.name!r}; at least two are needed to tell them apart."
            )
        if self.plan.test is None:
            return letters, None
        known = letters.samples.classes
        fitting = tuple(letter for letter in self.plan.test.letters if letter.label in known)
        self.left_out = tuple(label for label in self.plan.test.classes if label not in known)
        if not fitting:
            raise DataError(
                f"The test set {self.plan.test.name!r} holds none of the letters that are taught "
                f"({', '.join(known)}); choose another one, or none."
            )
        test = letters_of(replace(self.plan.test, letters=fitting), preparation)
        return letters, replace(test, samples=replace(test.samples, part="test"))

"""How sure one can be, measured in the background: cross-validation, then accuracy by number of samples a letter."""

from dataclasses import dataclass

from core.networks import open_network
from core.transfer.attempt import Attempt, Validating, attempt
from core.transfer.job import Job
from core.transfer.learning_curve import LearningCurve, learning_curve
from core.transfer.letters_set import LettersSet
from core.transfer.methods import TransferConfig
from core.transfer.preparation import OURS, letters_of

KIND = "sure"
CURVE_SHARE = 0.7  # of the bar: the curve takes most of the time


@dataclass(frozen=True)
class Question:
    """How well would these letters be read, taught in this way?"""

    source: str
    letters: LettersSet
    config: TransferConfig
    preparation: str = OURS


class SureJob(Job):
    """Asks once; the curve is None where no sample can be held back."""

    kind = KIND

    def __init__(self, question: Question) -> None:
        super().__init__(question.letters.name)
        self.question = question
        self.attempt: Attempt | None = None
        self.curve: LearningCurve | None = None
        self._first = self._second = 0.0  # how far the two parts are, in [0, 1]

    @property
    def progress(self) -> float:
        return (1 - CURVE_SHARE) * self._first + CURVE_SHARE * self._second

    def _work(self) -> None:
        source = open_network(self.question.source)
        letters = letters_of(self.question.letters, self.question.preparation)
        for event in attempt(source, letters, self.question.config, None, self.stop_event):
            if isinstance(event, Attempt):
                self.attempt = event
            elif isinstance(event, Validating):
                self._first = event.done / event.total
            self.stop_event.check()
        self._first = 1.0
        if self.attempt is None or self.attempt.validation is None:
            return
        self.curve = learning_curve(source.module(), letters.samples, self.question.config, self.stop_event, self._tell)

    def _tell(self, done: int, total: int) -> None:
        self._second = done / total

"""What was taught live, for good: a letters set, and a network that reads it besides the source's classes."""

from collections.abc import Sequence

import numpy as np

from core.errors import DataError
from core.networks import check_savable, open_network
from core.reading.teaching import Capture
from core.training.fit import EpochDone
from core.transfer.attempt import Attempt, attempt
from core.transfer.glyphs import png_of
from core.transfer.job import Job
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import as_name, list_letters, save_letters
from core.transfer.methods import TransferConfig
from core.transfer.preparation import letters_of
from core.transfer.validation import Validating

KIND = "taught live"
METHOD = "finetune"
EPOCHS = 8
SHARES = (0.5, 0.4)  # of the time that learning and measuring take: rough, for the bar only


def as_letters(captures: Sequence[Capture], name: str) -> LettersSet:
    """The captures as a letters set; raises `DataError` for a name that no set can have."""
    letters = tuple(
        Letter(capture.label, png_of(np.rint(capture.glyph * 255).astype(np.uint8)), f"camera {capture.number}")
        for capture in captures
    )
    return LettersSet(as_name(name)).with_letters(letters)


def keep_as_letters(captures: Sequence[Capture], name: str) -> LettersSet:
    """The captures in the store; raises `DataError` where the name is another set's or nothing can be written."""
    letters = as_letters(captures, name)
    if letters.name.casefold() in (known.casefold() for known in list_letters()):
        raise DataError(f"There is a letters set {letters.name!r} already; choose another name.")
    save_letters(letters)
    return letters


class LiveJob(Job):
    """Teaches a copy of the source the captures besides its own classes, and keeps it as a network."""

    kind = KIND

    def __init__(self, source: str, captures: Sequence[Capture], name: str) -> None:
        """Raises `InklingError` where it could not be kept in the end."""
        super().__init__(name)
        check_savable(name)
        self.source = source
        self.attempt: Attempt | None = None
        self.doing = "getting ready"
        self._letters = as_letters(captures, name)
        self._share = 0.0

    @property
    def progress(self) -> float:
        return self._share

    def _work(self) -> None:
        config = TransferConfig(METHOD, EPOCHS, keep_classes=True)
        learning, measuring = SHARES
        for event in attempt(open_network(self.source), letters_of(self._letters), config, stop=self.stop_event):
            self.stop_event.check()
            if isinstance(event, EpochDone):
                self.doing, self._share = f"learning, epoch {event.epoch}", learning * event.epoch / EPOCHS
            elif isinstance(event, Validating):
                self.doing = "measuring"
                self._share = max(self._share, learning + measuring * event.done / event.total)
            else:
                self.attempt = event
        assert self.attempt is not None  # a stop would have raised
        self.doing, self._share = "keeping", sum(SHARES)
        self.attempt.keep(self.name)
        self._share = 1.0

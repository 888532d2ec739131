"""`transfer`: a stored network and a folder of letters → a network in the store that reads them, honestly measured."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import DataError
from core.networks import TrainedNetwork, check_savable, open_network
from core.training.fit import EpochDone, StopEvent
from core.transfer.attempt import Attempt, Prediction, attempt
from core.transfer.letters import read_letters
from core.transfer.methods import TransferConfig
from core.transfer.validation import Validating


@dataclass(frozen=True, eq=False)
class TransferResult:
    """The last event: the network is in the store."""

    network: TrainedNetwork
    attempt: Attempt

    def to_json(self) -> dict[str, Any]:
        tried = self.attempt
        return {
            "name": self.network.name,
            "classes": list(self.network.passport.classes),
            "trainable_parameters": tried.trainable,
            "frozen_parameters": tried.frozen,
            "train_accuracy": tried.train_accuracy,
            "cross_validated_accuracy": None if tried.validation is None else tried.validation.accuracy,
            "test_accuracy": tried.test_accuracy,
            "per_class": tried.per_class,
            "predictions": [asdict(prediction) for prediction in tried.predictions],
        }


def transfer(
    source: str,
    folder: Path,
    name: str,
    config: TransferConfig = TransferConfig(),
    test_folder: Path | None = None,
    stop: StopEvent | None = None,
) -> Iterator[EpochDone | Validating | TransferResult]:
    """Teaches the letters of a folder to a copy of the stored network `source` and keeps it as `name`.

    Yields the events of `attempt`, then the result; after a stop nothing is kept.
    """
    check_savable(name)
    trained = open_network(source)
    letters = read_letters(folder)
    if len(letters.samples.classes) < 2:
        raise DataError(f"{folder} holds one letter only; give at least two, each in a folder of its own.")
    test = None if test_folder is None else read_letters(test_folder, "test")
    for event in attempt(trained, letters, config, test, stop):
        if isinstance(event, Attempt):
            yield TransferResult(event.keep(name), event)
        else:
            yield event


__all__ = ["Prediction", "TransferResult", "transfer"]

"""Trials that sleep in place of training: execution by itself, with figures that are known beforehand.

A worker learns the kind "sleeping" by importing this module.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from core.experiments import driver
from core.experiments.dimensions import Configuration
from core.experiments.study import Study
from core.experiments.unit import KINDS, Record, Unit, Watched

EPOCHS = 2
TENS = 10.0  # seconds
DATA_SHA256 = "0" * 64  # there are none
KINDS["sleeping"] = f"{__name__}:sleep"


@dataclass(frozen=True)
class Sleep:
    """What a configuration stands for here; `momentum` is how long it sleeps, in tens of seconds."""

    settings: str  # JSON
    seconds: float
    epochs: int = EPOCHS

    def text(self) -> str:
        return json.dumps({"kind": "sleeping", "settings": self.settings, "seconds": self.seconds})


class SleepingStudy(Study):
    def setup(self, configuration: Configuration) -> Any:
        settings = self.settings | configuration
        return Sleep(json.dumps(settings, sort_keys=True), TENS * float(settings.get("momentum", 0.0)))  # type: ignore[arg-type]


def without_data() -> None:
    """A driver looks at no data set from now on."""
    driver.sha256_of = lambda dataset: DATA_SHA256  # type: ignore[assignment]


def sleep(unit: Unit, record: Record, watched: Watched) -> None:
    """Sleeps, and fills in the record with figures that only the configuration and the seed decide."""
    setup = json.loads(unit.setup)
    record |= {"planned": EPOCHS, "parameters": 1, "before": {"loss": 2.3, "accuracy": 0.1}}
    watched.tell(record, at_once=setup["seconds"] > 0.1)
    for epoch in range(1, EPOCHS + 1):
        asked = time.monotonic() + setup["seconds"] / EPOCHS
        while (left := asked - time.monotonic()) > 0:
            watched.is_set()
            time.sleep(min(left, 0.2))
        accuracy = accuracy_of(setup["settings"], unit.seed, epoch)
        record["epochs"].append({
            "epoch": epoch, "loss": 1 - accuracy, "accuracy": accuracy, "train_loss": 1 - accuracy,
            "train_accuracy": accuracy, "seconds": setup["seconds"] * epoch / EPOCHS,
        })  # fmt: skip
    record["state"] = "finished"


def accuracy_of(settings: str, seed: int, epoch: int = EPOCHS) -> float:
    """In [0, 1]: a hash, so that any mix-up of configurations shows."""
    digest = hashlib.sha256(f"{settings} {seed} {epoch}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48

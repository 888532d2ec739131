"""Runs on disk: one training = one folder of the store, with its config, history and snapshots of the weights.

`run.json` says what is trained and never changes but for continuations; `history.json` says how it goes. A process
that trains holds the lock `run.lock`, so that whoever looks can tell a running training from one that was cut off.
"""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import InklingError, TrainingError
from core.networks.store import check_savable, own_shelf, write_atomically
from core.training.config import TrainingConfig

CURVE_POINTS = 2000  # of the loss by batch; a longer curve is thinned by means of two
START_S = 20.0  # a new process may need so long until it holds its lock
BUSY = ("queued", "running")
STATES = (*BUSY, "stopped", "finished", "diverged", "failed")
UNTRAINED = ("test_loss", "test_accuracy")
EPOCH = ("epoch", "examples", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds")
HISTORY = "history.json"


@dataclass(frozen=True)
class Snapshot:
    """The weights after `step` batches: a safetensors file of the network's state."""

    step: int
    examples: int
    epoch: int  # whole epochs done
    file: Path


class StopFile:
    """Set as soon as the file is there: a stop event between processes."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def is_set(self) -> bool:
        return self.file.exists()


@dataclass
class History:
    """How a training goes; losses and accuracies as in `EpochDone`. Raises `ValueError` for what cannot be one."""

    state: str = "queued"  # one of `STATES`
    message: str = ""  # what happened, as a sentence for the user
    examples: list[float] = field(default_factory=list)  # the loss by batch: examples seen …
    losses: list[float] = field(default_factory=list)  # … and the mean loss of `batches_a_point` batches
    batches_a_point: int = 1
    untrained: dict[str, float] | None = None  # test_loss and test_accuracy before the first step
    epochs: list[dict[str, Any]] = field(default_factory=list)  # `EpochDone` records
    examples_done: int = 0
    examples_planned: int = 0
    examples_per_second: float = 0.0
    kept: bool = False  # a network with a passport stands in the store
    updated: float = 0.0  # seconds since the epoch of Unix
    pending: list[float] = field(default_factory=list)  # losses of a point that is not complete

    def __post_init__(self) -> None:
        """Whatever file it comes from, curves can be drawn of it."""
        whole = all(_is_whole(n) for n in (self.batches_a_point, self.examples_done, self.examples_planned))
        fits = {
            "state": self.state in STATES,
            "message": isinstance(self.message, str),
            "examples": _is_curve(self.examples) and _is_curve(self.losses) and len(self.examples) == len(self.losses),
            "pending": isinstance(self.pending, list) and all(map(_is_number, self.pending)),
            "untrained": self.untrained is None or _has_numbers(self.untrained, UNTRAINED),
            "epochs": isinstance(self.epochs, list) and all(_has_numbers(epoch, EPOCH) for epoch in self.epochs),
            "batches_a_point": whole and self.batches_a_point > 0,
            "examples_per_second": _is_number(self.examples_per_second) and _is_number(self.updated),
            "kept": isinstance(self.kept, bool),
        }
        if wrong := [name for name, right in fits.items() if not right]:
            raise ValueError(f"its {wrong[0]} is not what a training writes")

    @property
    def seconds_left(self) -> float | None:
        if self.state != "running" or not self.examples_per_second:
            return None
        return max(0.0, (self.examples_planned - self.examples_done) / self.examples_per_second)

    @property
    def progress(self) -> float:
        return min(1.0, self.examples_done / self.examples_planned) if self.examples_planned else 0.0

    def add_batch(self, examples: int, loss: float) -> None:
        self.examples_done = examples
        self.pending.append(loss)
        if len(self.pending) < self.batches_a_point:
            return
        self.examples.append(examples)
        self.losses.append(sum(self.pending) / len(self.pending))
        self.pending = []
        if len(self.losses) >= CURVE_POINTS:
            self.examples = self.examples[1::2]
            self.losses = [(a + b) / 2 for a, b in zip(self.losses[::2], self.losses[1::2], strict=True)]
            self.batches_a_point *= 2

    def cut(self, examples: int) -> None:
        """Forgets what came after so many examples: a training goes on from its last whole epoch."""
        kept = sum(at <= examples for at in self.examples)
        self.examples, self.losses, self.pending = self.examples[:kept], self.losses[:kept], []
        self.examples_done = examples


@dataclass(frozen=True)
class Run:
    """A training's folder, made by `create_run`, found by `open_run` and `list_runs`."""

    folder: Path
    config: TrainingConfig
    created: str  # ISO 8601, UTC
    data_sha256: str | None = None  # of the training samples; known once it has started

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def lock(self) -> FileLock:
        """Held by the process that works on the run; it may be taken again by its holder."""
        return FileLock(self.folder / "run.lock")

    @property
    def stop_file(self) -> Path:
        """Its presence asks the training to stop."""
        return self.folder / "stop"

    @property
    def checkpoint_file(self) -> Path:
        """The training's whole state after its last whole epoch."""
        return self.folder / "checkpoint.safetensors"

    @property
    def history(self) -> History:
        history = read_history(self.folder)
        return history or History(updated=(self.folder / "run.json").stat().st_mtime)

    @property
    def state(self) -> str:
        """The history's state; `interrupted` when it should be going on but no process holds its lock.

        A history that cannot be read is that of a run that `failed`.
        """
        try:
            history = self.history
        except TrainingError:
            return "failed"
        if history.state not in BUSY or self.is_locked():
            return history.state
        starting = history.state == "queued" and time.time() - history.updated < START_S
        return "queued" if starting else "interrupted"

    def is_locked(self) -> bool:
        """Whether a process works on this run now."""
        try:
            with FileLock(self.folder / "run.lock").acquire(blocking=False):
                return False
        except Timeout:
            return True
        except OSError:  # a folder that cannot be written to is nobody's work
            return False

    def waits_before(self, other: "Run") -> bool:
        """Whether this run was queued before the other and still waits."""
        history = self.history
        earlier = history.updated < other.history.updated
        return self.name != other.name and earlier and self.state == "queued"

    def snapshots(self) -> list[Snapshot]:
        """By step; the first is the untrained network."""
        found = []
        for file in sorted((self.folder / "snapshots").glob("*.safetensors")):
            step, epoch, examples = (int(part) for part in file.stem.split("-"))
            found.append(Snapshot(step, examples, epoch, file))
        return found

    def write_history(self, history: History) -> None:
        history.updated = time.time()
        write_atomically(self.folder / HISTORY, json.dumps(asdict(history)).encode())

    def write(self) -> None:
        record = {"config": self.config.to_json(), "created": self.created, "data_sha256": self.data_sha256}
        write_atomically(self.folder / "run.json", json.dumps(record, indent=2).encode())

    def extended(self, epochs: int) -> "Run":
        """The same run planned for more epochs; not written yet."""
        return replace(self, config=self.config.extended(epochs))


def create_run(config: TrainingConfig, name: str, shelf: Path | None = None) -> Run:
    """A new run's folder with its config; raises `NetworkError` where the name is taken or nothing can be written."""
    check_savable(name, shelf)
    run = Run((shelf or own_shelf()) / name, config, datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        (run.folder / "snapshots").mkdir(parents=True, exist_ok=True)
        run.write()
    except OSError as error:
        raise TrainingError(f"{run.folder} cannot be written ({error.strerror}).") from error
    return run


def read_history(folder: Path) -> History | None:
    """How the training went whose history lies in the folder, None where none does; it may be a stranger's.

    Raises `TrainingError` for one that is damaged.
    """
    file = folder / HISTORY
    try:
        return History(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise TrainingError(f"{file} is damaged ({error}); delete the run.") from error


def open_run(name: str) -> Run:
    """The run of that name; raises `TrainingError` when there is none or its record is damaged."""
    return _read(own_shelf() / name)


def list_runs() -> list[Run]:
    """All runs that can be read, the newest first; networks that came without a training's record are none."""
    runs = []
    for file in own_shelf().glob("*/run.json"):
        try:
            runs.append(_read(file.parent))
        except InklingError:
            continue  # the store names damaged folders
    return sorted(runs, key=lambda run: (run.created, run.name), reverse=True)


def _read(folder: Path) -> Run:
    file = folder / "run.json"
    try:
        record = json.loads(file.read_text("utf-8"))
        config = TrainingConfig.from_json(record["config"])
        return Run(folder, config, str(record["created"]), record.get("data_sha256"))
    except FileNotFoundError as error:
        raise TrainingError(f"There is no training {folder.name!r}; its record would be {file}.") from error
    except (InklingError, OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{file} is no valid record of a training ({error}); delete it or train anew.") from error


def _is_number(value: object) -> bool:
    """Whether it can be drawn; not a number (NaN) can, as a gap."""
    return isinstance(value, float) or _is_whole(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_curve(values: object) -> bool:
    return isinstance(values, list) and len(values) <= CURVE_POINTS and all(map(_is_number, values))


def _has_numbers(record: object, names: tuple[str, ...]) -> bool:
    return isinstance(record, dict) and all(_is_number(record.get(name)) for name in names)

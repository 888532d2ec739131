"""The recorder: writes down how a training goes, its snapshots, and all that it takes to go on after a break."""

import time

from safetensors.torch import load_file, save
from torch import Tensor

from core.errors import TrainingError
from core.networks.store import write_atomically
from core.training.fit import BatchDone, EpochDone, Event, Trainer, TrainingDiverged, TrainingStopped, Untrained
from core.training.runs import History, Run

WRITE_S = 0.7  # between two writings of the history: live enough to watch, rare enough to cost nothing


def keeps_snapshot(step: int) -> bool:
    """Within the first epoch: after 1, 2, 5, 10, 20, 50, … batches, while most is learned."""
    digits = str(step)
    return digits[0] in "125" and not digits[1:].strip("0")


class Recorder:
    """Follows one `Trainer` and keeps its run's folder up to date; `OSError` where the disk does not take it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.history: History = run.history
        self._written = 0.0
        self._rate_from = (0.0, 0)  # (time, examples) that the speed is counted from

    def begin(self, trainer: Trainer) -> None:
        """Takes the training up where its last whole epoch ended; a new one begins at the beginning."""
        if self.run.checkpoint_file.is_file():
            trainer.restore(self._checkpoint())
        self.history.epochs = self.history.epochs[: trainer.epoch]
        self.history.cut(trainer.examples)
        for snapshot in self.run.snapshots():
            if snapshot.step > trainer.step:
                snapshot.file.unlink()
        self.history.examples_planned = trainer.config.all_epochs * len(trainer.train)
        self._rate_from = time.perf_counter(), trainer.examples
        if trainer.epoch == 0:
            self._take_snapshot(0, 0, 0, trainer.network.state_dict())
        self.say("running", "")

    def begin_again(self, trainer: Trainer) -> None:
        """Takes the trainer back to its last whole epoch."""
        trainer.restore(self._checkpoint())

    def take(self, event: Event, trainer: Trainer) -> None:
        history = self.history
        if isinstance(event, Untrained):
            history.untrained = {"test_loss": event.test_loss, "test_accuracy": event.test_accuracy}
        elif isinstance(event, BatchDone):
            history.add_batch(event.examples, event.loss)
            if event.epoch == 1 and keeps_snapshot(event.step):
                self._take_snapshot(event.step, 0, event.examples, trainer.network.state_dict())
        elif isinstance(event, EpochDone):
            history.epochs.append(event.to_json())
            self._take_snapshot(trainer.step, event.epoch, event.examples, trainer.measured.state_dict())
            write_atomically(self.run.checkpoint_file, save(trainer.state()))
        elif isinstance(event, TrainingStopped):
            self.stopped(trainer)
        now = time.perf_counter()
        if isinstance(event, BatchDone | EpochDone):
            since, examples = self._rate_from
            history.examples_per_second = (event.examples - examples) / (now - since)
        if now - self._written >= WRITE_S or isinstance(event, EpochDone):
            self._write(now)

    def stopped(self, trainer: Trainer) -> None:
        whole = f"its last whole epoch, {trainer.epoch}, is kept" if trainer.epoch else "it had no whole epoch to keep"
        self.say("stopped", f"Stopped in epoch {trainer.epoch + 1}; {whole}.")

    def diverged(self, error: TrainingDiverged, epochs: int) -> None:
        """The weights that led to the hopeless loss are thrown away, those before are the last good ones."""
        for snapshot in self.run.snapshots():
            if snapshot.step >= error.step - 1 and snapshot.step > 0:
                snapshot.file.unlink()
        kept = (
            f"The network of its last whole epoch, {epochs}, is kept." if epochs else "It had no whole epoch to keep."
        )
        self.say("diverged", f"{error} {kept}")

    def say(self, state: str, message: str) -> None:
        self.history.state, self.history.message = state, message
        self._write(time.perf_counter())

    def _write(self, now: float) -> None:
        self.run.write_history(self.history)
        self._written = now

    def _take_snapshot(self, step: int, epoch: int, examples: int, weights: dict[str, Tensor]) -> None:
        file = self.run.folder / "snapshots" / f"{step:09d}-{epoch:05d}-{examples:012d}.safetensors"
        write_atomically(file, save({key: value.detach().cpu().contiguous() for key, value in weights.items()}))

    def _checkpoint(self) -> dict[str, Tensor]:
        try:
            return load_file(self.run.checkpoint_file)
        except Exception as error:  # safetensors raises its own kind, which derives from Exception alone
            raise TrainingError(
                f"{self.run.checkpoint_file} is damaged ({error}); delete the run and train anew."
            ) from error

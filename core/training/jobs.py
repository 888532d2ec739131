"""Trainings in the background: each in a process of its own, so that the pages stay quick and no run outlives them all.

The run's folder is all that a job and its watchers share: any page, in any session, sees the same state, and can stop
the run by the stop file.
"""

import os
import subprocess
import sys
import threading

from core.errors import TrainingError
from core.paths import PROJECT, data_dir, home_dir
from core.training.config import TrainingConfig
from core.training.runs import Run, create_run

_workers: list[subprocess.Popen[bytes]] = []  # kept: a worker ends when its standard input is closed
_guard = threading.Lock()


def start(config: TrainingConfig, name: str) -> Run:
    """A new run, queued; raises `NetworkError` for a taken name, `TrainingError` where nothing can be written."""
    run = create_run(config, name)
    _queue(run)
    return run


def resume(run: Run) -> None:
    """Queues a run that was stopped, interrupted or broke off; it goes on from its last whole epoch."""
    _refuse_busy(run)
    _queue(run)


def extend(run: Run, epochs: int) -> Run:
    """Queues a run for more epochs than it was planned for."""
    _refuse_busy(run)
    longer = run.extended(epochs)
    longer.write()
    _queue(longer)
    return longer


def stop(run: Run) -> None:
    """Asks a run to stop; it does so before its next batch."""
    run.stop_file.touch()


def _refuse_busy(run: Run) -> None:
    if run.is_locked():
        raise TrainingError(f"The training {run.name!r} is going on already; stop it first.")


def _queue(run: Run) -> None:
    run.stop_file.unlink(missing_ok=True)
    history = run.history
    history.state, history.message, history.examples_planned = "queued", "", 0
    run.write_history(history)
    with _guard:
        _workers[:] = [worker for worker in _workers if worker.poll() is None]  # also reaps those that have ended
        with (run.folder / "worker.log").open("wb") as log:
            _workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "core.training.worker", run.name],
                    cwd=PROJECT,
                    env=os.environ | _absolute_folders(),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for the server; its end is then the worker's
                )
            )


def _absolute_folders() -> dict[str, str]:
    """`INKLING_DATA` and `INKLING_HOME` as this process understands them: the worker starts in another folder."""
    return {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())}

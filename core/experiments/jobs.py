"""Studies in the background: each with a driver in a process of its own, which ends with the server that began it.

The storage is all that a study and its watchers share: any page, in any session, on any machine sees the same state,
and can stop it.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import ExperimentError
from core.experiments import EXECUTORS
from core.experiments.ledger import Holder, Lease, Ledger
from core.experiments.storage import Storage, opened, own_storage
from core.experiments.study import Study
from core.paths import PROJECT, data_dir, home_dir

_workers: dict[tuple[str, str], subprocess.Popen[bytes]] = {}  # by storage and study; each ends when its input closes
_guard = threading.Lock()
STARTING = "Starting …"
CUT_OFF = "It was cut off; what was finished is kept, and it can go on."


@dataclass(frozen=True)
class JobState:
    """How a study stands, whoever works on it, wherever."""

    state: str  # "not begun", "running", "stopping", "interrupted" (it can go on) or "finished"
    planned: int | None = None  # trials; None where nobody knows before the end
    finished: int = 0  # trials that ended well or were pruned
    running: int = 0  # trainings that go on at this moment
    failed: int = 0  # trials
    message: str = ""  # a sentence: what it waits for, or why it ended
    seconds: float | None = None  # since its driver began; None while none works
    workers: int = 0
    executor: str = ""


def start(
    study: Study,
    storage: str | None = None,
    executor: str = "processes",
    workers: int | None = None,
    scheduler: str | None = None,
) -> None:
    """Begins the study, or goes on with it, in the background; returns at once.

    Raises `ExperimentError` where the storage does not answer, somebody works on it already, or another study has its
    name.
    """
    if executor not in EXECUTORS:
        raise ExperimentError(f"Trials run on one of: {', '.join(EXECUTORS)}; not on {executor!r}.")
    place = opened(storage or own_storage())
    place.keep(study)
    if state_of(study.name, storage).state in ("running", "stopping"):
        raise ExperimentError(f"The study {study.name!r} is being worked on already; watch it, or stop it first.")
    command = [sys.executable, "-m", "core.experiments.worker", study.name, "--storage", place.url]
    command += ["--executor", executor]
    command += ["--workers", str(workers)] if workers else []
    command += ["--scheduler", scheduler] if scheduler else []
    file = log_file(study.name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _guard, file.open("wb") as log:
        _workers[place.url, study.name] = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home_dir().absolute())},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the server; its end is then the driver's
        )


def stop(name: str, storage: str | None = None) -> None:
    """Asks the study's driver to stop, wherever it runs; it does so within about a second. Nothing is lost."""
    place = opened(storage or own_storage())
    Lease(place, name).ask_to_stop()


def state_of(name: str, storage: str | None = None) -> JobState:
    """How the study stands; raises `ExperimentError` where the storage does not answer."""
    place = opened(storage or own_storage())
    counts = place.counts(name)
    if counts is None:
        return JobState("not begun")
    holder, ended = Lease(place, name).look()
    finished, failed = counts.complete + counts.pruned, counts.failed
    own = _own(place.url, name)
    if holder is None and own is not None and own.poll() is None and ended.get("process") != own.pid:
        return JobState("running", None, finished, 0, failed, STARTING, None)
    if holder is not None and holder.alive:
        return _at_work(place, name, holder, finished, failed)
    planned, message = ended.get("planned"), ended.get("message", "")
    if holder is not None:
        return JobState("interrupted", holder.state.get("planned"), finished, 0, failed, CUT_OFF)
    if own is not None and own.poll():
        message = message or _last_line(name) or CUT_OFF
    if not counts.all and not ended:
        return JobState("not begun", message=message)
    state = "finished" if ended.get("ended") == "finished" else "interrupted"
    return JobState(state, planned, finished, 0, failed, message)


def log_file(name: str) -> Path:
    """What the study's last driver on this machine wrote."""
    return home_dir() / "studies" / f"{name}.log"


def _at_work(place: Storage, name: str, holder: Holder, finished: int, failed: int) -> JobState:
    said = holder.state
    return JobState(
        "stopping" if holder.stopping else "running", said.get("planned"), finished, len(Ledger(place).running(name)),
        failed, said.get("message", ""), said.get("seconds"), said.get("workers", 0), said.get("executor", ""),
    )  # fmt: skip


def _own(url: str, name: str) -> "subprocess.Popen[bytes] | None":
    """The driver that this server began, if it did."""
    with _guard:
        return _workers.get((url, name))


def _last_line(name: str) -> str:
    try:
        lines = log_file(name).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next(_sentences(reversed(lines)), "")


def _sentences(lines: Iterator[str]) -> Iterator[str]:
    return (line.removeprefix("error: ").strip() for line in lines if line.strip())

"""What training in the background costs: time against the command line's training, memory, time to stop."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from core.paths import PROJECT, data_dir
from core.training import Run, TrainingConfig, jobs, recipe

EPOCHS = 3
TURNS = 2
POLL_S = 0.02


def run() -> Iterator[dict[str, Any]]:
    """One process trains at a time; both ways start a fresh Python and load the data."""
    config = recipe("report", epochs=EPOCHS, seed=1)
    with temporary_home() as home:
        command_s, job_s, peak = [], [], 0
        for turn in range(TURNS):  # by turns, and the best of each, since machines drift
            command_s.append(_command_line(config, home, f"command-{turn}"))
            started = time.perf_counter()
            peak = max(peak, _watch(jobs.start(config, f"job-{turn}")))
            job_s.append(time.perf_counter() - started)
        yield {
            "what": f"report, MNIST, {EPOCHS} epochs in the background against the command line",
            "figure": round(min(job_s) / min(command_s) - 1, 3),
            "unit": "of the time more",
            "command_line_s": [round(seconds, 1) for seconds in command_s],
            "job_s": [round(seconds, 1) for seconds in job_s],
        }
        yield {"what": "the training process at its largest", "figure": round(peak / 1e6), "unit": "MB resident"}
        yield {"what": "a stop during an epoch", "figure": round(_time_to_stop(config), 2), "unit": "s to take effect"}


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An `INKLING_HOME` for the benchmark alone."""
    before = os.environ.get("INKLING_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["INKLING_HOME"] = home
        try:
            yield Path(home)
        finally:
            os.environ.pop("INKLING_HOME")
            if before is not None:
                os.environ["INKLING_HOME"] = before


def _command_line(config: TrainingConfig, home: Path, name: str) -> float:
    command = [sys.executable, "-m", "core", "train", "--dataset", config.dataset, "--network", config.network]
    settings = ["--epochs", str(config.epochs), "--seed", str(config.seed), "--name", name, "--json"]
    started = time.perf_counter()
    environment = os.environ | {"INKLING_DATA": str(data_dir().absolute()), "INKLING_HOME": str(home)}
    subprocess.run([*command, *settings], cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _watch(job: Run) -> int:
    """Waits for the job's end, looking once a second as the page does; the largest resident size of its process."""
    worker, peak = _worker(), 0
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        peak = max(peak, worker.memory_info().rss)
        assert job.state in ("queued", "running", "finished"), job.history.message
        time.sleep(1)
    return peak


def _worker() -> psutil.Process:
    (worker,) = (p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE)
    return worker


def _time_to_stop(config: TrainingConfig) -> float:
    job = jobs.start(config, "stopped")
    while job.history.examples_done < 10_000:
        time.sleep(POLL_S)
    started = time.perf_counter()
    jobs.stop(job)
    while job.state == "running":
        time.sleep(POLL_S)
    seconds = time.perf_counter() - started
    while job.is_locked():
        time.sleep(POLL_S)
    return seconds

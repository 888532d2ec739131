"""Jobs as pages use them: real processes that queue, stop, are killed and go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import load_file

from core.errors import TrainingError
from core.paths import PROJECT
from core.training import Run, TrainingConfig, jobs, open_run
from core.training.execute import train

PATIENCE_S = 120


def config(**changes) -> TrainingConfig:
    return TrainingConfig(**{"dataset": "digits-8x8", "threads": 1, "epochs": 1, "batch_size": 100} | changes)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def finish(run: Run) -> str:
    wait_for(lambda: run.state not in ("queued", "running") and not run.is_locked())
    return run.state


def same_weights(one: Run, other: Run) -> bool:
    a, b = (load_file(run.folder / "weights.safetensors") for run in (one, other))
    return all(torch.equal(a[key], b[key]) for key in a)


def test_a_job_gives_the_network_that_the_command_line_gives_and_more_epochs_that_of_a_longer_training():
    settings = {"schedule": "constant", "learning_rate": 0.02}
    run = jobs.start(config(**settings), "job")
    assert run.state == "queued"
    assert finish(run) == "finished", (run.folder / "worker.log").read_text()
    list(train(config(**settings), "direct"))
    assert same_weights(run, open_run("direct"))
    assert finish(jobs.extend(run, 1)) == "finished"
    list(train(config(**settings, epochs=2), "long"))
    assert same_weights(open_run("job"), open_run("long"))


def test_a_second_job_waits_its_turn_and_can_be_stopped_while_it_waits():
    first, second, third = (jobs.start(config(epochs=400), name) for name in ("first", "second", "third"))
    wait_for(lambda: first.state == "running")
    wait_for(lambda: second.is_locked() and third.is_locked())
    assert [run.state for run in (second, third)] == ["queued", "queued"]
    with pytest.raises(TrainingError, match="'first' is going on already"):
        jobs.resume(first)
    jobs.stop(second)
    assert finish(second) == "stopped"
    assert second.history.message == "Stopped before it began."
    assert first.state == "running"
    jobs.stop(first)
    assert finish(first) == "stopped"
    wait_for(lambda: third.state == "running")
    jobs.stop(third)
    assert finish(third) == "stopped"


def test_after_the_server_is_killed_a_run_is_interrupted_and_goes_on(tmp_path):
    code = (
        "import time\n"
        "from core.training import TrainingConfig, jobs\n"
        f"jobs.start({config(epochs=400)!r}, 'orphan')\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)})
    run_file = jobs.create_run(config(), "probe").folder.parent / "orphan" / "run.json"
    wait_for(run_file.exists)
    run = open_run("orphan")
    wait_for(lambda: len(run.history.epochs) >= 2)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    wait_for(lambda: run.state == "interrupted")
    done = len(run.history.epochs)
    jobs.resume(run)
    wait_for(lambda: run.state == "running" and len(run.history.epochs) > done)
    assert [epoch["epoch"] for epoch in run.history.epochs[: done + 1]] == list(range(1, done + 2))
    jobs.stop(run)
    assert finish(run) == "stopped"
    assert run.history.kept


def test_a_job_that_fails_says_why(inkling_home):
    run = jobs.start(config(dataset="folder:/nowhere/at/all"), "lost")
    assert finish(run) == "failed"
    assert "/nowhere/at/all" in run.history.message


def test_watching_runs_needs_no_torch():
    code = "import sys, core.training.jobs, core.training.worker; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

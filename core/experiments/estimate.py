"""What a study will take, before it starts: trials, trainings, hours and money, by timing a few batches.

Measured in a process of its own (`estimating`), surrounded as a worker is, so that the caller's threads and random
numbers stay as they are; it also tells how long a process takes to start.
"""

import heapq
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import psutil
import torch

from core.data import Samples
from core.errors import ExperimentError, InklingError
from core.experiments.data_cache import samples_of, sha256_of
from core.experiments.ledger import Ledger
from core.experiments.plan import Plan, Planned, planned
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.timing import Cost, Kind, Model, key_of, kind_of, spread, time_kind, time_unit, training_s
from core.experiments.trainings import parts
from core.paths import PROJECT
from core.training.config import TrainingConfig

BUDGET_S = 6.0  # of timing
AT_LEAST = 3  # kinds that are timed, however long that takes: smallest, largest, middle
POLL_S = 0.2
MOST_KINDS = 300  # of networks whose work is counted; more are taken for alike
TRIAL_S = 0.05  # assumed for the writings of a trial and its way to a worker and back; little beside a training
# The study's own process starts, then the one that its workers are copies of; together this many times as long as the
# process here took to start (measured: 1.1 and 2.7 times, on a machine with much else to do).
STARTS = 1.7
SLOW = 1.2  # times as long as alone: then other programs are spoken of


@dataclass(frozen=True)
class Estimating:
    """How far the timing is."""

    done: int
    total: int


@dataclass(frozen=True)
class Estimate:
    """What is to come; times are for processors like this one's, with as little else to do as while it was timed."""

    trials: int
    trainings: int  # single ones that are left, after sharing and what the storage holds
    known: int  # single trainings that the storage holds already
    apart: int  # single trainings, if every trial had its own
    training_s: float  # all trainings, one after another, on one core
    wall_s: float  # with the workers, from start to end
    workers: int
    timed: int  # kinds of training that were timed, of
    kinds: int
    exact: bool  # whether the number of trials is known beforehand
    notes: tuple[str, ...] = ()  # sentences
    waiting: float = 1.0  # times as long as if no other program wanted the processors; contained in the seconds

    def price(self, an_hour: float) -> float:
        """Of the workers' cores, from start to end, at so much a core and hour."""
        return self.workers * self.wall_s / 3600 * an_hour

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Estimate":
        return cls(**record | {"notes": tuple(record["notes"])})


def estimating(
    study: Study, workers: int, storage: str | None = None, stop: Any = None
) -> Iterator[Estimating | Estimate]:
    """How far the timing is, then the estimate, after a few seconds; nothing after a stop (an event that is set).

    `storage`: the address of one that may hold trainings already. Raises `ExperimentError`.
    """
    from core.experiments.executors import SURROUNDINGS

    asked = {"study": study.to_json(), "workers": workers, "storage": storage}
    environment = os.environ | SURROUNDINGS | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-m", "core.experiments.estimate"], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        last = None
        if stop is not None:
            threading.Thread(target=_end_with, args=(process, stop), daemon=True).start()
        try:
            with suppress(BrokenPipeError):  # it ended before it was asked: by the stop, or it says why
                process.stdin.write(json.dumps(asked))
                process.stdin.close()
            for line in process.stdout:
                last = _told(json.loads(line))
                yield last
            if not isinstance(last, Estimate) and not (stop is not None and stop.is_set()):
                said = process.stderr.read().strip().splitlines()
                raise ExperimentError(f"The study could not be estimated: {said[-1][:300] if said else 'it ended'}.")
        finally:
            process.kill()


def _end_with(process: "subprocess.Popen[str]", stop: Any) -> None:
    while process.poll() is None:
        if stop.is_set():
            process.kill()
        time.sleep(POLL_S)


def estimate(
    study: Study, workers: int, storage: Storage | None = None, start_s: float = 0.0, budget_s: float = BUDGET_S
) -> Generator[Estimating, None, Estimate]:
    """As `estimating`, in this process. Its torch works on one thread meanwhile, and draws other random numbers."""
    sha256 = sha256_of(study.dataset)
    plan = planned(study, sha256, Ledger(storage) if storage else None)
    left = [run for run in plan.runs if run.units]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began, worked = time.perf_counter(), time.process_time()
        lengths, timed, kinds = yield from _lengths(left, sha256, budget_s)
        # what other programs take of the processors now, they will go on to take
        waiting = max(1.0, (time.perf_counter() - began) / max(time.process_time() - worked, 1e-9))
    finally:
        torch.set_num_threads(threads)
    waiting = waiting if left else 1.0
    lengths = [waiting * length for length in lengths]
    tasks = [length * len(run.units) + TRIAL_S * run.trials for run, length in zip(left, lengths, strict=True)]
    alone_s = sum(length * len(run.units) for run, length in zip(left, lengths, strict=True))
    repeated = max(1, study.seeds) * max(1, study.folds)
    return Estimate(
        plan.trials, plan.trainings, plan.known, plan.trials * repeated, plan.scale * alone_s,
        start_s + plan.scale * _shared_out(tasks, workers) if tasks else start_s, workers, timed, kinds, plan.exact,
        _notes(study, plan, waiting), waiting,
    )  # fmt: skip


def _notes(study: Study, plan: Plan, waiting: float) -> tuple[str, ...]:
    notes = []
    if waiting > SLOW:
        notes.append(
            f"Other programs want the processors: all takes {waiting:.1f} times as long as on a quiet machine."
        )
    if study.strategy == "one-at-a-time":
        notes.append("Where this search goes depends on what it finds: the number of trials is a rehearsal's.")
    if study.strategy in ("random", "tpe"):
        notes.append("Which trials are drawn is not known before: others like them were timed.")
    if study.pruning != "none":
        notes.append("Pruning will shorten it; the figures are those without.")
    if study.minutes is not None:
        notes.append(f"No trial begins after {study.minutes:g} minutes.")
    return tuple(notes)


def _lengths(
    runs: list[Planned], sha256: str, budget_s: float
) -> Generator[Estimating, None, tuple[list[float], int, int]]:
    """Seconds on one core of one training of each run; how many kinds were timed, and how many there are."""
    setups = [json.loads(run.setup) for run in runs]
    trained = [number for number, setup in enumerate(setups) if setup["kind"] == "training"]
    lengths = [0.0] * len(runs)
    timed = kinds = 0
    if trained:
        own, timed, kinds = yield from _trainings([runs[i] for i in trained], [setups[i] for i in trained], budget_s)
        for number, length in zip(trained, own, strict=True):
            lengths[number] = length
    others = [number for number in range(len(runs)) if number not in set(trained)]
    if others:
        told, more, all_kinds = yield from _others([runs[i] for i in others], [setups[i] for i in others], budget_s)
        for number, length in zip(others, told, strict=True):
            lengths[number] = length
        timed, kinds = timed + more, kinds + all_kinds
    return lengths, timed, kinds


def _trainings(
    runs: list[Planned], setups: list[dict[str, Any]], budget_s: float
) -> Generator[Estimating, None, tuple[list[float], int, int]]:
    taught, validation = parts(runs[0].units[0], setups[0]["config"]["dataset"], None)
    keys = [key_of(setup["config"]) for setup in setups]
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    looked_at = list(first.values())
    looked_at = [looked_at[place] for place in list(spread(len(looked_at)))[:MOST_KINDS]]
    kinds = {keys[number]: kind_of(setups[number]["config"], len(taught.classes)) for number in looked_at}
    ordered = sorted(kinds.values(), key=lambda kind: kind.features[1])
    timed: list[tuple[Kind, Cost]] = []
    time_kind(ordered[0], taught, validation)  # what is loaded at the first step is no step's time
    began = time.perf_counter()
    for place in spread(len(ordered)):
        yield Estimating(len(timed), len(ordered))
        timed.append((ordered[place], time_kind(ordered[place], taught, validation)))
        if time.perf_counter() - began > budget_s and len(timed) >= AT_LEAST:
            break
    model = Model(timed)
    costs = {key: model.cost(kind) for key, kind in kinds.items()}
    lengths = [
        _length(setup, costs[key], taught, validation) if key in costs else -1.0
        for key, setup in zip(keys, setups, strict=True)
    ]
    usual = sum(length for length in lengths if length >= 0) / sum(length >= 0 for length in lengths)
    return [length if length >= 0 else usual for length in lengths], len(timed), len(first)


def _length(setup: dict[str, Any], cost: Cost, taught: Samples, validation: Samples) -> float:
    config = TrainingConfig.from_json(setup["config"] | {"seed": 0})
    return training_s(config, cost, min(len(taught), setup["samples"] or len(taught)), len(validation))


def _others(
    runs: list[Planned], setups: list[dict[str, Any]], budget_s: float
) -> Generator[Estimating, None, tuple[list[float], int, int]]:
    """Transfers and classic methods: whole short ones are timed; what was not takes the mean of its method."""
    own = ("kind", "method", "batch_size", "samples", "letters", "source")
    keys = [json.dumps([setup.get(name) for name in own]) for setup in setups]
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    timed: dict[str, tuple[float, float]] = {}
    began = time.perf_counter()
    time_unit(runs[0].units[0])  # what is loaded at the first one is no unit's time
    for place in spread(len(first)):
        yield Estimating(len(timed), len(first))
        key = list(first)[place]
        timed[key] = time_unit(runs[first[key]].units[0])
        if time.perf_counter() - began > budget_s:
            break
    lengths = []
    for key, setup in zip(keys, setups, strict=True):
        alike = [time for other, time in timed.items() if other == key] or [
            time for other, time in timed.items() if json.loads(other)[1] == setup["method"]
        ] or list(timed.values())  # fmt: skip
        begin, epoch = (sum(part) / len(alike) for part in zip(*alike, strict=True))
        lengths.append(begin + epoch * (setup.get("epochs") or 1))
    return lengths, len(timed), len(first)


def _shared_out(tasks: list[float], workers: int) -> float:
    """When the last task ends: each begins, in its turn, with the worker that is free first."""
    free = [0.0] * workers
    for task in tasks:
        heapq.heapreplace(free, free[0] + task)
    return max(free)


def _told(record: dict[str, Any]) -> Estimating | Estimate:
    if "problem" in record:
        raise ExperimentError(record["problem"])
    return Estimate.from_json(record) if "trials" in record else Estimating(**record)


def main() -> None:
    """What standard input asks for, as JSON lines on standard output."""

    asked = json.loads(sys.stdin.read())
    try:
        study = Study.from_json(asked["study"])
        storage = None if asked["storage"] is None else Storage(asked["storage"], patience_s=0.0)
        samples_of(study.dataset, sha256_of(study.dataset))
        start_s = STARTS * (time.time() - psutil.Process().create_time())
        steps = estimate(study, asked["workers"], storage, start_s)
        while True:
            print(json.dumps(asdict(next(steps))), flush=True)
    except StopIteration as end:
        print(json.dumps(asdict(end.value)), flush=True)
    except InklingError as error:
        print(json.dumps({"problem": str(error)}), flush=True)


if __name__ == "__main__":
    main()

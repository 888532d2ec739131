"""How much a shared run of epochs saves, what pruning costs, and how true the estimate before a study is.

Of the presets' quick versions; with INKLING_BENCH_WHOLE set, of the whole ones, which takes far longer.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.experiments.data_cache import sha256_of
from core.experiments.dimensions import Configuration
from core.experiments.driver import Driver, TrialDone
from core.experiments.estimate import Estimate, estimating
from core.experiments.executors import Processes
from core.experiments.ledger import Ledger
from core.experiments.plan import planned
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.study_file import read_study, toml_of
from core.experiments.timing import record_of
from core.experiments.trainings import parts
from core.paths import PROJECT

WORKERS = 2


def run() -> Iterator[dict[str, Any]]:
    version = "" if os.environ.get("INKLING_BENCH_WHOLE") else "-quick"
    yield from sharing(read_study("batch-dropout-epochs" + version))
    yield from pruning(read_study("layers-filters-dropout" + version))
    yield from estimates()


def sharing(study: Study) -> Iterator[dict[str, Any]]:
    """All epochs read off one run, against a run of its own for each trial."""
    shared = carried_out(study)
    apart: dict[str, TrialDone] = {}
    for epochs in study.dimensions["epochs"]:  # type: ignore[union-attr]
        rest = {name: values for name, values in study.dimensions.items() if name != "epochs"}
        one = replace(
            study, dimensions=rest, settings=study.settings | {"epochs": epochs, "schedule": "constant"}
        )  # fmt: skip
        apart |= {_name(done.params | {"epochs": epochs}): done for done in carried_out(one)}
    together = {_name(done.params): done for done in shared}
    if together.keys() != apart.keys():
        raise AssertionError("The shared study and the separate ones have other trials.")
    longest = study.longest or 0
    count = len(together) // len(study.dimensions["epochs"])  # type: ignore[arg-type]
    trained_s = sum(done.seconds for done in shared if done.params["epochs"] == longest)
    apart_s = sum(done.seconds for done in apart.values())
    epochs_apart = sum(_epochs(study, done.params) for done in shared)
    same = all(together[name].values[0] == apart[name].values[0] for name in apart)
    yield {
        "what": f"{study.name}: one run for all epochs against {len(apart)} separate runs",
        "figure": round(epochs_apart / (longest * count * study.seeds), 2), "unit": "times fewer epochs trained",
        "seconds": round(trained_s, 1), "seconds_apart": round(apart_s, 1), "times_less": round(apart_s / trained_s, 2),
        "same_numbers": same, "trainings": count, "seeds": study.seeds, "dataset": study.dataset,
    }  # fmt: skip


def pruning(study: Study, pruners: tuple[str, ...] = ("median", "hyperband")) -> Iterator[dict[str, Any]]:
    """The same grid with and without pruning: is the winner the same, and how many epochs were saved?"""
    whole = carried_out(study)
    best = max(whole, key=lambda done: done.values[0])
    accuracies = {_name(done.params): done.values[0] for done in whole}
    planned_epochs = sum(_epochs(study, done.params) for done in whole)
    for pruner in pruners:
        count: dict[str, Any] = {}
        pruned = carried_out(replace(study, pruning=pruner), count)
        found = max((done for done in pruned if done.state == "complete"), key=lambda done: done.values[0])
        lost = best.values[0] - accuracies[_name(found.params)]
        # a share of n validation samples is known to so much: the half-width of its 95 % interval
        width = 1.96 * (best.values[0] * (1 - best.values[0]) / count["validation"]) ** 0.5
        yield {
            "what": f"{study.name} with {pruner} pruning against none",
            "figure": round(100 * count["epochs"] / planned_epochs, 1), "unit": "% of the epochs trained",
            "same_winner": _name(found.params) == _name(best.params), "points_lost": round(100 * lost, 2),
            "within_interval": lost <= width, "interval_points": round(100 * width, 2),
            "pruned": sum(done.state == "pruned" for done in pruned), "trials": len(pruned), "seeds": study.seeds,
        }  # fmt: skip


ESTIMATED = (
    {"network": "cnn", "dimensions": {"filters": [8, 16], "batch_size": [32, 128]}, "epochs": 1, "samples": 6000},
    {"network": "cnn", "dimensions": {"conv_layers": [1, 2], "epochs": [1, 2, 3]}, "samples": 6000},
    {"network": "mlp", "dimensions": {"batch_size": [16, 64, 256]}, "epochs": 2, "samples": 12000},
    {"network": "report", "dimensions": {"dropout": [0.2, 0.5]}, "epochs": 2, "folds": 2, "samples": 10000},
    {"network": "cnn", "dimensions": {"filters": [4, 8, 16, 32], "filter_size": [3, 5], "dense_nodes": [32, 128],
     "batch_size": [64, 100]}, "epochs": 1, "samples": 2000},
)  # fmt: skip


def estimates() -> Iterator[dict[str, Any]]:
    """Small studies of MNIST: the estimate before, and what they then took.

    The figure compares seconds of the processor, which hardly depend on what else runs; `wall` compares the clock's,
    from the command's start to its end, which do.
    """
    torch.set_num_threads(1)
    for number, settings in enumerate(ESTIMATED):
        study = Study.from_json({"question": "How long?", "dataset": "mnist"} | settings, f"estimated-{number}")
        before = time.perf_counter()
        *_, told = estimating(study, WORKERS)
        assert isinstance(told, Estimate)
        took_s = time.perf_counter() - before
        wall_s = _by_command(study)
        units = [unit for run in planned(study, sha256_of(study.dataset)).runs for unit in run.units]
        record_of(units[0])  # what is loaded at the first step is no training's time
        began = time.process_time()
        for unit in units:
            record_of(unit)
        truth_s, told_s = time.process_time() - began, told.training_s / told.waiting
        yield {
            "what": f"estimate of {told.trainings} trainings of {study.network} on MNIST, seconds of the processor",
            "figure": round(told_s / truth_s, 2), "unit": "of the truth", "told_s": round(told_s, 1),
            "took_s": round(truth_s, 1), "wall": round(told.wall_s / wall_s, 2), "told_wall_s": round(told.wall_s, 1),
            "took_wall_s": round(wall_s, 1), "waiting": round(told.waiting, 1), "timed": told.timed,
            "kinds": told.kinds, "seconds_to_estimate": round(took_s, 1), "workers": WORKERS,
        }  # fmt: skip


def _by_command(study: Study) -> float:
    """Seconds that the command takes, in a storage of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_text(toml_of(study), "utf-8")
        where = ["--storage", f"sqlite:///{folder}/studies.db", "--workers", str(WORKERS)]
        started = time.perf_counter()
        command = [sys.executable, "-m", "core", "experiment", str(file), *where]
        subprocess.run(command, check=True, capture_output=True, cwd=PROJECT)
        return time.perf_counter() - started


def carried_out(study: Study, count: dict[str, Any] | None = None) -> list[TrialDone]:
    """All trials of the study, in a storage of its own; `count` gets epochs and validation samples."""
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(f"sqlite:///{folder}/studies.db")
        done = list(Driver(study, storage, Processes(WORKERS)).run())
        if count is not None:
            count |= _counted(study, storage)
    return done


def _counted(study: Study, storage: Storage) -> dict[str, Any]:
    units = [unit for run in planned(study, sha256_of(study.dataset)).runs for unit in run.units]
    records = Ledger(storage).read([unit.key for unit in units]).values()
    return {
        "epochs": sum(len(record["epochs"]) for record in records),
        "validation": len(parts(units[0], study.dataset, None)[1]),
    }


def _epochs(study: Study, params: Configuration) -> int:
    return study.setup(params).epochs * study.seeds * max(1, study.folds)


def _name(params: Configuration) -> str:
    return json.dumps(params, sort_keys=True, default=list)

"""Retrains what ships in `assets/networks`: `make networks`, or `python -m core.training.ship [NAME …]`.

Each recipe is trained with several seeds, one process and one thread a seed, so that the weights can be repeated bit
for bit. The first seed's network ships, whichever did best, and its passport records the test accuracy of all of them.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from core.networks import TrainedNetwork
from core.networks.store import write_atomically
from core.paths import ASSETS
from core.training.execute import TrainingResult, train
from core.training.fit import EpochDone
from core.training.recipes import SHIPPED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.training.ship", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which networks: {', '.join(SHIPPED)}; default all")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    args = parser.parse_args()
    for name in args.names or SHIPPED:
        ship(name, args.seeds)
    return 0


def ship(name: str, seeds: int) -> None:
    """Trains the recipe once a seed and puts the first one's network into the assets."""
    with tempfile.TemporaryDirectory() as workshop:
        shelves = [Path(workshop) / str(seed) for seed in range(seeds)]
        spawn = multiprocessing.get_context("spawn")  # a forked torch may hang on its threads' locks
        with ProcessPoolExecutor(min(seeds, os.cpu_count() or 1), spawn) as pool:
            networks = list(pool.map(_train, [name] * seeds, range(seeds), shelves))
        mean = keep(networks, ASSETS / "networks")
    print(f"{name}: {mean:.3%} of the test set right, mean of {seeds} seeds", file=sys.stderr)


def keep(networks: list[TrainedNetwork], shelf: Path) -> float:
    """Copies the first network to the shelf, with all test accuracies in its passport; returns their mean."""
    accuracies = [network.passport.metrics["test_accuracy"] for network in networks]
    mean = statistics.mean(accuracies)
    first = networks[0]
    metrics = first.passport.metrics | {"test_accuracy_by_seed": accuracies, "test_accuracy_mean": mean}
    passport = replace(first.passport, metrics=metrics)
    folder = shelf / first.name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (first.weights_file, first.runtime_file):  # not the run's history and snapshots
        shutil.copy(file, folder)
    write_atomically(folder / "passport.json", json.dumps(passport.to_json(), indent=2).encode())
    return mean


def _train(name: str, seed: int, shelf: Path) -> TrainedNetwork:
    for event in train(replace(SHIPPED[name], seed=seed, threads=1), name, shelf):
        if isinstance(event, EpochDone):
            print(f"{name}, seed {seed}: {json.dumps(event.to_json())}", file=sys.stderr, flush=True)
        elif isinstance(event, TrainingResult):
            return event.network
    raise AssertionError("a training that nobody stops ends with its result")


if __name__ == "__main__":
    sys.exit(main())

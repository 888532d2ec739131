"""Retrains what ships in `assets/networks`: `make networks`, or `python -m core.training.ship [NAME …]`.

Each recipe is trained with several seeds; the first seed's network ships, whichever did best, and its passport records
the test accuracy of all of them.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from core.networks import TrainedNetwork
from core.networks.store import write_atomically
from core.paths import ASSETS
from core.training.config import RECIPES, recipe
from core.training.fit import EpochDone
from core.training.run import TrainingResult, train


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.training.ship", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which networks: {', '.join(RECIPES)}; default all")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network")
    args = parser.parse_args()
    for name in args.names or RECIPES:
        ship(name, args.seeds)
    return 0


def ship(name: str, seeds: int) -> None:
    """Trains the recipe once a seed and puts the first one's network into the assets."""
    with tempfile.TemporaryDirectory() as workshop:
        networks = [_train(name, seed, Path(workshop) / str(seed)) for seed in range(seeds)]
        accuracies = [network.passport.metrics["test_accuracy"] for network in networks]
        first = networks[0]
        metrics = first.passport.metrics | {
            "test_accuracy_by_seed": accuracies,
            "test_accuracy_mean": statistics.mean(accuracies),
        }
        passport = replace(first.passport, metrics=metrics)
        write_atomically(first.folder / "passport.json", json.dumps(passport.to_json(), indent=2).encode())
        shutil.copytree(first.folder, ASSETS / "networks" / name, dirs_exist_ok=True)
    print(f"{name}: {metrics['test_accuracy_mean']:.4%} of the test set right, mean of {seeds} seeds", file=sys.stderr)


def _train(name: str, seed: int, shelf: Path) -> TrainedNetwork:
    for event in train(recipe(name, seed=seed), name, shelf):
        if isinstance(event, EpochDone):
            print(f"{name}, seed {seed}: {json.dumps(event.to_json())}", file=sys.stderr, flush=True)
        elif isinstance(event, TrainingResult):
            return event.network
    raise AssertionError("a training that nobody stops ends with its result")


if __name__ == "__main__":
    sys.exit(main())

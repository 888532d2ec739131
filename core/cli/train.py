"""`train`: a data set and a network → a trained network in the store."""

import argparse
import re
import sys
from typing import Any

from core.cli.output import print_json

HELP = "train a network and keep it"

# option → type, setting of the training config, help; what is not given stays as the network's recipe has it
SETTINGS: tuple[tuple[str, type, str, str], ...] = (
    ("--epochs", int, "epochs", "passes over the data set"),
    ("--batch-size", int, "batch_size", "examples a step"),
    ("--lr", float, "learning_rate", "learning rate (the peak of its schedule)"),
    ("--dropout", float, "dropout", "share of activations dropped while training"),
    ("--seed", int, "seed", "what all random numbers are drawn from"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, metavar="D", help="what teaches it: mnist, strokes-digits, …")
    parser.add_argument("--network", required=True, metavar="N", help="what is trained: report, digits, …")
    for option, kind, setting, text in SETTINGS:
        parser.add_argument(option, type=kind, dest=setting, metavar=option[2].upper(), help=text)
    parser.add_argument("--name", help="what the trained network is called (default: NETWORK-DATASET)")


def run(args: argparse.Namespace) -> int:
    from core.training import recipe
    from core.training.execute import TrainingResult, train
    from core.training.fit import BatchDone, EpochDone

    given = {setting: getattr(args, setting) for *_, setting, _ in SETTINGS if getattr(args, setting) is not None}
    config = recipe(args.network, dataset=args.dataset, **given)
    # Never the bare network's name by default: it would take the place of the one that ships.
    name = args.name or re.sub(r"[^A-Za-z0-9._-]+", "-", f"{args.network}-{args.dataset}")
    bar = _Bar()
    for event in train(config, name):
        if isinstance(event, BatchDone):
            bar.show(f"epoch {event.epoch} of {config.epochs}: {event.examples:,} examples, loss {event.loss:.3f}")
        elif isinstance(event, EpochDone | TrainingResult):
            bar.clear()
            record = event.to_json()
            if args.json:
                print_json(record)
            else:
                print(_sentence(record), flush=True)
    return 0


class _Bar:
    """A line on standard error that is written over; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._visible = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._visible:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        self.show("")


def _sentence(record: dict[str, Any]) -> str:
    if "epoch" in record:
        return (
            f"epoch {record['epoch']}: train loss {record['train_loss']:.4f}, accuracy {record['train_accuracy']:.2%}; "
            f"test loss {record['test_loss']:.4f}, accuracy {record['test_accuracy']:.2%}; {record['seconds']:.1f} s"
        )
    return (
        f"kept as {record['name']}: {record['parameters']:,} parameters, "
        f"{record['test_accuracy']:.2%} of the test set right, {record['seconds']:.1f} s"
    )

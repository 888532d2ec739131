"""`train`: a data set and a network → a trained network in the store; or an earlier training goes on."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.output import print_json
from core.errors import TrainingError

if TYPE_CHECKING:
    from core.training import TrainingConfig

HELP = "train a network and keep it"

# option → type, setting of the training config, help; what is not given stays as the network's recipe has it
SETTINGS: tuple[tuple[str, type, str, str], ...] = (
    ("--epochs", int, "epochs", "passes over the data set"),
    ("--batch-size", int, "batch_size", "examples a step"),
    ("--lr", float, "learning_rate", "learning rate (the peak of its schedule)"),
    ("--dropout", float, "dropout", "share of activations dropped while training"),
    ("--seed", int, "seed", "what all random numbers are drawn from"),
    ("--optimizer", str, "optimizer", "sgd or adam"),
    ("--momentum", float, "momentum", "of sgd"),
    ("--weight-decay", float, "weight_decay", "how strongly weights are drawn to zero"),
    ("--schedule", str, "schedule", "one-cycle or constant"),
    ("--loss", str, "loss", "cross-entropy or mse"),
    ("--augmentation", str, "augmentation", "none, handwriting or pictures"),
    ("--averaging", float, "averaging", "decay of the weights' moving average, 0 for none"),
    ("--precision", str, "precision", "float32 or bfloat16"),
    ("--device", str, "device", "cpu or cuda"),
    ("--threads", int, "threads", "with one, a training can be repeated bit for bit"),
)
# the free dimensions of the network `cnn`, in the same way
DIMENSIONS: tuple[tuple[str, type, str, str], ...] = (
    ("--conv-layers", int, "conv_layers", "convolutions"),
    ("--filters", str, "filters", "of each convolution, as in 16,32"),
    ("--filter-size", int, "filter_size", "pixels"),
    ("--pool-size", int, "pool_size", "pixels"),
    ("--pool-place", str, "pool_place", "each, last or none"),
    ("--activation", str, "activation", "relu, sigmoid or tanh"),
    ("--dense-nodes", int, "dense_nodes", "nodes of the dense layer before the output"),
    ("--second-dropout", float, "second_dropout", "dropout after the dense layer"),
    ("--first-layer", str, "first_layer", "learned or gabor, a fixed bank of Gabor filters"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", metavar="D", help="what teaches it: mnist, strokes-digits, folder:DIR, …")
    parser.add_argument("--network", metavar="N", help="what is trained: report, digits, cnn, …")
    parser.add_argument("--name", help="what the trained network is called (default: NETWORK-DATASET)")
    parser.add_argument(
        "--resume", metavar="NAME", help="go on with a training that was stopped; with --epochs, for so many more"
    )
    for option, kind, setting, text in SETTINGS:
        parser.add_argument(option, type=kind, dest=setting, metavar=option[2].upper(), help=text)
    free = parser.add_argument_group("the dimensions of the network cnn")
    for option, kind, setting, text in DIMENSIONS:
        free.add_argument(option, type=kind, dest=setting, metavar=option[2].upper(), help=text)
    free.add_argument("--batch-norm", action="store_const", const=True, help="normalise after each convolution")


def run(args: argparse.Namespace) -> int:
    from core.training.threads import wait_patiently

    wait_patiently()
    from core.training.execute import TrainingResult
    from core.training.fit import BatchDone, EpochDone

    bar = _Bar()
    for event in _events(args):
        if isinstance(event, BatchDone):
            bar.show(f"epoch {event.epoch}: {event.examples:,} examples, loss {event.loss:.3f}")
        elif isinstance(event, EpochDone | TrainingResult):
            bar.clear()
            record = event.to_json()
            if args.json:
                print_json(record)
            else:
                print(_sentence(record), flush=True)
    return 0


def _events(args: argparse.Namespace) -> Iterator[Any]:
    from core.networks import free_name
    from core.training import open_run
    from core.training.execute import execute, train

    if args.resume:
        run = open_run(args.resume)
        if run.is_locked():
            raise TrainingError(f"The training {run.name!r} is going on already; stop it first.")
        if args.epochs:
            run = run.extended(args.epochs)
            run.write()
        return execute(run)
    if not (args.dataset and args.network):
        raise TrainingError("A training needs --dataset and --network, or --resume NAME to go on with an earlier one.")
    # Never the bare network's name by default: it would be taken for the one that ships.
    name = args.name or free_name(f"{args.network}-{_short(args.dataset)}")
    return train(_config(args), name)


def _short(dataset: str) -> str:
    """`folder:/home/me/leaves` → `leaves`, `heart:/home/me/heart.csv` → `heart`."""
    _, colon, place = dataset.partition(":")
    return Path(place).resolve().name.removesuffix(".csv") if colon else dataset


def _config(args: argparse.Namespace) -> "TrainingConfig":
    from core.networks.spec import shape_from_json
    from core.training import recipe

    given = {setting: getattr(args, setting) for *_, setting, _ in SETTINGS if getattr(args, setting) is not None}
    shape = {name: getattr(args, name) for *_, name, _ in DIMENSIONS if getattr(args, name) is not None}
    if args.batch_norm:
        shape["batch_norm"] = True
    if "filters" in shape:
        shape["filters"] = [_whole(number) for number in shape["filters"].split(",")]
    if shape:
        given["cnn"] = shape_from_json(shape)
    return recipe(args.network, dataset=args.dataset, **given)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise TrainingError(f"--filters takes whole numbers, as in 16,32, not {text!r}.") from None


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

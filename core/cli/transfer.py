"""`transfer`: a trained network learns the letters of a folder."""

import argparse
from pathlib import Path
from typing import Any

from core.cli.output import print_json
from core.transfer import KEPT

HELP = "teach letters to a trained network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", required=True, dest="source", metavar="NAME", help="the network that learns them")
    parser.add_argument(
        "--letters", required=True, type=Path, metavar="DIR", help="a folder that holds a folder of pictures for each"
    )
    parser.add_argument("--test", type=Path, metavar="DIR", help="as --letters: pictures to test with")
    parser.add_argument(
        "--method", choices=KEPT, default=KEPT[0],
        help="finetune all layers (default), a new output layer (head), nearest class means (prototypes), the last two "
        "dense layers (top), or all layers from scratch",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, metavar="E", help="passes over about 1,000 changed letters (default: 8)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="what all random numbers are drawn from")
    parser.add_argument(
        "--keep-classes", action="store_true", help="read what the network reads already, too, and measure what is lost"
    )
    parser.add_argument("--name", help="what the network is called (default: NAME-DIR)")


def run(args: argparse.Namespace) -> int:
    from core.training.threads import wait_patiently

    wait_patiently()
    from core.networks import free_name
    from core.training.fit import EpochDone
    from core.transfer.execute import transfer
    from core.transfer.methods import TransferConfig
    from core.transfer.validation import Validating

    given = {} if args.epochs is None else {"epochs": args.epochs}
    config = TransferConfig(method=args.method, seed=args.seed, keep_classes=args.keep_classes, **given)
    name = args.name or free_name(f"{args.source}-{args.letters.resolve().name}")
    for event in transfer(args.source, args.letters, name, config, args.test):
        if isinstance(event, Validating):
            continue
        record = event.to_json()
        if isinstance(event, EpochDone) and args.test is None:
            record |= {"test_loss": None, "test_accuracy": None}
        if args.json:
            print_json(record)
        else:
            print(_sentence(record), flush=True)
    return 0


def _sentence(record: dict[str, Any]) -> str:
    if "epoch" in record:
        test = "" if record["test_accuracy"] is None else f"; test accuracy {record['test_accuracy']:.2%}"
        return (
            f"epoch {record['epoch']}: loss {record['train_loss']:.4f}, accuracy {record['train_accuracy']:.2%}{test}; "
            f"{record['seconds']:.1f} s"
        )
    figures = {
        "of the letters that taught it": record["train_accuracy"],
        "cross-validated": record["cross_validated_accuracy"],
        "of the test pictures": record["test_accuracy"],
    }
    said = ", ".join(f"{value:.1%} {what}" for what, value in figures.items() if value is not None)
    return (
        f"kept as {record['name']}: {len(record['classes'])} classes, {record['trainable_parameters']:,} parameters "
        f"learned, {record['frozen_parameters']:,} as they were; {said}"
    )

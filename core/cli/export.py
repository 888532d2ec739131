"""`export`: a trained network as a file for other programs."""

import argparse
from pathlib import Path

from core.cli.output import print_json
from core.errors import NetworkError

HELP = "write a trained network to a file: ONNX for other programs, ZIP for another Inkling"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the trained network")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="FILE.onnx, or FILE.zip")


def run(args: argparse.Namespace) -> int:
    from core.networks import export_onnx_file, export_zip_file

    writers = {".onnx": export_onnx_file, ".zip": export_zip_file}
    if args.to.suffix.lower() not in writers:
        raise NetworkError(f"{args.to} says no format; end its name in {' or '.join(writers)}.")
    record = writers[args.to.suffix.lower()](args.name, args.to)
    difference = record.pop("largest_difference", None)
    if args.json:
        print_json(record)
    else:
        print(
            f"{record['file']}: {record['input']['name']} {record['input']['shape']} → {len(record['classes'])} classes"
        )
        if difference is not None:
            print(f"checked in ONNX Runtime: its answers differ from the network's by {difference:.1g} at most")
    return 0

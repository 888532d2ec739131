"""`bench`: how good and how fast, measured on this machine."""

import argparse
from typing import Any

from core.cli.output import print_json, report_error
from core.errors import InklingError

HELP = "run the benchmarks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="a benchmark (default: all)")


def run(args: argparse.Namespace) -> int:
    from core import bench
    from core.training.threads import wait_patiently

    wait_patiently()
    failed = False
    for name in bench.choose(args.names):
        try:
            for record in bench.run(name):
                _show(record, args.json)
        except InklingError as error:  # data that one benchmark lacks cost the others nothing
            report_error(error)
            failed = True
    return 2 if failed else 0


def _show(record: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    details = ", ".join(f"{key} {value}" for key, value in record.items() if key not in ("bench", "figure", "unit"))
    print(f"{record['bench']}: {record['figure']} {record['unit']}" + (f"  ({details})" if details else ""), flush=True)

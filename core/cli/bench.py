"""`bench`: how good and how fast, measured on this machine."""

import argparse

from core.cli.output import print_json

HELP = "run the benchmarks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="a benchmark (default: all)")


def run(args: argparse.Namespace) -> int:
    from core.bench import run_benchmarks

    for record in run_benchmarks(args.names):
        if args.json:
            print_json(record)
        else:
            details = ", ".join(f"{k} {v}" for k, v in record.items() if k not in ("bench", "figure", "unit"))
            print(f"{record['bench']}: {record['figure']} {record['unit']}" + (f"  ({details})" if details else ""))
    return 0

"""`experiment`: a study file, or a preset's name → a table of trials; what was begun goes on."""

import argparse
from typing import Any

from core.cli.output import print_json
from core.experiments import EXECUTORS

HELP = "run a study, or go on with it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY.toml|PRESET", help="a study's file, or the name of a preset")
    parser.add_argument("--storage", metavar="URL", help="where trials are kept (default: SQLite in INKLING_HOME)")
    parser.add_argument("--executor", choices=EXECUTORS, default="processes", help="where trials run")
    parser.add_argument("--scheduler", metavar="ADDR", help="the Dask scheduler's address, as tcp://HOST:8786")
    parser.add_argument("--workers", type=int, metavar="N", help="how many at a time (default: one a core)")


def run(args: argparse.Namespace) -> int:
    from core.experiments.driver import Driver
    from core.experiments.executors import Processes
    from core.experiments.storage import Storage
    from core.experiments.study_file import read_study

    study = read_study(args.study)
    storage = Storage(args.storage)
    driver = Driver(study, storage, Processes(args.workers))
    for done in driver.run():
        record = done.to_json()
        if args.json:
            print_json(record)
        else:
            print(_sentence(record), flush=True)
    return 0


def _sentence(record: dict[str, Any]) -> str:
    return f"{record['trial']}: {record['params']} → {record['values']} {record['state']} {record['seconds']} s"

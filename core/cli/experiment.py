"""`experiment`: a study file, or a preset's name → the table of its trials, to the end; what was begun goes on.

The trials that had ended before come first, marked as earlier, so that the output is always the whole table.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from core.cli.output import print_json
from core.experiments import EXECUTORS

if TYPE_CHECKING:
    from core.experiments.driver import TrialDone
    from core.experiments.study import Study

HELP = "run a study, or go on with it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY.toml|PRESET", help="a study's file, or the name of a preset")
    parser.add_argument("--storage", metavar="URL", help="where trials are kept (default: SQLite in INKLING_HOME)")
    parser.add_argument("--executor", choices=EXECUTORS, default="processes", help="where trials run")
    parser.add_argument("--scheduler", metavar="ADDR", help="the Dask scheduler's address, as tcp://HOST:8786")
    parser.add_argument("--fill", action="store_true", help="only put the study's data set into this machine's cache")
    parser.add_argument("--workers", type=int, metavar="N", help="how many at a time (default: one a core)")


def run(args: argparse.Namespace) -> int:
    from core.experiments.data_cache import sha256_of
    from core.experiments.driver import Driver
    from core.experiments.executors import executor
    from core.experiments.storage import Storage
    from core.experiments.study_file import read_study

    study = read_study(args.study)
    if args.fill:
        sha256 = sha256_of(study.dataset)
        if args.json:
            print_json({"dataset": study.dataset, "sha256": sha256})
        else:
            print(f"{study.dataset} is in the cache, under {sha256}.")
        return 0
    storage = Storage(args.storage)
    storage.waits = _say
    driver = Driver(study, storage, executor(args.executor, args.workers, args.scheduler))
    ended = []
    try:
        for done in driver.run():
            ended.append(done)
            _show(done.to_json(), driver.state, args.json)
    except KeyboardInterrupt:
        _say("Stopped. Nothing is lost: the same command goes on with it.")
        return 130
    _say(_end(study, ended, driver.state["message"]))
    return 0


def _end(study: "Study", ended: "list[TrialDone]", message: str) -> str:
    """What is said last: the best trial, and where there is more to see."""
    whole = [done for done in ended if done.state == "complete" and study.objectives[0] == "accuracy"]
    best = max(whole, key=lambda done: (done.values[0], -done.seconds), default=None)  # as on the page
    about = f"The best is trial {best.trial} with {best.values[0]:.2%} of the validation samples. " if best else ""
    more = "The page Experiments (streamlit run app.py) tells what each dimension does, and how sure that is."
    return f"{message} {about}{more}".strip()


def _show(record: dict[str, Any], state: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(record)
    else:
        print(_sentence(record), flush=True)
    if not record.get("earlier"):
        planned = f" of {state['planned']}" if state["planned"] else ""
        failed = f", {state['failed']} failed" if state["failed"] else ""
        _say(f"{state['finished']}{planned} trials{failed}, {state['seconds']:.0f} s")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _sentence(record: dict[str, Any]) -> str:
    params = ", ".join(f"{name} {value}" for name, value in record["params"].items())
    values = " and ".join(f"{value:.4g}" for value in record["values"])
    problem = f": {record['problem']}" if "problem" in record else ""
    took = "from earlier trainings" if record.get("cached") else f"{record['seconds']:.1f} s"
    return f"{record['trial']}: {params} → {values or '–'} ({record['state']}, {took}{problem})"

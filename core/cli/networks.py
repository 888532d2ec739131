"""`networks`: the trained networks there are."""

import argparse
from typing import TYPE_CHECKING, Any

from core.cli.output import print_json, report_error

if TYPE_CHECKING:
    from core.networks import Passport

HELP = "list the trained networks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose: all are listed."""


def run(args: argparse.Namespace) -> int:
    from core.networks import survey_networks

    passports, errors = survey_networks()
    records = [_record(p) for p in passports]
    if args.json:
        for record in records:
            print_json(record)
    else:
        _print_table(records)
    for error in errors:
        report_error(error)
    return 2 if errors else 0


def _record(passport: "Passport") -> dict[str, Any]:
    accuracy = passport.metrics.get("test_accuracy")
    return {
        "name": passport.name,
        "classes": list(passport.classes),
        "parameters": passport.metrics.get("parameters"),
        "accuracy": None if accuracy is None else round(accuracy, 4),
        "dataset": passport.dataset,
    }


def _print_table(records: list[dict[str, Any]]) -> None:
    width = max([4, *(len(r["name"]) for r in records)])
    print(f"{'name':{width}}  {'classes':>7}  {'parameters':>10}  {'accuracy':>8}  data")
    for r in records:
        parameters = "" if r["parameters"] is None else f"{r['parameters']:,}"
        accuracy = "" if r["accuracy"] is None else f"{r['accuracy']:.2%}"
        print(f"{r['name']:{width}}  {len(r['classes']):>7}  {parameters:>10}  {accuracy:>8}  {r['dataset'] or ''}")

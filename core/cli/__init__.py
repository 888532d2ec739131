"""The command line: a thin door from `python -m core COMMAND` to the chapters of the core.

Each command is a module with `HELP`, `add_arguments(parser)` and `run(args) -> exit code`; what a command needs is
imported when it runs, so that `read` starts without torch.
"""

import argparse
import os
import sys
from importlib import import_module
from typing import NoReturn

from core.cli.output import report_error
from core.errors import InklingError

COMMANDS = ("networks", "read", "watch", "train", "transfer", "experiment", "export", "bench")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other error; argparse would print the usage before it."""
        report_error(f"{message}; see: {self.prog} --help")
        raise SystemExit(2)


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code: 0, or 2 after errors that the user can act on."""
    parser = _Parser(prog="python -m core", description="Inkling reads handwriting.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"core.cli.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        command.add_argument("--json", action="store_true", help="standard output is JSON Lines and nothing else")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    try:
        return args.run(args)
    except InklingError as error:
        report_error(error)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130

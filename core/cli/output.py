"""What the commands print: JSON Lines or plain text on standard output, errors on standard error."""

import json
import sys
from typing import Any


def print_json(record: dict[str, Any]) -> None:
    """One JSON line, at once, so that another program can follow along; only ASCII, so that any terminal takes it."""
    print(json.dumps(record, allow_nan=False), flush=True)


def report_error(error: Exception | str) -> None:
    """One line on standard error, whatever the message holds."""
    print("error: " + " ".join(str(error).split()), file=sys.stderr, flush=True)

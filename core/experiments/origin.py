"""Where a stored network comes from, if it is a trial of a study: a record beside it, read without the study."""

import json
from dataclasses import dataclass, replace
from typing import Any

from core.errors import ExperimentError
from core.networks.store import own_shelf

ORIGIN = "study.json"  # the record's file
MOST_BYTES = 200_000


@dataclass(frozen=True)
class Origin:
    study: str
    storage: str  # its address
    question: str
    trial: int
    configuration: dict[str, Any]
    accuracy: float  # the trial's, in [0, 1]


def origin_of(name: str) -> Origin | None:
    """Of a stored network; None where it comes from no study. Raises `ExperimentError` for a damaged record."""
    file = own_shelf() / name / ORIGIN
    if not file.is_file():
        return None
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        record = json.loads(file.read_text("utf-8"))
        found = Origin(**record)
        if not all(isinstance(text, str) for text in (found.study, found.storage, found.question)):
            raise ValueError("a text is none")
        return replace(found, trial=int(found.trial), accuracy=float(found.accuracy))
    except (OSError, ValueError, TypeError) as error:
        raise ExperimentError(f"{file} says nothing of a study ({error}); delete it.") from error

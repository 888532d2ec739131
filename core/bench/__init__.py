"""The benchmarks by name; each measures something a user feels and says so in figures."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from core.errors import BenchError

# name → "module:function"; a benchmark yields {"bench", "figure", "unit", ...}, one record a figure. The modules
# import what they measure, so each is imported only when it runs.
BENCHMARKS: dict[str, str] = {
    "reading": "core.bench.reading:run",
    "live": "core.bench.live:run",
    "training": "core.bench.training:run",
    "fashion": "core.bench.fashion:run",
    "heart": "core.bench.heart:run",
    "jobs": "core.bench.jobs:run",
    "inspection": "core.bench.inspection:run",
    "letters": "core.bench.letters:run",
    "teaching": "core.bench.teaching:run",
    "embedding": "core.bench.embedding:run",
    "photos": "core.bench.photos:run",
    "execution": "core.bench.execution:run",
    "experiments": "core.bench.experiments:run",
    "studies": "core.bench.studies:run",
}


def choose(names: list[str]) -> list[str]:
    """The named benchmarks, all when none is named; raises `BenchError` for an unknown one before any starts."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise BenchError(f"Unknown benchmark {unknown[0]!r}; choose from: {', '.join(BENCHMARKS)}.")
    return names or list(BENCHMARKS)


def run(name: str) -> Iterator[dict[str, Any]]:
    """The records of one benchmark, each as soon as it is measured; raises `DataError` where its data are missing."""
    module, function = BENCHMARKS[name].split(":")
    measure: Callable[[], Iterator[dict[str, Any]]] = getattr(import_module(module), function)
    for record in measure():
        yield {"bench": name, **record}

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
}


def run_benchmarks(names: list[str]) -> Iterator[dict[str, Any]]:
    """The records of the named benchmarks, of all when none is named; raises `BenchError` before the first starts."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise BenchError(f"Unknown benchmark {unknown[0]!r}; choose from: {', '.join(BENCHMARKS)}.")
    for name in names or BENCHMARKS:
        module, function = BENCHMARKS[name].split(":")
        run: Callable[[], Iterator[dict[str, Any]]] = getattr(import_module(module), function)
        for record in run():
            yield {"bench": name, **record}

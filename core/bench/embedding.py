"""How long the maps of Embedding Explorer take, how far they can be trusted, and how much goes to the browser."""

import resource
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np

from core.data import load
from core.embedding.maps import PCA, TSNE, UMAP, MapConfig, make_map
from core.embedding.space import embed_samples
from core.embedding.trust import nearest, trust
from core.inspection.subject import open_subject
from core.networks import open_network
from core.report.embedding_figures import by_class, map_figure

NETWORK, THREADS = "report", 2
ALL = 70_000
T = TypeVar("T")


def run() -> Iterator[dict[str, Any]]:
    """Needs MNIST. `cpu_s` is what all threads took together: on a busy machine `figure` is longer than it need be."""
    subject = open_subject(open_network(NETWORK))
    test = load("mnist", "test")
    space, seconds, cpu = _timed(lambda: embed_samples(subject, None, [test]))
    yield _record(f"embeddings of {len(test):,} samples", seconds, cpu)
    neighbours, seconds, cpu = _timed(lambda: nearest(space.embeddings))
    yield _record(f"true neighbours of {len(test):,} samples", seconds, cpu)
    for kind in (PCA, TSNE, UMAP):
        config = MapConfig(kind)
        made, seconds, cpu = _timed(partial(make_map, space.embeddings, config, threads=THREADS))
        found = trust(space.embeddings, neighbours, made.layout)
        yield _record(f"{config.title} of {len(test):,} samples", seconds, cpu) | {
            "trustworthiness": round(found.trustworthiness, 4),
            "continuity": round(found.continuity, 4),
            "neighbours_kept": round(float(found.shares.mean()), 4),
            "flagged": round(float(found.flagged.mean()), 4),
            "threads": THREADS,
        }
    yield from _figure()


def _figure() -> Iterator[dict[str, Any]]:
    """What the browser gets of as many samples as may be shown; the places are drawn by chance."""
    rng = np.random.default_rng(0)
    labels, layout = rng.integers(0, 10, ALL), rng.normal(size=(ALL, 2)).astype(np.float32)
    colouring = by_class(labels, list("0123456789"))
    none = np.zeros(ALL, np.int64)
    json, seconds, cpu = _timed(
        lambda: map_figure(layout, colouring, none, ["mnist"], "A map", "axis")[0].to_json(engine="json")
    )
    yield _record(f"the figure of {ALL:,} samples, as JSON", seconds, cpu) | {"megabytes": round(len(json) / 1e6, 2)}


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    before, started = _cpu(), time.perf_counter()
    done = work()
    return done, time.perf_counter() - started, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _record(what: str, seconds: float, cpu: float) -> dict[str, Any]:
    return {"what": what, "figure": round(seconds, 2), "unit": "s", "cpu_s": round(cpu, 2)}

"""A network on its own test set: found and answered once for all sessions, with a bar that shows how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from core.errors import InklingError
from core.networks import TrainedNetwork, open_network
from pages.components.caches import fingerprint

if TYPE_CHECKING:
    from core.data import Samples
    from core.training.results import TestResult

STYLE = Path(__file__).parent / "train.css"
T = TypeVar("T")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Tested:
    """A network, the samples it is tested on, and what it answers."""

    network: TrainedNetwork
    samples: "Samples"
    result: "TestResult"


def test_of(name: str) -> Tested | None:
    """The network's answers to its test set; None, with the reason on the page, where they cannot be had."""
    try:
        return _tested(name)
    except InklingError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _tested(name: str) -> Tested:
    from core.training.results import logits_of, result_of

    network = open_network(name)
    samples = samples_of(network)
    kept = _results(fingerprint(network.passport), samples.sha256)
    if not kept:
        logits = with_progress(
            f"“{name}” reads the {len(samples):,} test samples …", lambda tell: logits_of(network, samples, tell)
        )
        temperature = network.passport.temperature
        kept.append(result_of(logits, samples.labels.numpy(), samples.classes, temperature))
    return Tested(network, samples, kept[0])


def samples_of(network: TrainedNetwork) -> "Samples":
    """The network's test samples; raises `DataError` where they cannot be had."""
    with st.spinner("Loading the test samples …"):
        from core.training.tested import held_out

        return held_out(network.passport)


@st.cache_resource(max_entries=16, show_spinner=False)
def _results(fingerprint: str, test_sha256: str) -> list["TestResult"]:
    """Where the one result is kept: filled outside, since what is cached cannot show its progress."""
    return []


def with_progress(text: str, work: Callable[[Progress], T]) -> T:
    """Does the work under a bar, which is gone afterwards."""
    bar = st.progress(0.0, text)
    try:
        return work(lambda done, total: bar.progress(done / total, text) and None)
    finally:
        bar.empty()

"""A network on its own test set: found and answered once for all sessions, with a bar that shows how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from core.errors import InklingError
from core.networks import TrainedNetwork, open_network
from pages.components.caches import fingerprint
from pages.components.kept import kept

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

    def read_all() -> "TestResult":
        text = f"“{name}” reads the {len(samples):,} test samples …"
        logits = with_progress(text, lambda tell: logits_of(network, samples, tell))
        return result_of(logits, samples.labels.numpy(), samples.classes, network.passport.temperature)

    return Tested(network, samples, kept(("tested", fingerprint(network.passport), samples.sha256), read_all))


def samples_of(network: TrainedNetwork) -> "Samples":
    """The network's test samples; raises `DataError` where they cannot be had."""
    with st.spinner("Loading the test samples …"):
        from core.training.tested import held_out

        return held_out(network.passport)


def with_progress(text: str, work: Callable[[Progress], T]) -> T:
    """Does the work under a bar, which is gone afterwards."""
    bar = st.progress(0.0, text)
    try:
        return work(lambda done, total: bar.progress(done / total, text) and None)
    finally:
        bar.empty()

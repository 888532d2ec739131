"""Which network is examined, and at which moment of its training."""

import streamlit as st

from core.inspection.subject import Subject, describe_moment, open_subject
from core.networks import TrainedNetwork, open_network
from core.training.runs import Snapshot
from core.training.tested import run_of
from pages.components.caches import fingerprint

END = "at its end"


def stored_subject(name: str) -> tuple[Subject, str, TrainedNetwork]:
    """The network of the store in use, at the moment that is chosen; raises `InklingError` where it is damaged."""
    trained = open_network(name)
    snapshot = _moment(trained)
    key = fingerprint(trained.passport)
    if snapshot is not None:
        key += f"@{snapshot.file.name}"
    return _subject(key, name, snapshot), key, trained


def _moment(trained: TrainedNetwork) -> Snapshot | None:
    """The moment to look at; None for the end, and for a network that came without snapshots."""
    run = run_of(trained)
    snapshots = run.snapshots() if run else []
    if len(snapshots) < 2:
        return None
    moments: dict[str, Snapshot | None] = {describe_moment(snapshot): snapshot for snapshot in snapshots}
    moments[END] = None
    chosen = st.select_slider(
        "Moment of its training", list(moments), value=END, key=f"inspect_moment_{trained.name}",
        help="Filters, layers and attributions as they were then; weights were kept after 1, 2, 5, 10, … batches and "
        "after every epoch.",
    )  # fmt: skip
    return moments[chosen]


@st.cache_resource(max_entries=24, show_spinner=False)
def _subject(key: str, name: str, _snapshot: Snapshot | None) -> Subject:
    return open_subject(open_network(name), _snapshot)

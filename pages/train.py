"""Train: choose data and a network, watch it learn, then look at every figure of it and keep it."""

from importlib import import_module
from typing import TYPE_CHECKING

import streamlit as st

from pages.components.header import heading
from pages.components.train.watch import has_runs, progress_panel, use_what_was_trained

if TYPE_CHECKING:
    from core.training import TrainingConfig

HERE = "pages.components.train"
SECTIONS = {
    "Data": ":material/database: Data",
    "Network": ":material/account_tree: Network",
    "Results": ":material/query_stats: Results",
    "Time machine": ":material/history: Time machine",
    "Compare": ":material/compare_arrows: Compare",
    "Your hand": ":material/draw: Your hand",
    "Keep and share": ":material/inventory_2: Keep and share",
}
OF_A_NETWORK = {  # who shows a section; imported when it is opened
    "Results": "results:results_panel", "Time machine": "replay:replay_panel", "Compare": "compare:compare_panel",
    "Your hand": "hand:hand_panel", "Keep and share": "keep:keep_panel",
}  # fmt: skip


def main() -> None:
    use_what_was_trained()
    network = heading("Train", "Make a network of your own, watch it learn, and get every figure of it.", tables=True)
    from pages.components.train.first_look import one_of_each_panel  # torch comes with it; the heading stands by then
    from pages.components.train.setup import DATASET, setup

    left, right = st.columns([2, 3], gap="large")
    with left:
        config = setup()
    with right:
        if has_runs():
            progress_panel()
        else:
            one_of_each_panel(st.session_state[DATASET])
    section = st.segmented_control(
        "Section", list(SECTIONS), default="Data", required=True, format_func=SECTIONS.get, wrap=True,
        key="train_section", label_visibility="collapsed",
    )  # fmt: skip
    show(section, st.session_state[DATASET], config, network)


def show(section: str, dataset: str, config: "TrainingConfig | None", network: str | None) -> None:
    """The chosen section: of what is about to be trained, or of the network in use."""
    if section in ("Data", "Network"):
        from pages.components.train.first_look import data_panel, dataset_classes, network_panel

        if section == "Data":
            data_panel(dataset)
        elif config:
            network_panel(config, len(dataset_classes(config.dataset) or range(10)))
    elif network is not None:
        module, function = OF_A_NETWORK[section].split(":")
        getattr(import_module(f"{HERE}.{module}"), function)(network)


main()

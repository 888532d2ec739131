"""Train: choose data and a network, watch it learn, then look at every figure of it and keep it."""

import streamlit as st

from core.training import TrainingConfig
from pages.components.header import heading
from pages.components.train.compare import compare_panel
from pages.components.train.first_look import data_panel, dataset_classes, network_panel, one_of_each_panel
from pages.components.train.hand import hand_panel
from pages.components.train.keep import keep_panel
from pages.components.train.replay import replay_panel
from pages.components.train.results import results_panel
from pages.components.train.setup import DATASET, setup
from pages.components.train.watch import has_runs, progress_panel, use_what_was_trained

SECTIONS = {
    "Data": ":material/database: Data",
    "Network": ":material/account_tree: Network",
    "Results": ":material/query_stats: Results",
    "Time machine": ":material/history: Time machine",
    "Compare": ":material/compare_arrows: Compare",
    "Your hand": ":material/draw: Your hand",
    "Keep and share": ":material/inventory_2: Keep and share",
}


def main() -> None:
    use_what_was_trained()
    network = heading("Train", "Make a network of your own, watch it learn, and get every figure of it.", tables=True)
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
    show(section, config, network)


def show(section: str, config: TrainingConfig | None, network: str | None) -> None:
    """The chosen section: of what is about to be trained, or of the network in use."""
    if section == "Data":
        data_panel(st.session_state[DATASET])
    elif section == "Network":
        if config:
            network_panel(config, len(dataset_classes(config.dataset) or range(10)))
    elif network is None:
        return
    elif section == "Results":
        results_panel(network)
    elif section == "Time machine":
        replay_panel(network)
    elif section == "Compare":
        compare_panel(network)
    elif section == "Your hand":
        hand_panel(network)
    elif section == "Keep and share":
        keep_panel(network)


main()

"""What to train: data set, network and settings → a `TrainingConfig` and a name; the start."""

from typing import Any

import streamlit as st

from core.data.registry import names
from core.data.uploads import MAX_ARCHIVE_BYTES, keep_table, list_uploads, unpack_images
from core.errors import InklingError
from core.networks import free_name
from core.networks.spec import ARCHITECTURES, CnnShape
from core.training import TrainingConfig, jobs, recipe
from pages.components.keys import TRAIN_START
from pages.components.train.settings import cnn_dimensions, more_settings, with_labels
from pages.components.train.titles import NETWORKS, dataset_title
from pages.components.train.watch import watch

DATASET, NETWORK, UPLOADED = "train_dataset", "train_network", "train_uploaded"


def setup() -> TrainingConfig | None:
    """Shows the choices; the config that they make, None (with the reason on the page) while they cannot work."""
    dataset = _dataset()
    network = _network(dataset)
    try:
        config = _config(dataset, network)
    except InklingError as error:
        st.error(with_labels(str(error)) if network == "cnn" else str(error), icon=":material/error:")
        config = None
    _start(config, network, dataset)
    return config


def is_table(dataset: str) -> bool:
    return dataset.startswith("heart:")


def _dataset() -> str:
    uploads = list_uploads()
    if added := st.session_state.pop(UPLOADED, None):
        st.session_state[DATASET] = added
    choice, upload = st.columns([5, 3], vertical_alignment="bottom")
    with choice:
        dataset = st.selectbox(
            "Data set",
            [*names(), *uploads],
            format_func=dataset_title,
            key=DATASET,
            help="What teaches the network. One part is kept back to test it with.",
            persist_state="session",
        )
    with (
        upload,
        st.popover(
            "Upload", icon=":material/upload:", help="Train on pictures or a table of your own", width="stretch"
        ),
    ):
        _upload()
    return dataset


def _upload() -> None:
    file = st.file_uploader(
        "A ZIP with a folder of pictures for each class, or the heart table as CSV",
        type=["zip", "csv"],
        max_upload_size=MAX_ARCHIVE_BYTES // 1_000_000,
        key="train_upload",
    )
    if file is None or st.session_state.get("train_upload_done") == file.file_id:
        return
    keep, kind = (keep_table, "heart") if file.name.lower().endswith(".csv") else (unpack_images, "folder")
    with st.spinner(f"Checking {file.name} …"):
        try:
            place = keep(file.getvalue(), file.name)
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            return
    st.session_state["train_upload_done"] = file.file_id
    st.session_state[UPLOADED] = f"{kind}:{place}"
    st.rerun()


def _network(dataset: str) -> str:
    wanted = "features" if is_table(dataset) else "glyphs"
    return st.selectbox(
        "Architecture",
        [name for name, architecture in ARCHITECTURES.items() if architecture.takes == wanted],
        format_func=lambda name: NETWORKS.get(name, name),
        key=f"{NETWORK}_{wanted}",
        help="How the new network is built: its layers and shapes are drawn under “Network” below.",
        persist_state="session",
    )


def _config(dataset: str, network: str) -> TrainingConfig:
    """Raises `InklingError` where the settings cannot work together."""
    base = recipe(network, dataset=dataset)
    changes: dict[str, Any] = {}
    epochs, seed = st.columns(2)
    changes["epochs"] = epochs.number_input(
        "Epochs",
        1,
        1000,
        base.epochs,
        key=f"train_epochs_{network}",
        help="Passes over the training samples.",
        persist_state="session",
    )
    changes["seed"] = seed.number_input(
        "Seed",
        0,
        2**31,
        1,
        key="train_seed",
        persist_state="session",
        help="All random numbers come from it: the same seed, the same network.",
    )
    dimensions = cnn_dimensions() if network == "cnn" else None
    with st.expander("More settings", icon=":material/tune:"):
        changes |= more_settings(base)
    if dimensions:  # only now may they be refused: what is not shown is forgotten
        changes["cnn"] = CnnShape(**dimensions)
    config = recipe(network, dataset=dataset, **changes)
    config.spec(classes=2)  # raises where a layer does not fit, with its name
    return config


def _start(config: TrainingConfig | None, network: str, dataset: str) -> None:
    short = dataset_title(dataset).split(" (")[0].removesuffix(".csv") if ":" in dataset else dataset
    proposed = free_name(f"{network}-{short}")
    name = st.text_input(
        "Name", proposed, key=f"train_name_{proposed}", max_chars=64, help="The network's name in every page's picker."
    )
    if st.button(
        "Train",
        type="primary",
        icon=":material/play_arrow:",
        key=TRAIN_START,
        disabled=config is None,
        width="stretch",
    ):
        assert config is not None  # the button is disabled without one
        try:
            watch(jobs.start(config, name.strip()))
        except InklingError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.rerun()

"""The settings that matter less often, each with the recipe's value to begin with."""

import os
import re
from typing import Any

import streamlit as st

from core.networks.spec import ACTIVATIONS, POOL_PLACES, CnnShape
from core.training import TrainingConfig
from core.training.config import AUGMENTATIONS, LOSSES, OPTIMIZERS, PRECISIONS, SCHEDULES

TITLES = {
    "sgd": "SGD with momentum",
    "adam": "Adam",
    "one-cycle": "one cycle: up, then down to nothing",
    "constant": "constant",
    "cross-entropy": "cross-entropy (negative log-likelihood)",
    "mse": "mean squared error",
    "handwriting": "handwriting: bent, thicker, thinner, blurred",
    "pictures": "pictures: mirrored and moved",
    "none": "none",
    "each": "after each convolution",
    "last": "after the last convolution",
}


DIMENSIONS = {  # of `cnn`: how they are called here
    "conv_layers": "Convolutions",
    "filters": "Filters",
    "filter_size": "Filter size (px)",
    "pool_size": "Pooling size (px)",
    "pool_place": "Pooling",
    "activation": "Activation",
    "dense_nodes": "Dense nodes",
    "second_dropout": "Second dropout",
    "batch_norm": "Batch normalisation",
}


def with_labels(message: str) -> str:
    """A message about the dimensions of `cnn` in this page's words: `filter_size` → “Filter size (px)”."""
    names = "|".join(DIMENSIONS)
    return re.sub(rf"\b({names})\b", lambda found: f"“{DIMENSIONS[found[0]]}”", message)


def more_settings(base: TrainingConfig) -> dict[str, Any]:
    """The chosen settings; each network remembers its own."""

    def key(setting: str) -> str:
        return f"train_{setting}_{base.network}"

    def choose(label: str, setting: str, options: tuple[str, ...], about: str) -> str:
        value = getattr(base, setting)
        return st.selectbox(
            label,
            options,
            options.index(value),
            format_func=_title,
            key=key(setting),
            help=about,
            persist_state="session",
        )

    left, right = st.columns(2)
    with left:
        batch_size = st.number_input(
            "Batch size",
            1,
            10_000,
            base.batch_size,
            key=key("batch_size"),
            persist_state="session",
            help="Examples of one step.",
        )
        optimizer = choose("Optimizer", "optimizer", OPTIMIZERS, "How a gradient becomes a step.")
        momentum = st.number_input(
            "Momentum",
            0.0,
            0.999,
            base.momentum,
            0.05,
            key=key("momentum"),
            persist_state="session",
            disabled=optimizer != "sgd",
            help="The share of the last step that is kept in the next.",
        )
        weight_decay = st.number_input(
            "Weight decay",
            0.0,
            1.0,
            base.weight_decay,
            1e-4,
            format="%g",
            key=key("weight_decay"),
            persist_state="session",
            help="How strongly weights are drawn to zero.",
        )
        threads = st.number_input(
            "Threads",
            1,
            64,
            min(base.threads, os.cpu_count() or 1),
            key=key("threads"),
            persist_state="session",
            help="Processor cores. With one thread, a training can be repeated bit for bit.",
        )
    with right:
        learning_rate = st.number_input(
            "Learning rate",
            0.0,
            1e9,
            base.learning_rate,
            base.learning_rate / 5,
            format="%g",
            key=key("learning_rate"),
            persist_state="session",
            help="The length of a step; the peak where it follows a cycle.",
        )
        schedule = choose("Schedule", "schedule", SCHEDULES, "How the learning rate goes over the epochs.")
        dropout = st.number_input(
            "Dropout",
            0.0,
            0.95,
            base.dropout,
            0.05,
            key=key("dropout"),
            persist_state="session",
            help="The share of activations that a step leaves out.",
        )
        loss = choose("Loss", "loss", LOSSES, "What training makes small.")
        device = st.selectbox(
            "Device", _devices(), key=key("device"), persist_state="session", help="Where the arithmetic is done."
        )
    augmentation = choose("Augmentation", "augmentation", AUGMENTATIONS, "How each batch's pictures are changed.")
    precision = choose("Precision", "precision", PRECISIONS, "bfloat16 is quicker where the processor has it.")
    return {
        "batch_size": batch_size,
        "optimizer": optimizer,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "threads": threads,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "dropout": dropout,
        "loss": loss,
        "device": device,
        "augmentation": augmentation,
        "precision": precision,
        "negatives": base.negatives if loss == "cross-entropy" else 0,
    }


def cnn_dimensions() -> dict[str, Any]:
    """The free dimensions of `cnn` as they were chosen, possible or not."""
    plain = CnnShape()
    left, right = st.columns(2)
    with left:
        conv_layers = st.number_input(
            DIMENSIONS["conv_layers"], 1, 8, plain.conv_layers, key="train_cnn_conv_layers", persist_state="session"
        )
        filter_size = st.number_input(
            DIMENSIONS["filter_size"], 1, 28, plain.filter_size, key="train_cnn_filter_size", persist_state="session"
        )
        pool_size = st.number_input(
            DIMENSIONS["pool_size"], 1, 28, plain.pool_size, key="train_cnn_pool_size", persist_state="session"
        )
        dense_nodes = st.number_input(
            DIMENSIONS["dense_nodes"], 1, 4096, plain.dense_nodes, key="train_cnn_dense_nodes", persist_state="session"
        )
    with right:
        filters = st.text_input(
            DIMENSIONS["filters"],
            ", ".join(map(str, plain.filters)),
            key="train_cnn_filters",
            persist_state="session",
            help="Of each convolution; the last number holds for all after it.",
        )
        pool_place = st.selectbox(
            DIMENSIONS["pool_place"],
            POOL_PLACES,
            format_func=_title,
            key="train_cnn_pool_place",
            persist_state="session",
        )
        activation = st.selectbox(
            DIMENSIONS["activation"], ACTIVATIONS, key="train_cnn_activation", persist_state="session"
        )
        second_dropout = st.number_input(
            DIMENSIONS["second_dropout"],
            0.0,
            0.95,
            plain.second_dropout,
            0.05,
            key="train_cnn_second_dropout",
            persist_state="session",
            help="After the dense layer; the first one stands before it.",
        )
    batch_norm = st.checkbox(
        DIMENSIONS["batch_norm"], plain.batch_norm, key="train_cnn_batch_norm", persist_state="session"
    )
    numbers = [part.strip() for part in filters.split(",")]
    return {
        "conv_layers": conv_layers,
        "filters": tuple(int(number) if number.isdecimal() else number for number in numbers),
        "filter_size": filter_size,
        "pool_size": pool_size,
        "pool_place": pool_place,
        "activation": activation,
        "dense_nodes": dense_nodes,
        "second_dropout": second_dropout,
        "batch_norm": batch_norm,
    }


def _title(value: str) -> str:
    return TITLES.get(value, value)


def _devices() -> list[str]:
    """`cuda` where there is a graphics processor; asked without importing torch, which takes seconds."""
    return ["cpu", "cuda"] if os.path.exists("/dev/nvidia0") else ["cpu"]

"""A small trained network (trained: no; stored: yes) that each test may spoil a copy of."""

import shutil
from pathlib import Path

import pytest
import torch

from core.networks import NetworkSpec, save_network
from core.networks.base import build

FIELDS = {
    "name": "mine",
    "classes": tuple("0123456789"),
    "data": {"name": "mnist"},
    "seed": 3,
    "training": {"epochs": 1},
    "metrics": {"test_accuracy": 0.5, "parameters": 21_840},
    "temperature": 1.5,
    "refusal_threshold": -2.0,
}


@pytest.fixture
def passport_fields() -> dict:
    """What the caller of `save_network` says of the network."""
    return dict(FIELDS)


@pytest.fixture(scope="session")
def stored_once(tmp_path_factory) -> Path:
    """A `report` network with random weights, in a folder of its own: exporting takes seconds, copying does not."""
    torch.manual_seed(3)
    return save_network(build(NetworkSpec("report")), FIELDS, tmp_path_factory.mktemp("shelf")).folder


@pytest.fixture
def stored(stored_once, inkling_home) -> Path:
    """The folder of the network `mine` in this test's `INKLING_HOME`."""
    return Path(shutil.copytree(stored_once, inkling_home / "networks" / "mine"))

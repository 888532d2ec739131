"""What the report's tests share: a real training, done once."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory) -> Path:
    """The folder of the run `my-run`: an epoch of `report` on stroke digits."""
    from core.training.execute import train
    from core.training.recipes import recipe

    shelf = tmp_path_factory.mktemp("shelf")
    config = recipe("report", dataset="strokes-digits", epochs=1, batch_size=256, threads=1)
    for _ in train(config, "my-run", shelf):
        pass
    return shelf / "my-run"


@pytest.fixture
def trained(trained_once, inkling_home) -> Path:
    """The run `my-run` in this test's `INKLING_HOME`."""
    return Path(shutil.copytree(trained_once, inkling_home / "networks" / "my-run"))

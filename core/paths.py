"""Where things lie on disk; the only place that reads Inkling's environment variables."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT / "assets"


def data_dir() -> Path:
    """The folder of the data sets (`INKLING_DATA`, default `data/` in the project), in torchvision's layout."""
    return Path(os.environ.get("INKLING_DATA") or PROJECT / "data").expanduser()


def home_dir() -> Path:
    """The folder that Inkling writes to (`INKLING_HOME`, default `~/.inkling`): trained networks, runs, studies."""
    return Path(os.environ.get("INKLING_HOME") or "~/.inkling").expanduser()

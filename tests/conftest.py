"""What all tests share: a home of their own, and the data sets where they are at hand."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from core.networks.base import Network

PROJECT = Path(__file__).resolve().parent.parent

# Three tests run at a time, so torch's threads shall not spin (core/training/threads.py).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # six threads on two cores would mostly wait for one another
if folder := os.environ.get("INKLING_DATA"):  # relative to where pytest was started, and tests start programs elsewhere
    os.environ["INKLING_DATA"] = str(Path(folder).expanduser().resolve())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the files of browser tests among the others: several browsers at once stand in each other's way."""
    files = list(dict.fromkeys(item.path for item in items))
    browsers = [file for file in files if file.parent.name == "browser"]
    others = [file for file in files if file not in browsers]
    between = max(1, len(others) // (len(browsers) + 1))
    order: list[Path] = []
    for number, file in enumerate(others):
        if number % between == 0 and browsers:
            order.append(browsers.pop())
        order.append(file)
    places = {file: place for place, file in enumerate(order + browsers)}
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(autouse=True)
def inkling_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `INKLING_HOME`; no test ever writes to the user's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("INKLING_HOME", str(home))
    return home


@pytest.fixture(scope="session", autouse=True)
def exported_once() -> Iterator[None]:
    """torch's ONNX exporter takes seconds, and many tests keep the same network: the same weights are exported once."""
    from core.networks import runtime

    export, made = runtime.export_onnx, {}

    def once(network: "Network", weights_sha256: str, **about: str) -> bytes:
        weights = b"".join(tensor.contiguous().numpy().tobytes() for tensor in network.state_dict().values())
        key = (network.spec, hashlib.sha256(weights).hexdigest(), weights_sha256, *sorted(about.items()))
        if key not in made:
            made[key] = export(network, weights_sha256, **about)
        return made[key]

    runtime.export_onnx = once
    yield
    runtime.export_onnx = export


@pytest.fixture
def data_or_skip() -> Callable[[str], Path]:
    """`data_or_skip("MNIST/raw")` → that folder of `INKLING_DATA`; skips the test where it is missing."""
    from core.paths import data_dir

    def folder(name: str) -> Path:
        path = data_dir() / name
        if not path.exists():
            pytest.skip(f"{path} is missing: set INKLING_DATA to a folder that holds {name}")
        return path

    return folder


@pytest.fixture
def command_line() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`command_line("read", path, "--json")` → the finished process of `python -m core …`, run from the project."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core", *map(str, arguments)],
            cwd=PROJECT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def table_network_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network for the rows of a table, with random weights, in a folder of its own."""
    import torch

    from core.networks import NetworkSpec, save_network
    from core.networks.base import build

    fields = {
        "name": "rows",
        "classes": ("healthy", "ill"),
        "data": {"name": "heart"},
        "seed": 1,
        "training": {},
        "metrics": {},
        "temperature": 1.0,
        "refusal_threshold": 0.0,
        "preprocessing": {"columns": [f"column {i}" for i in range(11)]},
    }
    torch.manual_seed(4)
    return save_network(build(NetworkSpec("heart-11-10-1")), fields, tmp_path_factory.mktemp("shelf")).folder


@pytest.fixture
def table_network(table_network_once: Path, inkling_home: Path) -> Path:
    """The folder of the network `rows` in this test's `INKLING_HOME`."""
    return Path(shutil.copytree(table_network_once, inkling_home / "networks" / "rows"))

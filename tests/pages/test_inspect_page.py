"""The Inspect Layers page: every section for every network, every way to hand something in."""

import shutil

import pytest
import torch

from core.data import load
from core.networks import NetworkSpec, save_network
from core.networks.base import build
from core.networks.spec import ARCHITECTURES
from core.training import TrainingConfig
from core.training.execute import train
from pages.components.inspect.view import LAYER, SECTION
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/inspect_layers.py"
SECTIONS = (
    "Structure", "Filters", "Layers", "Where it looked", "Stroke by stroke", "Units", "Surgery", "Robustness",
)  # fmt: skip
GLYPHS = [name for name, architecture in ARCHITECTURES.items() if architecture.takes == "glyphs"]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A network of each architecture that reads glyphs, with random weights, and a short run with snapshots."""
    folder = tmp_path_factory.mktemp("shelf")
    for architecture in GLYPHS:
        torch.manual_seed(6)
        fields = {
            "name": f"fresh-{architecture}", "classes": tuple("0123456789"), "data": {"name": "digits-8x8"}, "seed": 6,
            "training": {"dataset": "digits-8x8"}, "metrics": {"test_accuracy": 0.1}, "temperature": 1.0,
            "refusal_threshold": -9.0,
        }  # fmt: skip
        save_network(build(NetworkSpec(architecture)), fields, folder)
    for _ in train(TrainingConfig(dataset="digits-8x8", epochs=1, threads=1), "run", folder):
        pass
    return folder


@pytest.fixture
def open_network_page(open_app, inkling_home, shelf):
    """`open_network_page("fresh-vit")` → the page with that network in use."""
    shutil.copytree(shelf, inkling_home / "networks")

    def open_(network: str):
        app = open_app()
        app.selectbox(key=NETWORK_PICKER).select(network).run()
        app.switch_page(PAGE).run()
        assert not app.exception
        return app

    return open_


@pytest.mark.parametrize("architecture", GLYPHS)
def test_every_section_opens_for_every_network(open_network_page, architecture):
    app = open_network_page(f"fresh-{architecture}")
    for section in SECTIONS:
        app.segmented_control(key=SECTION).select(section).run()
        assert not app.exception, (section, app.exception[0].stack_trace)
        assert not app.error, (section, app.error[0].value)

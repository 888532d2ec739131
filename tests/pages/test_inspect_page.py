"""The Inspect Layers page: every section for every network, every way to hand something in."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import torch

from core.data import load
from core.networks import NetworkSpec, open_network, save_network
from core.networks.base import build
from core.training import TrainingConfig
from core.training.execute import train
from core.training.results import logits_of
from pages.components.inspect.subjects import END
from pages.components.inspect.view import LAYER, SECTION
from pages.components.keys import NETWORK_PICKER
from pages.components.live_controls import LAST_SNAPSHOT

PAGE = "pages/inspect_layers.py"
# As pages/components name them; modules that import the canvas can only be imported while the app runs.
DRAWN, WAY, DRAWING, SNAPSHOT = "draw_canvas_drawn", "inspect_way", "drawing", "snapshot"
SECTIONS = (
    "Structure", "Filters", "Layers", "Where it looked", "Stroke by stroke", "Units", "Surgery", "Robustness",
)  # fmt: skip
UNLIKE = ("report", "mlp", "vit", "residual")  # plain convolutions, none at all, attention, blocks with norms


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A network of each kind that reads glyphs, with random weights, and a short run with snapshots."""
    folder = tmp_path_factory.mktemp("shelf")
    for architecture in UNLIKE:
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
    """`open_network_page("fresh-vit", inspect_test_number=7)` → the page with that network and that session state."""
    shutil.copytree(shelf, inkling_home / "networks")

    def open_(network: str, **state):
        app = open_app()
        for key, value in state.items():
            app.session_state[key] = value
        app.selectbox(key=NETWORK_PICKER).select(network).run()
        app.switch_page(PAGE).run()
        app.run()  # AppTest hands the kept choice over one run late; a browser does so at once
        assert not app.exception
        return app

    return open_


@pytest.mark.parametrize("architecture", UNLIKE)
def test_every_section_opens_for_every_kind_of_network(open_network_page, architecture):
    app = open_network_page(f"fresh-{architecture}")
    for section in SECTIONS:
        app.segmented_control(key=SECTION).select(section).run()
        assert not app.exception, (section, app.exception[0].stack_trace)
        assert not app.error, (section, app.error[0].value)


def specimen_shown(app) -> str:
    """The caption under the glyph that goes in."""
    (caption,) = re.findall(r"<figcaption>(.*?)</figcaption>", html(app))
    return caption


def html(app) -> str:
    return "\n".join(block.proto.body for block in app.get("html"))


def png(strokes: list[tuple[tuple[int, int], ...]]) -> bytes:
    """Strokes on the sheet, as the canvas sends them."""
    sheet = np.full((340, 600, 3), 255, np.uint8)
    for stroke in strokes:
        cv2.polylines(sheet, [np.array(stroke)], False, (30, 24, 22), 18, cv2.LINE_AA)
    return cv2.imencode(".png", sheet)[1].tobytes()


def test_a_test_sample_by_its_number_any_other_or_a_mistake(open_network_page):
    app = open_network_page("run")
    samples = load("digits-8x8", "test")
    assert specimen_shown(app) == f"test sample 1, truly {samples.classes[samples.labels[0]]}"
    app.number_input(key="inspect_test_number").set_value(7).run()
    assert specimen_shown(app) == f"test sample 7, truly {samples.classes[samples.labels[6]]}"
    app.button(key="inspect_mistake").click().run()
    index = app.number_input(key="inspect_test_number").value - 1
    trained = open_network("run")
    answer = logits_of(trained, samples).argmax(1)[index]
    assert answer != samples.labels[index], "the network, trained for one epoch, gets it right"
    wrong = f"it answers **{samples.classes[answer]}**"
    assert any("**Wrong:**" in text.value and wrong in text.value for text in app.markdown)
    app.button(key="inspect_any").click().run()
    assert 1 <= app.number_input(key="inspect_test_number").value <= len(samples)
    assert not app.exception


def test_a_smaller_test_set_has_a_last_sample(open_network_page):
    app = open_network_page("run", inspect_test_number=10_000)
    assert app.number_input(key="inspect_test_number").value == len(load("digits-8x8", "test"))


def test_a_network_at_another_moment_of_its_training(open_network_page):
    app = open_network_page("run")
    slider = app.select_slider(key="inspect_moment_run")
    assert slider.value == END
    slider.set_value("before any training").run()
    assert not app.exception
    assert "run answers, before any training" in app.get("plotly_chart")[0].proto.spec


def test_a_network_without_snapshots_has_no_moments(open_network_page):
    app = open_network_page("fresh-report")
    assert not [slider for slider in app.select_slider if slider.key.startswith("inspect_moment")]


def test_without_a_drawing_the_page_says_what_to_do(open_network_page):
    app = open_network_page("run")
    app.segmented_control(key=WAY).select(DRAWING).run()
    assert any("Draw a symbol" in caption.value for caption in app.caption)
    assert not app.exception


def test_the_drawing_of_the_draw_page_is_shown_to_the_network(open_network_page):
    app = open_network_page("run")
    app.session_state[DRAWN] = {"strokes": [{"type": "Path"}], "png": png([((300, 60), (300, 280))])}
    app.segmented_control(key=WAY).select(DRAWING).run()
    assert specimen_shown(app) == "your drawing"


def test_of_several_symbols_one_is_chosen(open_network_page):
    app = open_network_page("run")
    strokes = [((100, 60), (100, 280)), ((300, 60), (300, 280)), ((450, 60), (450, 280))]
    app.session_state[DRAWN] = {"strokes": [{"type": "Path"}] * 3, "png": png(strokes)}
    app.segmented_control(key=WAY).select(DRAWING).run()
    choice = app.button_group(key="inspect_symbol_3")
    assert choice.options == ["1", "2", "3"]
    assert html(app).count('alt="symbol') == 3


def test_the_last_snapshot_of_the_camera_is_shown_to_the_network(open_network_page):
    app = open_network_page("run")
    app.segmented_control(key=WAY).select(SNAPSHOT).run()
    assert any("take one on Live Camera" in caption.value for caption in app.caption)
    app.session_state[LAST_SNAPSHOT] = cv2.imdecode(
        np.frombuffer(png([((300, 60), (300, 280))]), np.uint8), cv2.IMREAD_COLOR
    )
    app.run()
    assert specimen_shown(app) == "the last snapshot"


def test_an_empty_picture_is_told_in_a_sentence(open_network_page):
    app = open_network_page("run")
    app.session_state[LAST_SNAPSHOT] = np.full((120, 200, 3), 255, np.uint8)
    app.segmented_control(key=WAY).select(SNAPSHOT).run()
    assert [error.value.split(";")[0] for error in app.error] == ["No symbol was found on the picture"]
    assert not app.exception


def test_a_layer_that_was_clicked_for_another_network_is_forgotten(open_network_page):
    app = open_network_page("fresh-vit")
    app.session_state[LAYER] = "conv2"
    app.segmented_control(key=SECTION).select("Layers").run()
    assert not app.exception
    assert not app.error


def test_what_would_be_refused_is_said(open_network_page):
    """The stored threshold of the fresh networks is low; one that nothing can reach refuses everything."""
    app = open_network_page("fresh-report")
    assert not any("refuse" in text.value for text in app.markdown)
    trained = open_network("fresh-report")
    record = trained.passport.to_json() | {"refusal_threshold": 1e6}
    (trained.folder / "passport.json").write_text(json.dumps(record))
    app.run()
    assert any("it would **refuse** this" in text.value for text in app.markdown)

"""Where it looked, stroke by stroke and units on the page: what is chosen is shown, and what cannot be is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data import load
from core.inspection.attributions import GRAD_CAM, INTEGRATED, OCCLUSION, attribute
from core.inspection.subject import open_subject
from core.networks import NetworkSpec, open_network, save_network
from core.networks.base import build
from core.training import TrainingConfig
from core.training.execute import train
from pages.components.inspect.view import SECTION
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/inspect_layers.py"
WAY, NUMBER, DRAWN = "inspect_way", "inspect_test_number", "draw_canvas_drawn"  # session state of other components
DRAWING = "drawing"
FOLDER = Path(__file__).parent.parent / "inspection"  # where a drawing is kept as the canvas gave it


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A short run of `report`, and a multilayer perceptron with random weights."""
    folder = tmp_path_factory.mktemp("shelf")
    for _ in train(TrainingConfig(dataset="digits-8x8", epochs=2, threads=1), "run", folder):
        pass
    torch.manual_seed(6)
    fields = {
        "name": "fresh-mlp", "classes": tuple("0123456789"), "data": {"name": "digits-8x8"}, "seed": 6,
        "training": {"dataset": "digits-8x8"}, "metrics": {"test_accuracy": 0.1}, "temperature": 1.0,
        "refusal_threshold": -9.0,
    }  # fmt: skip
    save_network(build(NetworkSpec("mlp")), fields, folder)
    return folder


@pytest.fixture
def open_section(open_app, inkling_home, shelf):
    """`open_section("run", "Units")` → the page with that network and section."""
    shutil.copytree(shelf, inkling_home / "networks")

    def open_(network: str, section: str):
        app = open_app()
        app.selectbox(key=NETWORK_PICKER).select(network).run()
        app.switch_page(PAGE).run()
        app.segmented_control(key=SECTION).select(section).run()
        assert not app.exception, app.exception[0].stack_trace
        return app

    return open_


def figure_of(app, key: str) -> dict:
    """The figure of that key, as the browser gets it."""
    (found,) = [chart for chart in app.get("plotly_chart") if key in chart.proto.id]
    return json.loads(found.proto.spec or found.proto.figure.spec)


def numbers(values) -> np.ndarray:
    """What Plotly sends in base64 for an array."""
    import base64

    if isinstance(values, list):
        return np.array(values, float)
    flat = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"].replace("f", "<f")))
    return flat.reshape([int(n) for n in values["shape"].split(",")] if "shape" in values else -1)


def said(app) -> str:
    boxes = [*app.caption, *app.info, *app.success, *app.warning, *app.error, *app.markdown, *app.subheader]
    return "\n".join(box.value for box in boxes)


def select(app, label: str):
    return next(box for box in app.selectbox if box.label == label)


def test_the_map_is_the_one_of_the_answer_and_the_runner_up(open_section):
    app = open_section("run", "Where it looked")
    subject = open_subject(open_network("run"))
    glyph = load("digits-8x8", "test").images[:1].float()[:, None] / 255
    second, first = subject.probabilities(glyph)[0].argsort()[-2:]
    assert select(app, "What speaks for the class").value == first
    assert select(app, "And why not the class").value == second
    maps = figure_of(app, "inspect_looked_maps")["data"]
    assert len(maps) == 3
    own = [attribute(subject, glyph, INTEGRATED, int(target)).values for target in (first, second)]
    for shown, expected in zip(maps, [*own, own[0] - own[1]], strict=True):
        np.testing.assert_allclose(numbers(shown["z"]), expected, atol=1e-5)
    assert "Completeness: all parts add up to" in said(app)
    assert any(word in said(app) for word in ("Trustworthy", "trustworthy", "Not more than chance", "Cannot be"))


def test_another_class_and_another_method_give_another_map(open_section):
    app = open_section("run", "Where it looked")
    method = next(box for box in app.segmented_control if box.label == "Method")
    assert method.options == ["Integrated gradients", "Grad-CAM", "Occlusion", "Saliency"]
    method.select(GRAD_CAM).run()
    assert not app.exception
    select(app, "What speaks for the class").select(4).run()
    select(app, "Layer").select(0).run()
    subject = open_subject(open_network("run"))
    glyph = load("digits-8x8", "test").images[:1].float()[:, None] / 255
    expected = attribute(subject, glyph, GRAD_CAM, 4, subject.convolutions[0]).values
    shown = figure_of(app, "inspect_looked_maps")["data"][0]
    np.testing.assert_allclose(numbers(shown["z"]), expected, atol=1e-5)


def test_all_methods_are_compared_in_a_table(open_section):
    app = open_section("fresh-mlp", "Where it looked")
    assert "Grad-CAM does not apply: this network has no convolution" in said(app)
    method = next(box for box in app.segmented_control if box.label == "Method")
    assert "Grad-CAM" not in method.options
    method.select(OCCLUSION).run()
    app.toggle(key="inspect_looked_compare").set_value(True).run()
    assert not app.exception
    (table,) = [frame.value for frame in app.dataframe]
    assert list(table["method"]) == ["Integrated gradients", "Occlusion", "Saliency"]
    assert table["like random weights"].between(0, 1).all()


def test_another_picture_has_another_answer(open_section):
    app = open_section("run", "Where it looked")
    before = figure_of(app, "inspect_looked_maps")["data"][0]["z"]
    app.number_input(key=NUMBER).set_value(3).run()
    assert not app.exception
    assert figure_of(app, "inspect_looked_maps")["data"][0]["z"] != before


def test_strokes_ask_for_a_drawing_and_lead_there(open_section):
    app = open_section("run", "Stroke by stroke")
    assert "only the finished picture is known" in said(app)
    app.button(key="inspect_strokes_draw").click().run()
    assert not app.exception
    assert app.session_state[WAY] == DRAWING
    assert "Draw a symbol above" in said(app)


def drawing_app(open_section, objects: list):
    app = open_section("digits", "Stroke by stroke")
    app.session_state[DRAWN] = {"strokes": objects, "png": (FOLDER / "drawn_five.png").read_bytes()}
    app.segmented_control(key=WAY).select(DRAWING).run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def cards(app) -> str:
    return "".join(block.proto.body for block in app.get("html") if "inspect-strokes" in block.proto.body)


def test_a_drawing_is_taken_apart(open_section):
    objects = json.loads((FOLDER / "drawn_five.json").read_text("utf-8"))
    app = drawing_app(open_section, objects)
    assert cards(app).count("<figure") == 3
    assert "Without stroke 1: matters most" in cards(app)
    assert "Stroke 1 matters most: without it the answer is" in said(app)
    assert "could not be read" not in said(app)


def test_broken_strokes_are_left_out_and_a_single_one_is_cut(open_section):
    (body, _) = json.loads((FOLDER / "drawn_five.json").read_text("utf-8"))
    app = drawing_app(open_section, [body, {"type": "Path", "path": "none"}])
    assert cards(app).count("<figure") == 6
    assert "piece 1" in cards(app)
    assert "cut into pieces of equal length" in said(app)


def test_nothing_but_broken_strokes_is_said(open_section):
    app = drawing_app(open_section, [{"type": "Path", "path": None}])
    assert not cards(app)
    assert not app.error
    assert "clear the canvas" in said(app)


def test_a_unit_shows_its_samples_and_the_picture_it_wants(open_section):
    app = open_section("run", "Units")
    select(app, "Class").select(3).run()
    assert not app.exception
    assert "What excites class 3 most" in said(app)
    assert "A picture made to look like 3 to the network" in said(app)
    assert "The network reads this picture as" in said(app)
    assert "threshold" in said(app)
    assert len(figure_of(app, "inspect_units_samples")["layout"]["images"]) == 12
    outputs = figure_of(app, "inspect_units_outputs")["data"][0]
    made, *real = numbers(outputs["x"])
    assert len(real) == 2
    assert ("the climb did not reach the top" in said(app)) == (max(real) > made)


def test_a_channels_field_is_framed(open_section):
    app = open_section("run", "Units")
    layers = select(app, "Layer")
    position = next(i for i, title in enumerate(layers.options) if "conv 20@5×5" in title)
    layers.select_index(position).run()
    assert not app.exception
    assert "Framed: the 14×14 pixels" in said(app)
    shapes = figure_of(app, "inspect_units_samples")["layout"]["shapes"]
    assert len(shapes) == 12
    assert all((shape["x1"] - shape["x0"], shape["y1"] - shape["y0"]) == (14, 14) for shape in shapes)


def test_a_tables_network_is_explained_by_its_features(open_app, inkling_home, data_or_skip):
    table = data_or_skip("heart") / "heart.csv"
    config = TrainingConfig(dataset=f"heart:{table}", network="heart-11-10-1", epochs=1, threads=1)
    for _ in train(config, "patients", inkling_home / "networks"):
        pass
    app = open_app()
    app.switch_page(PAGE).run()
    app.selectbox(key=NETWORK_PICKER).select("patients").run()
    app.segmented_control(key=SECTION).select("Where it looked").run()
    assert not app.exception, app.exception[0].stack_trace
    (bars,) = figure_of(app, "inspect_looked_maps")["data"]
    assert len(bars["y"]) == 11
    assert any(text.startswith("Sex = ") for text in bars["y"])
    app.segmented_control(key=SECTION).select("Stroke by stroke").run()
    assert "Strokes belong to handwriting" in said(app)
    app.segmented_control(key=SECTION).select("Units").run()
    assert not app.exception, app.exception[0].stack_trace
    assert "An ideal picture does not apply" in said(app) or "it is dead" in said(app)

"""The sections Filters and Layers of the page Inspect Layers: what they say of each kind of network is true of it."""

import shutil

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.data import Samples
from core.networks import NetworkSpec, save_network
from core.networks.base import build
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/inspect_layers.py"
NETWORKS = ("report", "digits", "mlp", "vit", "heart-11-10-1")
COLUMNS = tuple("abcdefghijk")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf")
    for architecture in NETWORKS:
        torch.manual_seed(6)
        table = architecture.startswith("heart")
        data = "heart:patients.csv" if table else "digits-8x8"
        fields = {
            "name": f"fresh-{architecture}", "classes": ("no", "yes") if table else tuple("0123456789"),
            "data": {"name": data}, "seed": 6, "training": {"dataset": data}, "metrics": {"test_accuracy": 0.1},
            "temperature": 1.0, "refusal_threshold": -9.0,
        }  # fmt: skip
        if table:
            fields["preprocessing"] = {"columns": list(COLUMNS), "mean": [0.0] * 11, "std": [1.0] * 11, "codes": {}}
        save_network(build(NetworkSpec(architecture)), fields, folder)
    return folder


@pytest.fixture
def open_section(open_app, inkling_home, shelf):
    """`open_section("report", "Layers")` → the page with that section of that fresh network."""
    shutil.copytree(shelf, inkling_home / "networks")

    def open_(network: str, section: str) -> AppTest:
        app = open_app()
        app.session_state["inspect_section"] = section
        app.switch_page(PAGE).run()  # other pages do not offer networks for tables
        app.selectbox(key=NETWORK_PICKER).select(f"fresh-{network}").run()
        return sound(app)

    return open_


def sound(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error, app.error[0].value
    return app


def said(app: AppTest) -> str:
    """All words of the page, without figures and widgets."""
    return " ".join(x.value for part in (app.markdown, app.caption, app.info, app.subheader) for x in part)


def charts(app: AppTest) -> list[str]:
    return [chart.proto.id for chart in app.get("plotly_chart")]


def has_chart(app: AppTest, key: str) -> bool:
    return any(key in chart for chart in charts(app))


def test_the_first_filters_in_words_and_pictures(open_section):
    app = open_section("report", "Filters")
    words = said(app)
    assert "[10, 1, 5, 5]: 10 filters, each over 1 channel, 5 rows by 5 columns" in words
    assert "The layer does not pad" in words
    assert "adds each filter's bias" in words
    assert has_chart(app, "inspect_filters")
    assert has_chart(app, "inspect_effect")
    table = next(frame.value for frame in app.dataframe if "what it looks like" in frame.value)
    assert list(table["filter"]) == list(range(1, 11))


def test_filters_can_be_put_in_order(open_section):
    app = open_section("report", "Filters")
    for way, check in (
        ("By norm", lambda t: (np.diff(t["norm"]) <= 0).all()),
        ("By orientation", lambda t: len(t) == 10),
    ):
        next(c for c in app.segmented_control if c.label == "Order").select(way).run()
        table = next(frame.value for frame in sound(app).dataframe if "norm" in frame.value)
        assert check(table)
    assert sorted(table["filter"]) == list(range(1, 11))
    edges = [w.split("°")[0].split(" ")[-1] for w in table["what it looks like"] if w.startswith("edge")]
    assert edges == sorted(edges, key=int)


def test_a_deeper_layer_shows_what_its_channels_share_one_of_them_or_their_norm(open_section):
    app = open_section("report", "Filters")
    layer = next(box for box in app.selectbox if box.label == "Layer")
    layer.select(next(title for title in layer.options if "conv2" in title)).run()
    assert "[20, 10, 5, 5]" in said(sound(app))
    for way in ("One channel", "Norm over the channels", "What the channels share"):
        next(c for c in app.segmented_control if c.label == "What to show of each filter").select(way).run()
        sound(app)
    assert "reads 10 channels" in said(app)


def test_the_layer_that_was_clicked_on_is_the_one_shown(open_section):
    app = open_section("report", "Structure")
    app.session_state["inspect_layer"] = "conv2"
    app.session_state["inspect_section"] = "Filters"
    assert "[20, 10, 5, 5]" in said(sound(app.run()))


def test_a_clicked_layer_is_shown_first_and_named_so(open_section):
    app = open_section("report", "Layers")
    first = [box for box in app.selectbox if box.label == "After layer"]
    assert len(first) == 1
    assert "Clicked in the diagram" not in said(app)
    app.session_state["inspect_layer"] = "fc1"
    sound(app.run())
    (first,) = [box.value for box in app.selectbox if box.label == "After layer"]
    (second,) = [box.value for box in app.selectbox if box.label == "and after layer"]
    assert "(fc1)" in first
    assert "(fc1)" not in second
    assert "Clicked in the diagram" in said(app)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("digits", "The layer steps by 2 pixels"),
        ("mlp", "makes one number, not a map"),
        ("vit", "[64, 1, 4, 4]: 64 filters"),
    ],
)
def test_what_holds_for_other_networks(open_section, network, words):
    assert words in said(open_section(network, "Filters"))


@pytest.fixture
def patients(monkeypatch):
    rows = torch.rand(40, 11, generator=torch.Generator().manual_seed(0))
    samples = Samples("heart:patients.csv", "test", rows, (rows[:, 0] > 0.5).long(), ("no", "yes"), COLUMNS)
    monkeypatch.setattr("core.training.tested.load", lambda name, part: samples)


def test_a_table_network_shows_a_labelled_heat_map(open_section, patients):
    app = open_section("heart-11-10-1", "Filters")
    assert "has no filters" in said(app)
    assert has_chart(app, "inspect_weight_table")
    (table,) = [frame.value for frame in app.dataframe if frame.value.shape == (11, 10)]
    assert list(table.index) == list(COLUMNS)


def test_a_table_networks_layers(open_section, patients):
    app = open_section("heart-11-10-1", "Layers")
    assert "[N, 10]: 10 numbers" in said(app)
    steps = next(frame.value for frame in app.dataframe if "the network’s own" in frame.value)
    assert np.allclose(steps["number"], steps["the network’s own"], atol=1e-5)


def test_two_truncated_networks_side_by_side(open_section):
    app = open_section("report", "Layers")
    words = said(app)
    assert "[N, 10, 12, 12]: 10 channels of 12 × 12" in words
    assert "[N, 20, 4, 4]: 20 channels of 4 × 4" in words
    assert has_chart(app, "inspect_map_left")
    assert has_chart(app, "inspect_map_right")


def test_the_mean_of_a_class_says_how_many_samples(open_section):
    app = open_section("report", "Layers")
    next(c for c in app.segmented_control if c.label == "Of what").select("class").run()
    from core.data import load

    samples = load("digits-8x8", "test")
    label = next(box for box in sound(app).selectbox if box.label == "Class")
    label.select(3).run()
    count = min(200, int((samples.labels == 3).sum()))
    assert f"the mean of {count} test samples of “3”" in said(sound(app))


@pytest.mark.parametrize("network", ["report", "digits", "mlp", "vit"])
def test_every_step_of_one_number_is_the_networks_own(open_section, network):
    app = open_section(network, "Layers")
    box = next(box for box in app.selectbox if box.label == "Of layer")
    for title in box.options[:4]:
        next(box for box in app.selectbox if box.label == "Of layer").select(title).run()
        steps = next(frame.value for frame in sound(app).dataframe if "the network’s own" in frame.value)
        assert np.allclose(steps["number"], steps["the network’s own"], atol=1e-5)


def test_the_place_can_be_typed_in(open_section):
    app = open_section("report", "Layers")
    before = next(f.value for f in app.dataframe if "the network’s own" in f.value)["number"][0]
    next(n for n in app.number_input if n.label.startswith("Row, 1 to 24")).set_value(5).run()
    next(n for n in app.number_input if n.label.startswith("Channel, 1 to 10")).set_value(8).run()
    after = next(f.value for f in sound(app).dataframe if "the network’s own" in f.value)["number"][0]
    assert before != after


def test_only_a_transformer_has_attention(open_section):
    app = open_section("vit", "Layers")
    assert has_chart(app, "inspect_attention")
    next(t for t in app.toggle if t.label == "Mean over all patches").set_value(True).run()
    assert "each patch, on average" in said(sound(app))


def test_without_attention_there_are_no_maps_of_it(open_section):
    app = open_section("report", "Layers")
    assert "Attention" not in [header.value for header in app.subheader]
    assert not has_chart(app, "inspect_attention")


def test_without_anything_to_show_filters_are_there_and_their_effect_is_not(open_section):
    app = open_section("report", "Filters")
    app.session_state["inspect_way"] = "drawing"
    sound(app.run())
    assert has_chart(app, "inspect_filters")
    assert not has_chart(app, "inspect_effect")
    assert "Choose above what to show the network." in said(app)
    app.session_state["inspect_section"] = "Layers"
    assert "Choose above what to show the network." in said(sound(app.run()))

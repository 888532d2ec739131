"""Embedding Explorer's map: there at once without any file, every colour, links, the clicked and the lassoed."""

import numpy as np
import pytest

from core.embedding import map_job
from core.embedding.map_store import keep_map
from core.embedding.maps import TSNE, Map, MapConfig
from pages.components.embedding.link import LAYER, SETS
from pages.components.embedding.scene import CHOSEN, SECTION, SHOWN
from pages.components.embedding.view import COLOUR, COLOURS, DIMENSIONS, GLYPHS, KIND, LOST
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/embedding_explorer.py"


@pytest.fixture
def open_link(open_app, monkeypatch, tmp_path):
    """`open_link(network="report", map="tsne")` → the page as that link opens it, without any data set."""
    monkeypatch.setenv("INKLING_DATA", str(tmp_path))

    def open_(**link):
        app = open_app()
        for name, value in link.items():
            app.query_params[name] = value
        app.switch_page(PAGE).run()
        assert not app.exception, app.exception[0].stack_trace
        return app

    return open_


def titles(app) -> str:
    return " ".join(chart.proto.spec for chart in app.get("plotly_chart"))


def test_without_any_data_set_embedded_samples_are_on_the_map_in_every_colour(open_link):
    app = open_link(network="report", samples="200")
    assert any("digits-8x8 is shown, which needs no files" in info.value for info in app.info)
    assert app.multiselect(key=SETS).value == ["data:digits-8x8:test"]
    assert "PCA in 2-D: 200 samples" in titles(app)
    assert "axes explain" in titles(app)
    assert {metric.label for metric in app.metric} >= {"Trustworthiness", "Continuity", "Samples flagged"}
    for colour in list(COLOURS)[1:]:
        app.selectbox(key=COLOUR).select(colour).run()
        assert not app.exception, app.exception[0].stack_trace
        assert not app.error
    app.toggle(key=LOST).set_value(True)
    app.toggle(key=GLYPHS).set_value(True).run()
    assert "neighbours lost" in titles(app)
    assert "data:image" in titles(app)
    app.segmented_control(key=DIMENSIONS).set_value(3).run()
    assert "scatter3d" in titles(app)
    assert dict(app.query_params)["dimensions"] == "3"


def test_a_link_carries_the_view_and_its_faults_are_said(open_link):
    app = open_link(
        network="report", sets=["data:digits-8x8:test", "data:nothing:test"], samples="500", layer="conv9",
        map="sammon", colour="answer", section="Map", seed="-1",
    )  # fmt: skip
    assert app.selectbox(key=NETWORK_PICKER).value == "report"
    assert app.selectbox(key=COLOUR).value == "answer"
    assert app.selectbox(key=LAYER).value == ""
    (said,) = [warning.value for warning in app.warning]
    faults = ("map is 'sammon', but it is one of: pca, tsne, umap", "seed is '-1', but it is a whole number")
    for fault in (*faults, "no set 'data:nothing:test'", "no layer 'conv9'"):
        assert fault in said
    app.selectbox(key=COLOUR).select("class").run()
    assert not app.warning
    assert dict(app.query_params)["colour"] == "class"


def test_a_kept_map_is_there_at_once_and_another_is_offered(open_link, monkeypatch):
    from core.embedding.space import embed_samples

    made = {}

    def embed(*arguments):
        made["space"] = embed_samples(*arguments)
        keep_map(made["space"].sha256, Map(MapConfig(TSNE), np.random.default_rng(0).random((200, 2), np.float32)))
        return made["space"]

    monkeypatch.setattr("pages.components.embedding.choice.embed_samples", embed)
    app = open_link(network="report", samples="200", map="tsne")
    assert "t-SNE in 2-D: 200 samples" in titles(app)
    app.segmented_control(key=KIND).set_value("umap").run()
    assert "PCA in 2-D" in titles(app)
    started = []
    monkeypatch.setattr(map_job, "start", lambda space, config: started.append((space, config)))
    app.button(key="embedding_map_start").click().run()
    assert [(space.sha256, config.kind) for space, config in started] == [(made["space"].sha256, "umap")]


def test_chosen_samples_stand_under_the_map_and_lead_on(open_link):
    app = open_link(network="report", samples="200")
    app.session_state[CHOSEN] = (app.session_state[SHOWN][0], [3, 5, 8])
    app.run()
    assert any("**3 samples chosen**" in text.value for text in app.markdown)
    app.button(key="embedding_work").click().run()
    assert app.session_state[SECTION] == "Chosen"

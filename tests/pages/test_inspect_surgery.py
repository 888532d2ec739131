"""Surgery and Robustness on the Inspect Layers page."""

import json
import shutil

import numpy as np
import pytest
import torch

from core.inspection import league, league_job
from core.inspection.corruptions import CORRUPTIONS
from core.inspection.league import standing_of
from core.networks import NetworkSpec, list_networks, open_network, save_network
from core.networks.base import build
from pages.components.inspect.view import SECTION
from pages.components.keys import NETWORK_PICKER

PAGE = "pages/inspect_layers.py"
FIELDS = {
    "classes": tuple("0123456789"), "data": {"name": "digits-8x8"}, "seed": 6, "training": {"dataset": "digits-8x8"},
    "metrics": {"test_accuracy": 0.1}, "temperature": 1.0, "refusal_threshold": -9.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf")
    for architecture in ("report", "residual", "mlp"):
        torch.manual_seed(6)
        network = build(NetworkSpec(architecture))
        if architecture == "report":
            with torch.no_grad():  # something to prune
                network.conv1.weight[4], network.conv1.bias[4] = network.conv1.weight[1], network.conv1.bias[1]
        save_network(network, FIELDS | {"name": f"fresh-{architecture}"}, folder)
    return folder


@pytest.fixture(autouse=True)
def home(inkling_home, shelf, monkeypatch):
    shutil.copytree(shelf, inkling_home / "networks")
    monkeypatch.setattr(league_job, "_latest", None)
    monkeypatch.setattr(league, "SAMPLES", 60)
    yield inkling_home
    if (job := league_job.latest()) is not None:
        job.stop()
        job.join(20)


@pytest.fixture
def open_section(open_app):
    """`open_section("fresh-report", "Surgery")` → the page with that network and section."""

    def open_(network: str, section: str, **state):
        app = open_app()
        for key, value in state.items():
            app.session_state[key] = value
        app.switch_page(PAGE).run()
        app.selectbox(key=NETWORK_PICKER).select(network).run()
        app.segmented_control(key=SECTION).select(section).run()
        assert not app.exception, app.exception[0].stack_trace
        assert not app.error, app.error[0].value
        return app

    return open_


def said(app) -> str:
    return "\n".join(str(block.value) for block in (*app.markdown, *app.caption, *app.info, *app.warning, *app.success))


def titles(app) -> list[str]:
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [spec["layout"]["title"]["text"] for spec in specs]


def pressed(app, key: str):
    app.button(key=key).click().run()
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error, app.error[0].value
    return app


def test_muting_shows_answer_kernels_and_accuracy_before_and_after(open_section):
    app = open_section("fresh-report", "Surgery")
    assert "Nothing is changed yet" in said(app)
    app.multiselect(key="surgery_filters_conv1_10").set_value([0, 2]).run()
    pressed(app, "surgery_do")
    assert "1. mute conv1, filters 1, 3" in said(app)
    shown = titles(app)
    assert "The answer before and after" in shown
    assert "All filters of conv1" in shown
    assert any("test samples" in title for title in shown)
    assert "Undecided" in said(app) or "accuracy:" in said(app)
    pressed(app, "surgery_undo")
    assert "1. mute" not in said(app)
    pressed(app, "surgery_redo")
    assert "1. mute" in said(app)
    pressed(app, "surgery_do")
    assert "2. mute" in said(app)
    pressed(app, "surgery_remove_0")
    assert "2. mute" not in said(app)
    pressed(app, "surgery_clear")
    assert "Nothing is changed yet" in said(app)


@pytest.mark.parametrize(("tool", "described"), [("noise", "noise on conv1"), ("blur", "blur conv1")])
def test_noise_and_blur_on_all_filters(open_section, tool, described):
    app = open_section("fresh-report", "Surgery")
    app.segmented_control(key="surgery_tool").select(tool).run()
    app.toggle(key="surgery_all").set_value(True).run()
    pressed(app, "surgery_do")
    assert f"1. {described}, filters 1, 2, 3" in said(app)


def test_gabor_filters_in_one_click(open_section):
    app = open_section("fresh-residual", "Surgery")
    app.segmented_control(key="surgery_tool").select("gabor").run()
    pressed(app, "surgery_do")
    assert "All filters of stem.0" in titles(app)


def test_a_muted_filter_stays_muted_under_gabor_filters_and_is_found_dead(open_section):
    app = open_section("fresh-residual", "Surgery")
    pressed(app, "surgery_do")  # mute the first filter of the stem
    app.segmented_control(key="surgery_tool").select("gabor").run()
    pressed(app, "surgery_do")
    assert "Muted, so clear all over: filter 1." in said(app)


def test_batch_norms_are_measured_anew_and_their_absence_is_told(open_section):
    app = open_section("fresh-residual", "Surgery")
    app.segmented_control(key="surgery_tool").select("norms").run()
    pressed(app, "surgery_do")
    assert "1. re-estimate batch norm: 1,000 training samples of digits-8x8" in said(app)
    assert "The answer before and after" in titles(app)
    app = open_section("fresh-report", "Surgery")
    app.segmented_control(key="surgery_tool").select("norms").run()
    assert "has no batch norm" in said(app)
    assert "surgery_do" not in [button.key for button in app.button]


def test_after_pruning_the_slider_is_back_and_what_is_out_is_told(open_section):
    app = open_section("fresh-report", "Surgery")
    assert "the other sections look at the stored network" in said(app)
    app.segmented_control(key="surgery_tool").select("prune").run()
    app.slider(key="surgery_weakest").set_value(20).run()
    offered = app.button(key="surgery_do").label
    pressed(app, "surgery_do")
    assert app.slider(key="surgery_weakest").value == 0
    assert app.button(key="surgery_do").label == "Take out 0 filters"
    assert app.button(key="surgery_do").disabled
    assert f"{offered.removeprefix('Take out ')} are taken out already: 3 of conv1" in said(app)


def test_pruning_and_keeping_what_came_out(open_section):
    app = open_section("fresh-report", "Surgery")
    app.segmented_control(key="surgery_tool").select("prune").run()
    assert app.dataframe[0].value["duplicates"].tolist() == [1, 0]
    pressed(app, "surgery_do")
    assert [metric.label for metric in app.metric] == ["Parameters", "Weights file", "One glyph"]
    assert app.text_input(key="surgery_name").value == "fresh-report-changed"
    app.text_input(key="surgery_name").set_value("smaller").run()
    pressed(app, "surgery_keep")
    assert "smaller is kept" in said(app)
    assert "smaller" in [passport.name for passport in list_networks()]
    kept = open_network("smaller")
    assert kept.passport.spec.pruned == {"conv1": 9}
    assert kept.passport.training["of"] == "fresh-report"
    glyphs = np.random.default_rng(0).random((5, 28, 28), np.float32)
    np.testing.assert_allclose(kept.logits(glyphs), open_network("fresh-report").logits(glyphs), atol=1e-4)
    app.button(key="surgery_use").click().run()
    assert app.session_state[NETWORK_PICKER] == "smaller"
    assert not app.exception


def test_a_name_that_is_taken_is_told(open_section):
    app = open_section("fresh-report", "Surgery")
    pressed(app, "surgery_do")
    app.text_input(key="surgery_name").set_value("fresh-report").run()
    app.button(key="surgery_keep").click().run()
    assert "There is a network 'fresh-report' already" in app.error[0].value


def test_an_operation_that_no_longer_fits_is_told_and_can_be_undone(open_section):
    from core.inspection.surgery import Mute, Record
    from pages.components.caches import fingerprint

    key = fingerprint(open_network("fresh-report").passport)
    app = open_section("fresh-report", "Structure", inspect_surgery={key: Record((Mute("conv1", (77,)),))})
    app.segmented_control(key=SECTION).select("Surgery").run()
    assert "no filter 78" in app.error[0].value
    pressed(app, "surgery_undo")
    assert "Nothing is changed" in said(app)


def test_a_network_without_convolutions_says_so(open_section):
    app = open_section("fresh-mlp", "Surgery")
    assert "this network has none" in said(app)


def test_dials_change_the_picture_and_reset(open_section):
    app = open_section("fresh-report", "Robustness")
    assert "How sure it is of" in " ".join(titles(app))
    app.slider(key="robust_dial_blur").set_value(2.0).run()
    assert not app.exception
    spec = json.loads(app.get("plotly_chart")[-2].proto.spec)
    assert spec["layout"]["xaxis"]["title"]["text"].startswith("Blur")
    assert "The whole reading pipeline" in said(app)
    app.slider(key="robust_dial_rotate").set_value(40.0).run()
    pressed(app, "robust_reset")
    assert app.slider(key="robust_dial_blur").value == 0
    assert app.slider(key="robust_dial_rotate").value == 0


def test_the_picture_75_ways(open_section):
    app = open_section("fresh-residual", "Robustness", robust_part="sheet")
    assert any(title.endswith("of 75 change the answer") for title in titles(app))
    assert len(app.dataframe[0].value) == len(CORRUPTIONS)


def test_the_league_is_measured_in_the_background_and_shown(open_section):
    app = open_section("fresh-report", "Robustness", robust_part="league")
    assert app.button(key="league_start").label == "Measure all networks"
    app.button(key="league_start").click().run()
    assert not app.exception
    job = league_job.latest()
    assert set(job.names) == {"fresh-report", "fresh-residual", "fresh-mlp"}  # of the same data set only
    job.join(120)
    app.run()
    app.run()
    assert not app.exception
    assert "All of them are measured" in said(app)
    table = app.dataframe[0].value
    assert table["place"].tolist() == [1, 2, 3]
    means = [standing_of(open_network(name).passport).mean[0] for name in table["network"]]
    assert means == sorted(means, reverse=True)
    assert sum("(%)" in title for title in titles(app)) == 2


def test_a_league_that_was_stopped_says_so(open_section):
    app = open_section("fresh-report", "Robustness", robust_part="league")
    app.button(key="league_start").click().run()
    league_job.latest().stop()
    league_job.latest().join(20)
    app.run()
    app.run()
    assert not app.exception
    if league_job.latest().state == "stopped":
        assert "was stopped; what it measured is kept" in said(app)
        assert app.button(key="league_start").label.startswith("Measure")


def test_a_row_of_a_table_has_one_feature_moved(open_section, data_or_skip, inkling_home):
    file = data_or_skip("heart/heart.csv")
    from core.data.heart import CLASSES, read_heart

    columns = [f"column {i}" for i in range(11)]
    torch.manual_seed(1)
    fields = FIELDS | {
        "name": "patients", "classes": CLASSES, "data": {"name": f"heart:{file}"},
        "training": {"dataset": f"heart:{file}"}, "preprocessing": {"columns": columns},
    }  # fmt: skip
    save_network(build(NetworkSpec("heart-11-10-1")), fields)
    assert read_heart(file)
    app = open_section("patients", "Robustness")
    app.selectbox(key="robust_feature").select(4).run()
    assert not app.exception
    assert any("How sure it is of" in title for title in titles(app))
    assert "corruptions of pictures do not apply to a table" in said(app)
    app.segmented_control(key=SECTION).select("Surgery").run()
    assert "this network has none" in said(app)


def test_networks_for_photos_are_changed_and_read_but_not_tested_or_kept(open_app):
    app = open_app(PAGE)
    app.segmented_control(key="inspect_kind").set_value("Photos").run()
    app.selectbox(key="inspect_photo_network").set_value("squeezenet1_1").run()
    app.segmented_control(key=SECTION).select("Surgery").run()
    pressed(app, "surgery_do")
    assert "The answer before and after" in titles(app)
    assert "it cannot be kept" in said(app)
    app.segmented_control(key="surgery_tool").select("prune").run()
    assert "Networks for photos cannot be pruned" in said(app)
    app.segmented_control(key=SECTION).select("Robustness").run()
    app.slider(key="robust_dial_contrast").set_value(0.5).run()
    assert not app.exception, app.exception[0].stack_trace
    assert any("How sure it is of" in title for title in titles(app))
    assert "robust_dial_pen" not in [slider.key for slider in app.slider]


def test_the_curve_says_in_which_ranges_another_answer_comes():
    from core.inspection.dials import Sweep
    from pages.components.inspect.robustness import _where_others

    values = np.arange(-3.0, 4.0)
    right = np.array([1, 0, 1, 1, 1, 0, 0])
    told = _where_others(Sweep(values, np.stack([right, 1 - right], 1).astype(float), 0), "It answers 7.")
    assert told == "Shaded (✗): another answer comes first, from −2.5 to −1.5 and 1.5 to 3. (7 values are tried.)"
    told = _where_others(Sweep(values, np.tile([0.9, 0.1], (7, 1)), 0), "It answers 7.")
    assert told == "It answers 7. (7 values are tried.)"
    values, right = np.arange(12.0), np.tile([1, 0], 6)
    told = _where_others(Sweep(values, np.stack([right, 1 - right], 1).astype(float), 0), "")
    assert told.count(" to ") == 4
    assert ", …" in told

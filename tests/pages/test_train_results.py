"""The Train page's results, time machine and comparison without a browser."""

import base64
import json
import shutil

import cv2
import numpy as np
import pytest
import torch

from core.data import Samples, load
from core.errors import DataError
from core.networks import NetworkSpec, export_zip, import_zip, open_network, save_network
from core.networks.base import build
from core.networks.store import own_shelf
from core.training import TrainingConfig, open_run
from core.training.execute import train
from core.training.results import logits_of, result_of
from pages.components.keys import NETWORK_PICKER

CELL = "train_cell_one_10"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two short runs on one data set, trained once for all tests here."""
    shelf = tmp_path_factory.mktemp("shelf")
    for name, seed, epochs in (("one", 1, 2), ("two", 2, 1)):
        for _ in train(TrainingConfig(dataset="digits-8x8", epochs=epochs, seed=seed, threads=1), name, shelf):
            pass
    return shelf


@pytest.fixture
def open_section(open_train_section, inkling_home, trained):
    """`open_section("Results", "one")` → the page with that section of one of the two trained networks."""
    shutil.copytree(trained, inkling_home / "networks")
    return open_train_section


def texts(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def html(app) -> str:
    return "\n".join(block.proto.body for block in app.get("html"))


def answers(name: str):
    network, samples = open_network(name), load("digits-8x8", "test")
    passport = network.passport
    return result_of(logits_of(network, samples), samples.labels.numpy(), samples.classes, passport.temperature)


def table(app, column: str):
    (found,) = [frame.value for frame in app.dataframe if column in frame.value.columns]
    return found


def test_the_accuracy_stands_large_with_its_interval(open_section):
    app = open_section("Results", "one")
    result = answers("one")
    low, high = result.interval
    assert f"<b>{result.accuracy:.2%}</b> of the test samples" in html(app)
    assert f"95 % interval: {low:.2%} to {high:.2%}" in html(app)
    assert f"{(~result.right).sum()} mistakes in {len(result)} test samples" in texts(app)
    assert "changed since" not in "".join(warning.value for warning in app.warning)


def test_the_first_ten_outputs_are_the_networks_own(open_section):
    app = open_section("Results", "one")
    outputs = table(app, "index of max")
    expected = answers("one").first_outputs(10)
    assert outputs["index of max"].tolist() == [row.index for row in expected]
    assert outputs["true"].tolist() == [str(row.true) for row in expected]
    assert outputs["3"].tolist() == [f"{row.log_probabilities[3]:.2f}" for row in expected]


def test_a_cell_shows_its_samples_and_at_first_the_surest_mistakes_are_shown(open_section):
    app = open_section("Results", "one")
    result = answers("one")
    mistakes = result.most_confident_mistakes(30)
    assert [f"· #{i + 1}<" in html(app) for i in mistakes] == [True] * len(mistakes)
    true, answer = max(
        (tuple(map(int, cell)) for cell in np.argwhere(result.confusion) if cell[0] != cell[1]),
        key=lambda cell: result.confusion[cell],
    )
    count = result.confusion[true, answer]
    box = app.selectbox(key=CELL)
    assert box.options[1].endswith(f": {count}"), "the most frequent confusion stands first"
    box.select((true, answer)).run()
    assert not app.exception
    assert html(app).count("<figure") == min(30, count)
    assert all(f"· #{i + 1}<" in html(app) for i in result.cell(true, answer)[:30])


def test_a_cell_of_many_samples_is_shown_page_by_page(open_section):
    app = open_section("Results", "one")
    right = max(range(10), key=lambda i: answers("one").confusion[i, i])
    app.selectbox(key=CELL).select((right, right)).run()
    shown = html(app).count("<figure")
    assert shown == 30 < answers("one").confusion[right, right]


@pytest.mark.parametrize("section", ["Results", "Time machine", "Compare"])
def test_a_test_set_that_is_gone_is_told_in_one_sentence(open_section, monkeypatch, section):
    def gone(name: str, part: str):
        raise DataError("its folder is gone.")

    monkeypatch.setattr("core.training.tested.load", gone)
    app = open_section(section, "one")
    told = {error.value for error in app.error}
    assert told == {"The test samples cannot be had now: its folder is gone."}


def test_a_network_for_a_table_shows_rows(open_section, monkeypatch, inkling_home):
    rng = np.random.default_rng(0)
    patients = Samples(
        "patients",
        "test",
        torch.from_numpy(rng.normal(size=(40, 11)).astype(np.float32)),
        torch.from_numpy(rng.integers(2, size=40)),
        ("healthy", "ill"),
        tuple(f"c{i}" for i in range(11)),
    )
    monkeypatch.setattr("core.training.tested.load", lambda name, part: patients)
    fields = {
        "name": "rows", "classes": ("healthy", "ill"), "data": {"name": "patients"}, "seed": 1, "training": {},
        "metrics": {}, "temperature": 1.0, "refusal_threshold": 0.0,
        "preprocessing": {"columns": list(patients.columns)},
    }  # fmt: skip
    app = open_section("Results", "one")
    save_network(build(NetworkSpec("heart-11-10-1")), fields)
    app.run()
    app.selectbox(key=NETWORK_PICKER).select("rows").run()
    assert not app.exception
    assert not app.error
    assert "<figure" not in html(app)
    first = next(frame.value for frame in app.dataframe if "c10" in frame.value.columns and 1 in set(frame.value["#"]))
    assert set(first["true"]) <= {"healthy", "ill"}
    assert "The features stand in standard deviations" in texts(app)
    app.segmented_control(key="train_section").select("Time machine").run()
    assert not app.exception
    assert "came without snapshots" in texts(app)


def figure_of(app, key: str) -> dict:
    (chart,) = [element.proto for element in app.get("plotly_chart") if key in element.proto.id]
    return json.loads(chart.spec)


def test_the_time_machine_replays_every_snapshot_and_reads_a_sample_without_a_drawing(open_section):
    app = open_section("Time machine", "one")
    figure = figure_of(app, "train_replay_one")
    assert len(figure["frames"]) == len(open_run("one").snapshots()) > 5
    assert "the first test sample is read as" in json.dumps(figure["layout"]["annotations"])
    assert "there is no drawing on the Draw page yet" in html(app)


def test_the_time_machine_reads_the_users_own_drawing(open_section):
    app = open_section("Time machine", "one")
    sheet = np.full((340, 600, 3), 255, np.uint8)
    cv2.line(sheet, (300, 60), (300, 280), (24, 22, 22), 18)
    app.session_state["draw_canvas_drawn"] = {"strokes": [{}], "png": cv2.imencode(".png", sheet)[1].tobytes()}
    app.run()
    assert not app.exception
    assert "your drawing is read as" in json.dumps(figure_of(app, "train_replay_one")["layout"]["annotations"])
    assert "the largest symbol of your drawing" in html(app)
    app.session_state["draw_canvas_drawn"] = {
        "strokes": [{}],
        "png": cv2.imencode(".png", sheet * 0 + 255)[1].tobytes(),
    }
    app.run()
    assert not app.exception
    assert "nothing can be read on the Draw page" in html(app)


def test_a_network_without_snapshots_offers_one_that_has_them(open_section):
    app = open_section("Time machine", "report")
    assert "**report** came without snapshots" in texts(app)
    assert set(app.selectbox(key="train_replay_other").options) == {"one", "two"}
    app.selectbox(key="train_replay_other").select("two").run()
    app.button(key="train_replay_use").click().run()
    assert not app.exception
    assert app.selectbox(key=NETWORK_PICKER).value == "two"
    assert figure_of(app, "train_replay_two")["frames"]


def test_networks_of_one_test_are_compared_at_once_with_a_verdict(open_section):
    app = open_section("Compare", "one")
    assert app.multiselect[0].value == ["one", "two"]
    first, second = sorted((answers("one"), answers("two")), key=lambda result: -result.accuracy)
    rows = table(app, "95 % interval")
    assert rows["accuracy"].tolist() == [f"{first.accuracy:.2%}", f"{second.accuracy:.2%}"]
    points = (first.accuracy - second.accuracy) * 100
    assert f"by {points:.2f} points" in texts(app)
    assert "McNemar" in texts(app)
    assert "Holm" not in texts(app), "a single comparison needs no correction"
    curves = figure_of(app, "train_compare_curves")
    accuracy = {line["name"]: np.frombuffer(base64.b64decode(line["y"]["bdata"])) for line in curves["data"]}
    assert accuracy == {
        name: pytest.approx([epoch["test_accuracy"] * 100 for epoch in open_run(name).history.epochs])
        for name in ("one", "two")
    }


def test_three_networks_are_corrected_for_and_one_without_a_history_is_named(open_section):
    app = open_section("Compare", "one")
    shutil.copytree(
        own_shelf() / "one", own_shelf() / "copy", ignore=shutil.ignore_patterns("run.json", "history.json")
    )
    passport = own_shelf() / "copy" / "passport.json"
    passport.write_text(passport.read_text().replace('"name": "one"', '"name": "copy"'))
    app.run()
    app.multiselect[0].set_value(["one", "two", "copy"]).run()
    assert not app.exception
    assert "corrected for 3 comparisons (Holm)" in texts(app)
    assert "**Undecided:** one and copy are level" in texts(app) or "**Undecided:** copy and one are level" in texts(
        app
    )
    assert "There is no curve of copy" in texts(app)


def test_an_imported_network_has_its_curve(open_section):
    import_zip(export_zip("two"), "theirs")
    app = open_section("Compare", "one")
    app.multiselect[0].set_value(["one", "theirs"]).run()
    assert not app.exception
    drawn = {line["name"]: line for line in figure_of(app, "train_compare_curves")["data"]}
    assert len(np.frombuffer(base64.b64decode(drawn["theirs"]["y"]["bdata"]))) == len(open_run("two").history.epochs)
    assert "There is no curve of" not in texts(app)


def test_one_network_alone_is_no_comparison(open_section):
    app = open_section("Compare", "one")
    app.multiselect[0].set_value(["two"]).run()
    assert not app.exception
    assert [info.value for info in app.info] == ["A comparison needs at least two networks; pick another one."]


def test_a_network_without_a_rival_on_its_test_says_what_to_do(open_section, table_network):
    app = open_section("Compare", "rows")
    (info,) = [info.value for info in app.info]
    assert "No second network was tested on the samples that rows was. Train one above on the same data" in info
    assert not app.dataframe


def test_the_time_machine_of_a_table_has_two_panels_and_fitting_words(open_train_section, data_or_skip):
    file = data_or_skip("heart/heart.csv")
    for _ in train(TrainingConfig(dataset=f"heart:{file}", network="heart-11-10-1", epochs=1, threads=1), "patients"):
        pass
    app = open_train_section("Time machine", "patients")
    drawn = figure_of(app, "train_replay_patients")
    assert {trace["xaxis"] for trace in drawn["data"]} == {"x2", "x3"}
    assert "the samples of a class find each other." in texts(app)
    assert "filters" not in texts(app)
    assert "drawing" not in texts(app)

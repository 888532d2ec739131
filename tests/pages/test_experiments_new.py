"""Experiments, asking: the form, the file, what is counted before the start, and the start; nothing is trained."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import ExperimentError
from core.experiments import jobs
from core.experiments.estimate import Estimate, Estimating
from core.experiments.storage import opened, own_storage
from core.experiments.study import Range, Study
from core.experiments.study_file import parse_study, presets, read_study
from pages.components.experiments.checked import free_name
from pages.components.experiments.draft import (
    record_of,
    study_of,
    toml_of_record,
    value_of_text,
    values_of_text,
    values_text,
)

PAGE = "pages/experiments.py"


def field(app: AppTest, kind: str, label: str):
    """The one widget of this kind with this label."""
    (found,) = [widget for widget in getattr(app, kind) if widget.label == label]
    return found


def tiles(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error)


@pytest.mark.parametrize(("name", "study"), presets(), ids=lambda value: value if isinstance(value, str) else "")
def test_form_and_file_hold_the_same_study(name, study):
    record = record_of(study)
    assert study_of(record) == study
    assert parse_study(toml_of_record(record).encode(), name) == study


def test_a_range_and_a_quoted_text_survive_the_way_through_the_file():
    study = Study(
        'Is "this" a \\ question?\nYes.', {"learning_rate": Range(0.001, 0.1, True), "filters": (8, (8, 16))},
        name="ranged", strategy="random", trials=7, settings={"batch_norm": True, "optimizer": "adam"}, minutes=1.5,
    )  # fmt: skip
    assert parse_study(toml_of_record(record_of(study)).encode(), "other") == study


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("dropout", "0.1, 0.3,0.5,", [0.1, 0.3, 0.5]),
        ("batch_size", "32\n64", ["32 64"]),  # no number: the study says so
        ("batch_size", "32, many", [32, "many"]),
        ("filters", "16; 16, 32", [16, [16, 32]]),
        ("letters", "alpha, beta; gamma, delta", ["alpha, beta", "gamma, delta"]),
        ("dropout", "", []),
    ],
)
def test_typed_values(name, text, values):
    assert values_of_text(name, text) == values
    assert values_of_text(name, values_text(name, values)) == values


def test_one_typed_value():
    assert value_of_text("filters", "8") == 8
    assert value_of_text("filters", "8, 16") == [8, 16]
    assert value_of_text("epochs", "1e9") == "1e9"


def test_a_free_name():
    assert free_name("mine", []) == "mine"
    assert free_name("mine", ["mine", "mine-2"]) == "mine-3"
    assert free_name("mine-2", ["mine-2"]) == "mine-3"
    assert len(free_name("a" * 60, ["a" * 60])) <= 60


def test_the_first_visit_has_a_study_ready_that_is_checked_as_it_is_typed(open_app):
    app = open_app(PAGE)
    assert field(app, "text_input", "Question").value == read_study("quickstart").question
    assert tiles(app)["Combinations"] == tiles(app)["Possible"] == "6"
    assert not app.button(key="experiment_start").disabled

    app.selectbox(key="experiment_add_dimension").select("conv_layers").run()
    field(app, "text_input", "Convolution layers").input("2, 8").run()  # of eight layers that pool no pixel is left
    assert tiles(app)["Combinations"] == "12"
    assert tiles(app)["Possible"] == "6"
    assert any(line.value.startswith("- 6 × ") for line in app.markdown)

    field(app, "text_input", "Convolution layers").input("8").run()
    assert tiles(app)["Possible"] == "0"
    assert "None of the combinations" in errors(app)
    assert app.button(key="experiment_start").disabled

    field(app, "text_input", "Dropout").input("0.1, -3, lots").run()
    assert errors(app).startswith("Dropout must be from 0")
    assert app.button(key="experiment_start").disabled

    app.button(key="experiment_without_conv_layers").click().run()
    field(app, "text_input", "Dropout").input("0.1, 0.2").run()
    assert tiles(app)["Possible"] == "4"
    app.selectbox(key="experiment_add_dimension").select("epochs").run()  # held fixed until now
    field(app, "text_input", "Epochs").input("1, 2").run()
    assert (tiles(app)["Possible"], tiles(app)["Trainings"]) == ("8", "8")  # of two seeds; the epochs share theirs
    assert not app.error


def test_the_file_and_the_form_stay_in_step_and_a_wrong_file_changes_nothing(open_app):
    app = open_app(PAGE)
    field(app, "selectbox", "Strategy").select("random").run()
    field(app, "number_input", "Trials").set_value(9).run()
    field(app, "toggle", "Dropout: a range").set_value(True).run()
    field(app, "text_input", "Dropout, highest").input("0.6").run()
    app.segmented_control(key="experiment_side").set_value("file").run()
    text = field(app, "text_area", "The study as a file")
    study = parse_study(text.value.encode(), "x")
    assert study.dimensions["dropout"] == Range(0.1, 0.6)
    assert (study.strategy, study.trials) == ("random", 9)

    text.input(text.value.replace("[dimensions]", "[dimensions")).run()
    assert "line" in errors(app)
    assert not [button for button in app.button if button.key == "experiment_start"]
    app.segmented_control(key="experiment_side").set_value("form").run()
    assert field(app, "number_input", "Trials").value == 9
    app.segmented_control(key="experiment_side").set_value("file").run()
    assert "line" in errors(app)  # what was typed is there still
    text = field(app, "text_area", "The study as a file")
    text.input(
        "# mine\n" + toml_of_record(record_of(study) | {"trials": 11, "question": "Why?", "name": "filed"})
    ).run()
    assert not app.error
    assert field(app, "text_input", "Name").value == "filed"
    field(app, "text_input", "Name").input("renamed").run()
    assert field(app, "text_input", "Name").value == "renamed"
    assert field(app, "text_area", "The study as a file").value.startswith("# mine")
    app.segmented_control(key="experiment_side").set_value("form").run()
    assert field(app, "text_input", "Question").value == "Why?"
    assert field(app, "text_input", "Name").value == "renamed"
    assert field(app, "number_input", "Trials").value == 11

    app.selectbox(key="experiment_begin").select("one-at-a-time-quick").run()
    assert field(app, "number_input", "Rounds").value == 2
    app.button(key="experiment_bring_back").click().run()
    assert field(app, "text_input", "Question").value == "Why?"


def test_start_hands_the_study_over_as_it_was_written(open_app, monkeypatch):
    begun = []

    def start(study: Study, **place: object) -> None:
        if study.name == "taken-meanwhile":
            raise ExperimentError("Another study is called so.")
        opened(own_storage()).keep(study)
        begun.append((study, place))

    monkeypatch.setattr(jobs, "start", start)
    app = open_app(PAGE)
    field(app, "text_input", "Name").input("taken-meanwhile").run()
    app.button(key="experiment_start").click().run()
    assert "Another study is called so." in errors(app)
    field(app, "text_area", "Hypothesis").input("*Nothing* happens.").run()
    field(app, "text_input", "Name").input("mine").run()
    app.button(key="experiment_start").click().run()
    quickstart = read_study("quickstart")
    ((study, place),) = begun
    assert (study.name, study.hypothesis) == ("mine", "*Nothing* happens.")
    assert (study.dimensions, study.settings, study.seeds) == (quickstart.dimensions, quickstart.settings, 2)
    assert place == {"storage": None, "executor": "processes", "workers": None, "scheduler": None}
    assert app.selectbox(key="experiment_study").value == "mine"
    assert r"**Hypothesis:** \*Nothing\* happens." in [line.value for line in app.markdown]
    app.button(key="experiment_new").click().run()  # what was written is there still, under a name that is free
    assert field(app, "text_area", "Hypothesis").value == "*Nothing* happens."
    assert field(app, "text_input", "Name").value == "mine-2"


def test_an_estimate_is_made_on_demand_and_holds_for_its_study_only(open_app, monkeypatch):
    asked = []

    def estimating(study: Study, workers: int, storage: str | None, stop: object) -> Iterator[Estimating | Estimate]:
        asked.append((study.seeds, workers, storage))
        if study.seeds > 2:
            raise ExperimentError("There is no such data.")
        yield Estimating(0, 3)
        yield Estimate(6, 10, 2, 24, 300.0, 180.0, 2, 3, 3, True, ("A *note*.",))

    monkeypatch.setattr("core.experiments.estimate.estimating", estimating)
    app = open_app(PAGE)
    app.button(key="experiment_estimate_start").click().run()
    app.session_state["experiment_estimate"].join()
    app.run()
    said = "\n".join(line.value for line in [*app.markdown, *app.caption])
    assert "About **3 min** with 2 workers: 10 trainings, 5 min on one core." in said
    assert "2 more are in the storage already. Sharing saves 12 of 24." in said
    assert r"A \*note\*." in said
    app.number_input(key="experiment_price").set_value(0.6).run()
    assert any("**0.06**" in line.value for line in app.markdown)  # two cores for 180 s at 0.6 an hour each

    field(app, "number_input", "Seeds").set_value(3).run()
    app.button(key="experiment_estimate_start").click().run()
    app.session_state["experiment_estimate"].join()
    app.run()
    assert "There is no such data." in errors(app)
    assert [(seeds, storage) for seeds, _, storage in asked] == [(2, own_storage()), (3, own_storage())]

"""The Train page: choosing, refusing what cannot work, starting, stopping, going on."""

import json
import time

import pytest

from core.networks import open_network
from core.training import TrainingConfig, create_run, jobs, open_run
from core.training.execute import train

PAGE = "pages/train.py"


def quick(**changes) -> TrainingConfig:
    return TrainingConfig(**{"dataset": "digits-8x8", "threads": 1, "epochs": 1} | changes)


def choose(app, dataset="digits-8x8", network="report"):
    app.selectbox(key="train_dataset").select(dataset).run()
    return app.selectbox(key="train_network_glyphs").select(network).run()


def finish(name: str) -> None:
    deadline = time.monotonic() + 120
    while open_run(name).state in ("queued", "running") or open_run(name).is_locked():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def texts(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_the_first_visit_shows_a_data_set_at_once(open_app):
    app = choose(open_app(PAGE))
    tiles = {metric.label: metric.value for metric in app.metric}
    assert tiles["Training samples"] == "1,433"
    assert tiles["Classes"] == "10"
    assert app.text_input[0].value == "report-digits-8x8"
    assert not app.button(key="train_start").disabled


def keys_of_charts(app) -> str:
    return " ".join(chart.proto.id for chart in app.get("plotly_chart"))


def test_the_first_visit_shows_a_sample_of_each_class_and_the_first_six_once(open_app):
    app = choose(open_app(PAGE))
    assert keys_of_charts(app).count("train_one_of_each") == 1
    assert keys_of_charts(app).count("train_data_first") == 1
    (chart,) = [c.proto for c in app.get("plotly_chart") if "train_one_of_each" in c.proto.id]
    captions = [a["text"] for a in json.loads(chart.spec)["layout"]["annotations"]]
    assert captions == list("0123456789")
    tiles = {metric.label: metric.value for metric in app.metric}
    assert tiles["In memory"] == "1.4 MB"


def test_a_small_table_is_told_in_kilobytes_and_in_words(open_app, data_or_skip, inkling_home):
    from core.data.uploads import keep_table

    keep_table(data_or_skip("heart/heart.csv").read_bytes(), "heart.csv")
    app = open_app(PAGE)
    dataset = next(option for option in app.selectbox(key="train_dataset").options if "heart" in option)
    app.selectbox(key="train_dataset").select(dataset).run()
    assert not app.exception
    tiles = {metric.label: metric.value for metric in app.metric}
    assert tiles["In memory"] == "40 kB", "918 rows of 11 numbers of 4 bytes"
    assert "Cholesterol is unknown in 173 of 918 rows: 172 hold 0, which no patient has, and 1 holds NA" in texts(app)
    one, first = (frame.value for frame in app.dataframe[:2])
    assert sorted(one["class"]) == ["heart disease", "no heart disease"]
    assert len(first) == 6


def test_a_name_of_nothing_is_asked_for(open_app):
    app = choose(open_app(PAGE))
    app.text_input[0].set_value("  ").run()
    app.button(key="train_start").click().run()
    assert app.error[0].value.startswith("A network needs a name; use letters")


def test_a_watched_network_can_be_taken_into_use(open_app):
    for name in ("first", "second"):
        for _ in train(quick(), name):
            pass
    app = open_app()
    app.selectbox(key="network_picker").select("first").run()
    app.switch_page(PAGE).run()
    app.selectbox(key="train_watched").set_value("second").run()
    assert app.selectbox(key="network_picker").value == "first", "watching alone changes nothing"
    app.button(key="train_use").click().run()
    assert not app.exception
    assert app.selectbox(key="network_picker").value == "second"
    assert "train_use" not in [button.key for button in app.button]
    app.selectbox(key="train_watched").set_value("first").run()
    assert app.button(key="train_use")


def test_a_network_is_trained_watched_and_then_in_use(open_app):
    app = choose(open_app(PAGE))
    app.number_input(key="train_epochs_report").set_value(1)
    app.button(key="train_start").click().run()
    assert not app.exception
    assert open_run("report-digits-8x8").config.epochs == 1
    finish("report-digits-8x8")
    app.run()
    assert not app.exception
    assert "is trained" in texts(app)
    assert app.selectbox(key="network_picker").value == "report-digits-8x8"
    assert open_network("report-digits-8x8").passport.training["seed"] == 1
    assert app.text_input[0].value == "report-digits-8x8-2", "the next one gets a name of its own"


def test_a_network_that_cannot_work_is_refused_as_it_is_typed(open_app):
    app = choose(open_app(PAGE), network="cnn")
    assert not app.error
    app.number_input(key="train_cnn_conv_layers").set_value(6).run()
    (error,) = app.error
    assert "conv 4" in error.value
    assert "Take fewer “Convolutions”, a smaller “Filter size (px)” or less pooling." in error.value
    assert "filter_size" not in error.value
    assert app.button(key="train_start").disabled
    app.text_input(key="train_cnn_filters").set_value("16, many").run()
    assert "“Filters” must be" in app.error[0].value


def test_a_taken_name_is_refused_and_nothing_starts(open_app):
    app = choose(open_app(PAGE))
    app.text_input[0].set_value("digits").run()
    app.button(key="train_start").click().run()
    assert "There is a network 'digits' already" in app.error[0].value
    with pytest.raises(Exception, match="There is no training 'digits'"):
        open_run("digits")


def test_a_data_set_that_is_not_there_is_one_sentence(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("INKLING_DATA", "/proc/nothing")
    app = open_app(PAGE)
    app.selectbox(key="train_dataset").select("emnist-balanced").run()
    assert not app.exception
    assert all("EMNIST" in error.value for error in app.error)
    assert app.error


def test_an_interrupted_run_is_shown_and_goes_on(open_app):
    run = create_run(quick(epochs=2), "cut")
    history = run.history
    history.state = "running"  # as a killed process leaves it
    run.write_history(history)
    app = open_app(PAGE)
    assert "was interrupted" in texts(app)
    app.button(key="train_resume").click().run()
    finish("cut")
    assert open_run("cut").state == "finished"


def test_a_finished_run_is_trained_on(open_app):
    list(train(quick(), "mine"))
    app = open_app(PAGE)
    app.number_input(key="train_more_epochs").set_value(2).run()
    app.button(key="train_extend").click().run()
    assert not app.exception
    finish("mine")
    assert open_network("mine").passport.training["epochs_done"] == 3


def test_stop_ends_a_run_and_a_second_one_waits_its_turn(open_app):
    jobs.start(quick(dataset="strokes-digits", epochs=500), "first")
    while open_run("first").state != "running":
        time.sleep(0.1)
    jobs.start(quick(), "second")
    app = open_app(PAGE)
    assert "is training" in texts(app)
    app.selectbox(key="train_watched").select("second").run()
    assert "waits for its turn" in texts(app)
    assert "behind first" in texts(app)
    app.selectbox(key="train_watched").select("first").run()
    app.button(key="train_stop").click().run()
    finish("first")
    assert open_run("first").state == "stopped"
    finish("second")
    assert open_run("second").state == "finished"


def test_a_diverged_run_says_the_step(open_app):
    with pytest.raises(Exception, match="diverged"):
        list(train(quick(learning_rate=1e6), "wild"))
    app = open_app(PAGE)
    assert "diverged at step" in texts(app)
    app.button(key="train_discard").click().run()
    assert not app.exception
    with pytest.raises(Exception, match="There is no training 'wild'"):
        open_run("wild")


def test_a_damaged_record_takes_no_other_run_with_it(open_app, inkling_home):
    list(train(quick(), "good"))
    run = create_run(quick(), "bad")
    (run.folder / "history.json").write_text("[")
    app = open_app(PAGE)
    app.selectbox(key="train_watched").select("bad").run()
    assert not app.exception
    assert "history.json is damaged" in app.error[0].value


@pytest.mark.parametrize("network", ["keras", "mlp", "cnn", "gabor", "vit", "digits", "residual", "report-dropout2d"])
def test_every_network_shows_its_layers(open_app, network):
    app = choose(open_app(PAGE), network=network)
    app.segmented_control(key="train_section").select("Network").run()
    assert not app.exception
    assert not app.error
    tiles = {metric.label: metric.value for metric in app.metric}
    assert int(tiles["Parameters"].replace(",", "")) > 10_000

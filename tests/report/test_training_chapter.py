"""The training chapter: everything that the course asks of a run, and no failure where something is gone."""

import argparse
import dataclasses
import json
import shlex

import numpy as np
import pytest
import torch

from core.cli import train as train_command
from core.data import Samples, load
from core.networks import NetworkSpec, export_zip, import_zip, open_network, save_network
from core.networks.base import build
from core.networks.passport import is_name
from core.networks.spec import CnnShape
from core.reading.own_hand import add_own_hand
from core.report.chapters import report_html
from core.report.document import Chapter, Code, Figure, Heading, Html, Table, Text
from core.report.result_blocks import outputs_table, result_blocks
from core.report.training_chapter import repeat_command, training_chapter
from core.training import TrainingConfig, results
from core.training.recipes import recipe
from core.training.runs import open_run


def titles(chapter: Chapter) -> list[str]:
    return [block.figure.layout.title.text for block in chapter.blocks if isinstance(block, Figure)]


def texts(chapter: Chapter) -> str:
    return "\n".join(block.text for block in chapter.blocks if isinstance(block, Text | Heading))


def table(chapter: Chapter, first_column: str) -> Table:
    (found,) = [b for b in chapter.blocks if isinstance(b, Table) and b.columns[0] == first_column]
    return found


def test_a_run_tells_everything(trained):
    samples = load("strokes-digits", "test")
    add_own_hand(["3", "7"], [samples.images[i].numpy().astype(np.float32) / 255 for i in (601, 1401)])
    chapter = training_chapter("my-run")
    assert titles(chapter) == [
        "The first 6 test samples of strokes-digits",
        "Loss while learning",
        "The same on a logarithmic scale",
        "Accuracy after each epoch",
        "The first test samples and what they are read as",
        "What is taken for what",
        "Precision and recall of each class",
        next(title for title in titles(chapter) if title.startswith("Confidence against accuracy")),
        "The mistakes made with most confidence",
        "My own digits",
    ]
    accuracy = open_network("my-run").passport.metrics["test_accuracy"]
    assert f"of 2,000 test samples are read right: {accuracy:.2%}" in texts(chapter)
    assert "21,840 parameters" in texts(chapter)
    assert "of 2 digits in my own handwriting" in texts(chapter)
    assert any(isinstance(block, Html) and "network-diagram" in block.html for block in chapter.blocks)
    assert [row[0] for row in table(chapter, "layer").rows] == ["conv1", "conv2", "dropout", "fc1", "fc2"]
    assert len(table(chapter, "sample").rows) == 10
    assert dict(table(chapter, "what").rows)["strokes-digits, training: SHA-256"] == load("strokes-digits").sha256


def test_the_curves_are_the_historys(trained):
    history = open_run("my-run").history
    chapter = training_chapter("my-run")
    figures = [block.figure for block in chapter.blocks if isinstance(block, Figure)]
    each, _, test = figures[titles(chapter).index("Loss while learning")].data
    assert list(each.y) == history.losses
    assert list(test.x) == [0, history.epochs[0]["examples"]]
    assert test.y[0] == history.untrained["test_loss"]


def test_the_outputs_are_the_networks_log_softmax(trained):
    samples = load("strokes-digits", "test")
    logits = results.logits_of(open_network("my-run"), samples)[:10].astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for row, outputs, label in zip(
        table(training_chapter("my-run"), "sample").rows, expected, samples.labels.tolist(), strict=False
    ):
        assert [float(cell) for cell in row[1:11]] == pytest.approx(outputs.tolist(), abs=0.0051)
        assert row[11] == outputs.argmax()
        assert row[13] == str(label)


def test_a_network_without_a_history_says_so(trained):
    for file in ("run.json", "history.json"):
        (trained / file).unlink()
    chapter = training_chapter("my-run")
    assert "No history was kept of this training, so there are no curves." in texts(chapter)
    assert "Loss while learning" not in titles(chapter)
    assert "What is taken for what" in titles(chapter)
    assert "No digits of my own have been kept yet." in texts(chapter)


def test_a_data_set_that_is_gone_leaves_the_rest(trained, tmp_path):
    passport = json.loads((trained / "passport.json").read_text())
    passport["training"]["dataset"] = f"folder:{tmp_path / 'gone'}"
    (trained / "passport.json").write_text(json.dumps(passport))
    chapter = training_chapter("my-run")
    assert "The test samples cannot be had now" in texts(chapter)
    assert titles(chapter)[:1] == ["Loss while learning"]
    assert table(chapter, "layer").rows


def test_a_data_set_that_changed_is_said_to_have_changed(trained):
    passport = json.loads((trained / "passport.json").read_text())
    passport["data"]["test"]["sha256"] = "0" * 64
    (trained / "passport.json").write_text(json.dumps(passport))
    assert "the data set has changed since" in texts(training_chapter("my-run"))


def test_a_network_for_a_table_has_no_pictures(inkling_home, monkeypatch):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(40, 11, generator=generator)
    patients = Samples("heart:x.csv", "test", rows, (rows[:, 0] > 0).long(), ("no", "yes"), tuple("abcdefghijk"))
    monkeypatch.setattr("core.training.tested.load", lambda name, part: patients)
    save_network(
        build(NetworkSpec("heart-11-10-1")),
        {
            "name": "hearts", "classes": ("no", "yes"), "data": {"name": "heart:x.csv"}, "seed": 0,
            "training": {"dataset": "heart:x.csv"}, "metrics": {}, "temperature": 1.0, "refusal_threshold": -9.0,
            "preprocessing": {"columns": list("abcdefghijk")},
        },
    )  # fmt: skip
    chapter = training_chapter("hearts")
    assert table(chapter, "#").columns == ["#", *"abcdefghijk", "class"]
    assert "What is taken for what" in titles(chapter)
    assert not [title for title in titles(chapter) if "samples" in title or "mistakes" in title]
    assert "My own hand" not in texts(chapter)


def test_an_imported_network_has_its_curves(trained):
    import_zip(export_zip("my-run"), "theirs")
    chapter = training_chapter("theirs")
    assert "Loss while learning" in titles(chapter)
    assert len(table(chapter, "epoch").rows) == 1


def test_a_strangers_history_that_is_damaged_is_left_out(trained):
    (trained / "run.json").unlink()
    (trained / "history.json").write_text('{"epochs": [{"epoch": "one"}], "losses": "none"}')
    assert "No history was kept of this training" in texts(training_chapter("my-run"))


def asked_by(command: str) -> TrainingConfig:
    """The config that the command line makes of a command."""
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "core", "train"]
    parser = argparse.ArgumentParser()
    train_command.add_arguments(parser)
    asked = parser.parse_args(words[4:])
    assert is_name(asked.name)
    return train_command._config(asked)


def test_the_command_trains_the_same_again(trained):
    (command,) = [block.text for block in training_chapter("my-run").blocks if isinstance(block, Code)]
    assert asked_by(command) == open_run("my-run").config


SHAPE = CnnShape(3, (8, 16, 24), 5, 3, "last", "tanh", 77, 0.25, True)


@pytest.mark.parametrize(
    "config",
    [
        recipe("cnn", cnn=SHAPE, epochs=7),
        recipe("cnn", cnn=CnnShape(filters=(8,))),
        recipe("cnn", dataset="folder:/my pictures/of 'cats'"),
        recipe("vit", learning_rate=0.0012345678901, seed=2**62),
        recipe("report", optimizer="adam", learning_rate=1e-5, threads=1, device="cuda"),
        recipe("heart-11-10-1", dataset="heart:patients.csv", loss="cross-entropy", batch_size=8),
        recipe("digits", averaging=0.0, precision="float32", augmentation="none", weight_decay=0.0),
        recipe("mlp", momentum=0.5, schedule="one-cycle", dropout=0.3),
    ],
    ids=lambda config: config.network,
)
def test_every_setting_comes_back_through_the_command_line(trained, config):
    passport = dataclasses.replace(open_network("my-run").passport, training=config.to_json(), name="n" * 64)
    assert asked_by(repeat_command(passport)) == config


def test_settings_without_an_option_are_told_in_a_sentence(trained):
    record = json.loads((trained / "passport.json").read_text())
    record["training"] |= {"also": ["mnist"], "negatives": 500}
    (trained / "passport.json").write_text(json.dumps(record))
    assert "which are not the network's usual: also mnist, negatives 500." in texts(training_chapter("my-run"))


def test_a_command_is_given_only_for_what_train_can_do(trained):
    passport = open_network("my-run").passport
    odd = dataclasses.replace(passport, training={"method": "fine-tuning", "network": "none"})
    assert repeat_command(odd) is None
    assert "has no option" not in texts(training_chapter("my-run"))


def test_many_classes_turn_the_table_of_outputs():
    rng = np.random.default_rng(0)
    names = tuple(f"c{i}" for i in range(47))
    result = results.result_of(rng.normal(size=(60, 47)), rng.integers(47, size=60), names, 1.0)
    turned = outputs_table(result)
    assert list(turned.columns) == ["sample", *map(str, range(1, 11))]
    assert [row[0] for row in turned.rows] == [*names, "index of max", "read as", "true"]
    assert turned.rows[-1][1] == names[result.labels[0]]


def test_a_test_without_mistakes_shows_none():
    samples = Samples("x", "test", load("strokes-digits", "test").images[:4], torch.arange(4) % 2, ("a", "b"))
    result = results.result_of(9.0 * np.eye(2)[[0, 1, 0, 1]], np.array([0, 1, 0, 1]), ("a", "b"), 1.0)
    found = [b.figure.layout.title.text for b in result_blocks(result, samples) if isinstance(b, Figure)]
    assert "The mistakes made with most confidence" not in found
    assert "The first test samples and what they are read as" in found


def test_a_shipped_network_has_a_report(data_or_skip):
    data_or_skip("MNIST/raw")
    html = report_html("report").decode()
    assert "9,926 of 10,000 test samples are read right: 99.26%" in html
    assert "No history was kept" in html

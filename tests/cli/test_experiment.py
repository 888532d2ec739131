"""The command `experiment`: what it prints, and how it ends. Trainings are stood in for here."""

import json
from concurrent.futures import Future

import pytest

from core.cli import main
from core.experiments import driver, executors
from core.experiments.storage import Storage
from core.experiments.unit import KINDS, work

STUDY = """
question = "Does dropout help?"
dataset = "digits-8x8"
network = "cnn"
objectives = ["accuracy", "seconds"]
epochs = 1
[dimensions]
dropout = [0.1, 0.3]
filters = [8, [8, 16]]
"""


class Inline:
    """Tasks are carried out as they are handed in."""

    name, place, waits_for, workers = "processes", "here", "", 1

    def submit(self, task):
        answer = Future()
        answer.set_result(work(task))
        return answer

    def is_back(self):
        return True

    def close(self, at_once):
        self.closed_at_once = at_once


def train(unit, record, watched):
    """As accurate as the dropout is high; the network of two layers cannot be trained."""
    config = json.loads(unit.setup)["config"]
    if len(config["cnn"]["filters"]) > 1 and config["dropout"] == 0.3:
        raise RuntimeError("no\nluck")
    accuracy = config["dropout"]
    record["epochs"].append(
        {"epoch": 1, "accuracy": accuracy, "loss": 1.0, "train_accuracy": accuracy, "train_loss": 1.0, "seconds": 2.0}
    )
    record["state"] = "finished"


@pytest.fixture
def pool(monkeypatch):
    one = Inline()
    monkeypatch.setattr(executors, "executor", lambda *_: one)
    monkeypatch.setattr(driver, "sha256_of", lambda dataset: "0" * 64)
    monkeypatch.setitem(KINDS, "training", f"{__name__}:train")
    return one


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "helps.toml"
    file.write_text(STUDY, "utf-8")
    return str(file)


def test_each_trial_is_a_line_of_json_and_a_second_command_prints_the_same_table(pool, file, capsys):
    assert main(["experiment", file, "--json"]) == 0
    output, progress = capsys.readouterr()
    first = [json.loads(line) for line in output.splitlines()]
    failed = next(line for line in first if line["state"] == "failed")
    assert failed["params"] == {"dropout": 0.3, "filters": [8, 16]}
    assert failed["problem"] == "It broke off (RuntimeError: no luck)."
    assert failed["values"] == []
    whole = [line for line in first if line["state"] == "complete"]
    assert [set(line) for line in whole] == [{"trial", "params", "values", "seconds", "state"}] * 3
    assert {json.dumps(line["params"]): line["values"] for line in whole} == {
        '{"dropout": 0.1, "filters": 8}': [0.1, 2.0],
        '{"dropout": 0.1, "filters": [8, 16]}': [0.1, 2.0],
        '{"dropout": 0.3, "filters": 8}': [0.3, 2.0],
    }
    assert sorted(line["trial"] for line in first) == [0, 1, 2, 3]
    assert "3 of 4 trials, 1 failed" in progress
    assert pool.closed_at_once is False

    assert main(["experiment", file, "--json"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert again == sorted((line | {"earlier": True} for line in first), key=lambda line: line["trial"])


def test_people_read_a_sentence_a_trial(pool, file, capsys):
    assert main(["experiment", file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "0: dropout 0.1, filters 8 → 0.1 and 2 (complete, 2.0 s)" in lines
    assert any(line.endswith("(failed, 0.0 s: It broke off (RuntimeError: no luck).)") for line in lines)


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(pool, file, capsys, monkeypatch):
    def interrupted(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "submit", interrupted)
    assert main(["experiment", file, "--json"]) == 130
    output, said = capsys.readouterr()
    assert output == ""
    assert said.strip() == "Stopped. Nothing is lost: the same command goes on with it."
    assert pool.closed_at_once
    assert Storage().counts("helps").running == 2  # begun, and taken up again by the next command
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scheduler", "tcp://127.0.0.1:8786"], "A scheduler belongs to the executor dask; add --executor dask."),
        (
            ["--executor", "dask", "--scheduler", "nowhere"],
            "A scheduler's address is as tcp://HOST:8786, not 'nowhere'.",
        ),
        (["--workers", "0"], "There can be 1 to 1024 workers, not 0."),
        (["--storage", "studies.db"], "'studies.db' is no storage's address"),
    ],
)
def test_what_cannot_run_is_one_line_on_standard_error(arguments, message, file, capsys):
    assert main(["experiment", file, *arguments, "--json"]) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1

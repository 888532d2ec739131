"""What ships: its passports, and how they come about."""

import csv
import dataclasses

import numpy as np
import pytest

from core.data import load
from core.data.alphabet import GREEK
from core.networks import open_network
from core.networks.store import TrainedNetwork
from core.paths import ASSETS
from core.reading import open_recognizer
from core.training.recipes import SHIPPED
from core.training.ship import keep
from core.transfer.letters import largest_symbol


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_networks_say_what_taught_them_and_how_well(name, inkling_home):
    network = open_network(name)
    passport = network.passport
    assert network.folder == ASSETS / "networks" / name
    assert passport.classes == (tuple(GREEK) if name == "greek" else tuple("0123456789"))
    assert passport.metrics["parameters"] == sum(p.numel() for p in network.module().parameters()) <= 400_000
    assert len(passport.metrics["test_accuracy_by_seed"]) == 3
    assert passport.metrics["test_accuracy_mean"] >= {"report": 0.992, "digits": 0.9965, "greek": 0.85}[name]
    assert passport.training["network"] == SHIPPED[name].network
    assert passport.runtime_sha256 is not None


@pytest.mark.parametrize(("name", "strokes"), [("digits", "strokes-digits"), ("greek", "strokes-greek")])
def test_networks_were_taught_by_the_strokes_that_the_generator_draws_today(name, strokes, inkling_home):
    taught = {t["name"]: t["sha256"] for t in open_network(name).passport.data["train"]}
    assert taught[strokes] == load(strokes, "train").sha256


def test_greek_letters_of_people_are_read(data_or_skip, inkling_home):
    """Photos, scans and drawings of 16 small letters; none of them taught."""
    folder = data_or_skip("handwriting")
    recognizer = open_recognizer("greek")
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["kind"] == "single" and r["label"] in recognizer.classes]
    glyphs = np.stack([largest_symbol(folder / row["file"]) for row in rows])
    answers = recognizer.classify(glyphs)[0].argmax(1)
    right = sum(recognizer.classes[answer] == row["label"] for answer, row in zip(answers, rows, strict=True))
    assert len(rows) == 250
    assert right >= 237  # 95 %; measured: 240


def test_the_first_seed_ships_whichever_did_best(tmp_path, inkling_home):
    shipped = open_network("report")

    def with_accuracy(accuracy: float) -> TrainedNetwork:
        metrics = shipped.passport.metrics | {"test_accuracy": accuracy}
        return TrainedNetwork(dataclasses.replace(shipped.passport, metrics=metrics), shipped.folder)

    assert keep([with_accuracy(0.98), with_accuracy(0.99)], tmp_path) == pytest.approx(0.985)
    kept = tmp_path / "report"
    assert {f.name for f in kept.iterdir()} == {"weights.safetensors", "network.onnx", "passport.json"}
    assert '"test_accuracy": 0.98' in (kept / "passport.json").read_text()


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_tells_nothing_of_the_machine_that_trained_it(name, inkling_home):
    network = open_network(name)
    for file in (network.runtime_file, network.weights_file, network.folder / "passport.json"):
        assert b"site-packages" not in file.read_bytes()
        assert str(ASSETS.parent).encode() not in file.read_bytes()

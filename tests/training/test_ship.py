"""What ships: its passports, and how they come about."""

import dataclasses

import pytest

from core.data import load
from core.networks import open_network
from core.networks.store import TrainedNetwork
from core.paths import ASSETS
from core.training.recipes import SHIPPED
from core.training.ship import keep


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_networks_say_what_taught_them_and_how_well(name, inkling_home):
    network = open_network(name)
    passport = network.passport
    assert network.folder == ASSETS / "networks" / name
    assert passport.classes == tuple("0123456789")
    assert passport.metrics["parameters"] == sum(p.numel() for p in network.module().parameters()) <= 400_000
    assert len(passport.metrics["test_accuracy_by_seed"]) == 3
    assert passport.metrics["test_accuracy_mean"] >= {"report": 0.992, "digits": 0.9965}[name]
    assert passport.training["network"] == name
    assert passport.runtime_sha256 is not None


def test_the_digits_network_was_taught_by_the_strokes_that_the_generator_draws_today(inkling_home):
    taught = {t["name"]: t["sha256"] for t in open_network("digits").passport.data["train"]}
    assert taught["strokes-digits"] == load("strokes-digits", "train").sha256


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

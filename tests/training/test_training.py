"""Training end to end on generated strokes: learns, repeats, stops, keeps a passport; needs no data from outside."""

import threading

import pytest
import torch

from core.data import Samples, load
from core.errors import DataError, NetworkError, TrainingError
from core.networks import NetworkSpec, open_network
from core.networks.base import build
from core.training import TrainingConfig, execute, recipe
from core.training.execute import TrainingResult, join, split_validation, train
from core.training.fit import BatchDone, EpochDone, TrainingStopped, fit
from core.training.negatives import make_negatives


def some(count: int, part: str = "train") -> Samples:
    whole = load("strokes-digits", part)
    chosen = torch.linspace(0, len(whole) - 1, count).long()
    return Samples(whole.name, part, whole.images[chosen], whole.labels[chosen], whole.classes)


def config(**changes) -> TrainingConfig:
    return TrainingConfig(dataset="strokes-digits", threads=1, **changes)


def run_fit(changes: dict, count: int = 300):
    torch.manual_seed(0)
    settings = config(**changes)
    network = build(NetworkSpec(settings.network, dropout=settings.dropout))
    negatives = make_negatives(settings.negatives, some(100), 0) if settings.negatives else None
    events = list(fit(network, some(count), some(100, "test"), settings, negatives))
    return network, events


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "report", "dropout": 0.0, "epochs": 30, "batch_size": 20},
        {
            "network": "digits",
            "dropout": 0.0,
            "epochs": 12,
            "batch_size": 20,
            "augmentation": "handwriting",
            "negatives": 60,
            "averaging": 0.9,
        },
    ],
)
def test_a_tiny_set_can_be_learned(changes):
    _, events = run_fit(changes)
    last = events[-1]
    assert isinstance(last, EpochDone)
    assert last.train_accuracy > 0.9
    assert last.test_accuracy > 0.7


def test_events_count_examples_and_epochs():
    _, events = run_fit({"epochs": 2, "batch_size": 64}, count=150)
    epochs = [e for e in events if isinstance(e, EpochDone)]
    batches = [e for e in events if isinstance(e, BatchDone)]
    assert [e.examples for e in epochs] == [150, 300]
    assert [e.epoch for e in epochs] == [1, 2]
    assert [e.examples for e in batches] == [64, 128, 150, 214, 278, 300]
    assert set(epochs[0].to_json()) == {
        "epoch",
        "examples",
        "train_loss",
        "train_accuracy",
        "test_loss",
        "test_accuracy",
        "seconds",
    }


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    changes = {"epochs": 1, "batch_size": 32, "augmentation": "handwriting", "negatives": 30}
    first, again = run_fit(changes)[0], run_fit(changes)[0]
    other = run_fit(changes | {"seed": 1})[0]
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)]
    differ = [torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True)]
    assert all(same)
    assert not all(differ)


def test_stop_is_neither_failure_nor_completion():
    stop = threading.Event()
    network = build(NetworkSpec("report"))
    seen = []
    for event in fit(network, some(200), some(50, "test"), config(epochs=5, batch_size=20), stop=stop):
        seen.append(event)
        if len(seen) == 4:  # the figures before training, three batches
            stop.set()
    assert isinstance(seen[-1], TrainingStopped)
    assert seen[-1].examples == 60
    assert not any(isinstance(e, EpochDone) for e in seen)


def test_train_keeps_a_network_whose_passport_says_what_taught_it(inkling_home):
    events = list(train(config(epochs=1, batch_size=100, seed=3), "mine"))
    result = events[-1]
    assert isinstance(result, TrainingResult)
    passport = open_network("mine").passport
    assert passport.seed == 3
    assert passport.data["train"][0]["sha256"] == load("strokes-digits", "train").sha256
    assert passport.metrics["test_accuracy"] == pytest.approx(result.test_accuracy)
    assert passport.metrics["parameters"] == 21_840
    assert 0 <= passport.metrics["test_ece"] < 1
    assert passport.training["epochs"] == 1
    assert passport.metrics["test_refused"] < 0.05


def test_a_stopped_training_keeps_nothing(inkling_home):
    stop = threading.Event()
    stop.set()
    events = list(train(config(epochs=1), "never", stop=stop))
    assert isinstance(events[-1], TrainingStopped)
    with pytest.raises(NetworkError, match="'never' has not kept a network yet"):
        open_network("never")


def test_the_recipe_for_digits_can_learn_letters_too(inkling_home, monkeypatch):
    monkeypatch.setattr(execute, "load", lambda *which: load(*which).take(torch.arange(0, 2400, 10)))
    changes = {"batch_size": 500, "threads": 1, "precision": "float32", "negatives": 40}
    settings = recipe("digits", dataset="strokes-greek", epochs=1, **changes)
    result = list(train(settings, "letters"))[-1]
    assert isinstance(result, TrainingResult)
    assert len(result.network.passport.classes) == 24
    assert result.network.passport.data["negatives"] == 40
    assert [t["name"] for t in result.network.passport.data["train"]] == ["strokes-greek"]


def test_validation_is_a_fixed_part_that_teaches_nothing():
    whole = load("strokes-digits", "train")
    taught, validation = split_validation(whole)
    again = split_validation(whole)[1]
    assert len(taught) + len(validation) == len(whole)
    assert validation.sha256 == again.sha256
    both = join([taught, validation])
    assert both.images.sum() == whole.images.sum()


def test_negatives_are_seeded_glyphs():
    first, again = make_negatives(50, some(100), 7), make_negatives(50, some(100), 7)
    assert first.shape == (50, 1, 28, 28)
    assert first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert (first.flatten(1).max(dim=1).values > 100).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0"),
        ({"dropout": 1.0}, "dropout must be from 0"),
        ({"seed": -1}, "seed must be"),
        ({"schedule": "cosine"}, "schedule must be one of one-cycle, constant"),
        ({"precision": "int8"}, "precision must be one of"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(changes, message):
    with pytest.raises(TrainingError, match=message):
        config(**changes)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(NetworkError, match=r"Unknown network architecture 'lenet'.*report"):
        recipe("lenet")
    with pytest.raises(TrainingError, match="Unknown settings: size"):
        recipe("report", size=3)
    with pytest.raises(DataError, match="Unknown data set 'nope'"):
        list(train(TrainingConfig(dataset="nope"), "x"))


def test_a_training_that_runs_away_says_so():
    network = build(NetworkSpec("report"))
    torch.nn.init.constant_(network.fc2.bias, float("nan"))  # as after steps that were too long
    with pytest.raises(TrainingError, match=r"its loss is nan\. Take a smaller learning rate than 0\.05"):
        list(fit(network, some(64), some(64, "test"), config(learning_rate=0.05)))

"""Confirmation: seeds of its own, a test set that is scored once, every look counted; and trials that are kept."""

from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, norm
from sklearn.tree import DecisionTreeClassifier

from core.data import load
from core.errors import ExperimentError, NetworkError
from core.experiments import confirm, keep
from core.experiments.confirm import Confirmation, fresh_seeds, interval_of, parts
from core.experiments.data_cache import sha256_of
from core.experiments.keep_transfer import TransferKeeping
from core.experiments.ledger import Ledger
from core.experiments.looks import Look, Looks
from core.experiments.origin import origin_of
from core.experiments.storage import Storage
from core.experiments.study import Study
from core.experiments.transfers import teach, with_letters
from core.experiments.unit import Task, Unit, Watched, work
from core.networks import open_network
from core.training import TrainingConfig, create_run
from core.training.execute import TrainingResult, split_validation, train

STUDY = Study(
    "Do filters help?", name="filters", dataset="digits-8x8", dimensions={"filters": (4, 6)}, seeds=2, seed=5,
    settings={"epochs": 1, "conv_layers": 1, "dense_nodes": 16, "learning_rate": 0.1},
)  # fmt: skip


class Here:
    """A pool that works at once, in this process."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def submit(self, task: Task) -> Future:
        done: Future = Future()
        done.set_result(work(task))
        return done

    def close(self, at_once: bool) -> None: ...


class Never(Here):
    """A pool that does not get round to it, but for the first `done` tasks."""

    done = 0

    def submit(self, task: Task) -> Future:
        if self.done:
            self.done -= 1
            return super().submit(task)
        return Future()


@pytest.fixture
def storage(inkling_home, monkeypatch) -> Storage:
    monkeypatch.setattr(confirm, "Processes", Here)
    monkeypatch.setattr(confirm, "POLL_S", 0.01)
    storage = Storage()
    storage.keep(STUDY)
    return storage


def confirmed(storage: Storage, study: Study = STUDY, count: int = 2) -> Confirmation:
    made = Confirmation(study, storage, 1, {"filters": 6}, (0.9, 0.95), count).begin()
    made.join(60)
    return made


def test_it_trains_as_the_search_did_and_scores_what_the_search_never_saw(storage):
    made = confirmed(storage)
    assert (made.state, made.problem) == ("finished", "")
    look = made.look
    assert look.seeds == (7, 8)  # the study's own were 5 and 6
    assert (look.searched, look.settings) == ((0.9, 0.95), "Filters 6")
    assert look.test_samples == len(load("digits-8x8", "test"))
    setup = STUDY.setup({"filters": 6}).text()
    task = Task((Unit(setup, sha256_of("digits-8x8"), 7),), storage.url, "filters", 0)
    (record,) = work(task)  # the same training as a trial's
    assert look.validation[0] == record["epochs"][-1]["accuracy"]
    config = keep.config_of(STUDY, {"filters": 6}, seed=7)
    *_, kept = train(config, "kept")  # the same as a stored network
    assert isinstance(kept, TrainingResult)
    assert look.test[0] == pytest.approx(kept.test_accuracy)
    assert kept.network.passport.metrics["validation_accuracy"] == pytest.approx(look.validation[0])


def test_every_look_is_counted_by_study_and_by_data_set(storage):
    looks = Looks(storage)
    assert (looks.of("filters"), looks.at("digits-8x8")) == ([], 0)
    first, second = confirmed(storage, count=1), confirmed(storage, count=1)
    assert second.look.seeds == (8,)  # not the first one's again
    assert [look.id for look in looks.of("filters")] == [first.look.id, second.look.id]
    assert looks.of("filters") == [first.look, second.look]
    looks.write(Look("another", "digits-8x8", 0, (0,), 1, (), "finished", test=(0.5,)))
    looks.write(Look("another", "mnist", 0, (0,), 1, (), "finished", test=(0.5,)))
    assert (len(looks.of("filters")), looks.at("digits-8x8"), looks.at("mnist")) == (2, 3, 1)


@pytest.mark.parametrize("scored", [0, 1])
def test_what_was_stopped_is_a_look_only_if_something_was_scored(storage, monkeypatch, scored):
    monkeypatch.setattr(confirm, "Processes", Never)
    monkeypatch.setattr(Never, "done", scored)
    made = Confirmation(STUDY, storage, 0, {"filters": 4}, (0.9,), 2)
    made.stop()
    made.begin().join(60)
    assert (made.state, made.look) == ("stopped", None)
    found = Looks(storage).of("filters")
    assert [(look.state, len(look.test)) for look in found] == [("stopped", 1)] * scored


def test_one_that_was_cut_off_counts_as_far_as_it_came(storage):
    looks = Looks(storage)
    looks.write(Look("filters", "digits-8x8", 0, (9,), 1, ("some key",)))
    assert looks.of("filters") == []
    Ledger(storage).write("some key", "filters", {"state": "finished", "test": {"accuracy": 0.9}})
    assert [look.state for look in looks.of("filters")] == ["running"]
    assert fresh_seeds(STUDY, looks.of("filters"), 2) == (10, 11)


def test_the_winner_is_trained_for_its_final_epochs(storage):
    longer = Study.from_json(STUDY.to_json() | {"final_epochs": 2, "name": "longer"})
    made = confirmed(storage, longer, count=1)
    assert made.look.epochs == 2
    assert len(Ledger(storage).read(made.look.keys)[made.look.keys[0]]["epochs"]) == 2


def test_what_cannot_be_confirmed_is_said(storage, monkeypatch):
    with pytest.raises(ExperimentError, match="1 to 20 seeds, not 0"):
        fresh_seeds(STUDY, [], 0)
    monkeypatch.setattr(confirm, "sha256_of", lambda name: "0" * 64)  # of other data
    made = confirmed(storage, count=1)
    assert made.state == "failed"
    assert "The training with seed 7 failed" in made.problem
    assert Looks(storage).of("filters") == []
    monkeypatch.setattr(confirm, "Processes", Never)
    going = confirm.start(STUDY, storage, 0, {"filters": 4}, (0.9,))
    with pytest.raises(ExperimentError, match="Trial 0 of this study is being confirmed"):
        confirm.start(STUDY, storage, 1, {"filters": 6}, (0.9,))
    going.stop()
    going.join(60)


LETTERS = Study(
    "Do samples help?", name="letters", dataset="digits-8x8", dimensions={"samples": (18, 27)}, seed=5, folds=3,
    settings={"source": "report", "letters": "3, 5, 8", "method": "head", "epochs": 2},
)  # fmt: skip


def test_letters_are_taught_anew_and_scored_on_the_test_set(storage):
    storage.keep(LETTERS)
    made = Confirmation(LETTERS, storage, 1, {"samples": 27}, (0.9, 0.95, 0.9), 2).begin()
    made.join(60)
    assert (made.state, made.problem) == ("finished", "")
    setup = LETTERS.setup({"samples": 27}).text()
    test = with_letters(load("digits-8x8", "test"), ["3", "5", "8"])
    assert made.look.test_samples == len(test) > 50
    for number, seed in enumerate((6, 7)):
        unit, record = Unit(setup, sha256_of("digits-8x8"), seed, number, 3), {"state": "running", "epochs": []}
        network = teach(unit, record, Watched(Task((unit,), storage.url, "letters", 0), unit, prunes=False))
        assert made.look.validation[number] == record["epochs"][-1]["accuracy"]
        answers = network(test.images[:, None] / 255).argmax(1)
        assert made.look.test[number] == pytest.approx((answers == test.labels).float().mean().item())


def test_letters_are_taught_for_their_final_epochs(storage):
    made = Confirmation(replace(LETTERS, final_epochs=3), storage, 1, {"samples": 27}, (0.9,), 1).begin()
    made.join(60)
    assert (made.state, made.look.epochs) == ("finished", 3)
    assert len(Ledger(storage).read(made.look.keys)[made.look.keys[0]]["epochs"]) == 3


def test_taught_letters_are_kept_as_a_network(storage):
    storage.keep(LETTERS)
    made = TransferKeeping(LETTERS, storage, 1, {"samples": 27}, 0.93, "three-letters").begin()
    made.join(60)
    assert (made.state, made.problem) == ("finished", "")
    passport = open_network("three-letters").passport
    assert passport.classes == ("3", "5", "8")
    assert passport.data["train"][0]["samples"] == 27
    assert passport.metrics["test_accuracy"] > 0.7
    assert origin_of("three-letters").configuration == {"samples": 27}
    assert [look.state for look in Looks(storage).of("letters")] == ["kept"]
    with pytest.raises(NetworkError, match="three-letters"):
        TransferKeeping(LETTERS, storage, 1, {"samples": 27}, 0.93, "three-letters")
    nearest = replace(LETTERS, settings=LETTERS.settings | {"method": "neighbours"})
    with pytest.raises(NetworkError, match="are no network that can be kept"):
        TransferKeeping(nearest, storage, 1, {"samples": 27}, 0.93, "nearest")


def test_an_interval_holds_for_other_seeds_and_other_samples():
    _, low, high = interval_of([0.9], 500)
    wilson = binomtest(450, 500).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((wilson.low, wilson.high))
    wide = interval_of([0.88, 0.9, 0.92], 500)
    assert wide[0] == pytest.approx(0.9)
    assert wide[1] < low
    assert wide[2] > high
    rng = np.random.default_rng(0)
    covered, truth = 0, norm.cdf(1.3 / np.sqrt(1 + 0.5**2 + 0.05**2))
    for _ in range(200):  # networks differ from seed to seed, and all answer the same samples
        hard = rng.normal(0, 1, 500)
        nets = rng.normal(1.3, 0.05, 3)
        right = hard[None] + rng.normal(0, 0.5, (3, 500)) < nets[:, None]
        _, low, high = interval_of(right.mean(axis=1).tolist(), 500)
        covered += low <= truth <= high
    assert covered / 200 >= 0.9


def test_the_search_stands_beside_the_new_trainings():
    rest = ("finished", (0.9, 0.92), (0.88, 0.9), 300, 0.85, 0.93)
    searched, anew, test = parts(Look("filters", "digits-8x8", 1, (7, 8), 1, (), *rest, searched=(0.95,)))
    assert (searched.mean, anew.mean, test.mean) == pytest.approx((0.95, 0.91, 0.89))
    assert np.isnan(searched.low)
    assert anew.low < 0.9 < 0.92 < anew.high
    assert (test.low, test.high) == (0.85, 0.93)


def test_a_trial_is_kept_with_its_settings_and_where_it_comes_from(storage, monkeypatch):
    begun = []

    def start(config: TrainingConfig, name: str):
        begun.append(config)
        return create_run(config, name)

    monkeypatch.setattr(keep.jobs, "start", start)
    run = keep.keep(STUDY, storage, 1, {"filters": 6}, 0.93, "filters-1")
    (config,) = begun
    assert (config.seed, config.epochs, config.also, config.negatives) == (5, 1, (), 0)
    assert config.cnn.filters == STUDY.setup({"filters": 6}).config.cnn.filters
    origin = origin_of(run.name)
    assert (origin.study, origin.trial, origin.accuracy) == ("filters", 1, 0.93)
    assert origin.configuration == {"filters": 6}
    assert [look.state for look in Looks(storage).of("filters")] == ["kept"]  # its test accuracy will be known
    assert origin_of("report") is None
    (run.folder / "study.json").write_text('{"study": 3}')
    with pytest.raises(ExperimentError, match=r"study.json says nothing of a study"):
        origin_of(run.name)


def test_other_kinds_are_no_networks(storage):
    tree = Study("?", name="tree", dataset="digits-8x8", network="shallow-tree", dimensions={"samples": (200, 400)})
    with pytest.raises(ExperimentError, match="only a network's training can be made a stored network"):
        keep.config_of(tree, {"samples": 200})
    assert keep.samples_of(tree, {"samples": 200}) is None
    storage.keep(tree)
    made = Confirmation(tree, storage, 0, {"samples": 200}, (0.5,), 1).begin()
    made.join(60)
    assert made.state == "finished"
    taught, test = split_validation(load("digits-8x8", "train"))[0], load("digits-8x8", "test")
    drawn = taught.take(torch.randperm(len(taught), generator=torch.Generator().manual_seed(1))[:200])
    alone = DecisionTreeClassifier(max_depth=4, random_state=1).fit(drawn.images.flatten(1) / 255, drawn.labels)
    assert made.look.test[0] == pytest.approx(alone.score(test.images.flatten(1) / 255, test.labels))

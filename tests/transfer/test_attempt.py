"""Attempts: six methods measured, what stays frozen, kept classes and what is forgotten; curve and coach."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.data import Samples
from core.data.strokes import draw_glyphs
from core.errors import DataError, NetworkError, TrainingError
from core.networks import NetworkSpec, open_network, save_network
from core.networks.base import as_input, build
from core.training.fit import EpochDone
from core.training.results import wilson
from core.transfer import METHODS
from core.transfer.attempt import Attempt, attempt
from core.transfer.coach import advise, gain
from core.transfer.features import features_of, top_of
from core.transfer.forgetting import forgetting_of
from core.transfer.heads import embed
from core.transfer.learning_curve import check_extension, follow, learning_curve
from core.transfer.letters import Letters
from core.transfer.methods import TransferConfig
from core.transfer.neighbours import Vote
from core.transfer.notes import twins
from core.transfer.rehearsal import Rehearsal, rehearsal_of
from core.transfer.validation import CrossValidation, cross_validate

pytestmark = pytest.mark.usefixtures("small_epochs")

SYMBOLS = ("alpha", "psi", "omega")
EPOCHS = {"head": 2, "top": 2}  # of the quick ones; one is enough for the others


def drawn(count: int, seed: int, symbols: tuple[str, ...] = SYMBOLS) -> Letters:
    labels = np.repeat(np.arange(len(symbols)), count)
    images = torch.from_numpy(draw_glyphs([symbols[i] for i in labels], seed))
    samples = Samples("drawn", "train", images, torch.from_numpy(labels), symbols)
    return Letters(samples, tuple(f"{seed}-{i}" for i in range(len(samples))))


@pytest.fixture(scope="module")
def report():
    return open_network("report")


@pytest.fixture(scope="module")
def attempts(report) -> dict[str, tuple]:
    """All methods on the same letters: (events, attempt)."""
    letters, test = drawn(4, 1), drawn(5, 2)
    found = {}
    for method in METHODS:
        *events, last = attempt(report, letters, TransferConfig(method, epochs=EPOCHS.get(method, 1)), test)
        assert isinstance(last, Attempt)
        found[method] = (events, last)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_an_attempt_tells_what_was_measured(method, attempts):
    events, tried = attempts[method]
    with torch.inference_mode():
        answers = tried.network.logits(as_input(tried.test.samples.images)).argmax(1)
    right = int((answers == tried.test.samples.labels).sum())
    assert tried.test_accuracy == right / 15
    assert tried.test_interval == wilson(right, 15)
    assert [SYMBOLS[i] for i in answers] == [p.predicted for p in tried.predictions]
    assert (len(tried.validation.labels), tried.measured_on) == (12, "test")
    assert tried.validation.interval == wilson(int(tried.validation.right.sum()), 12)
    assert tuple(e for e in events if isinstance(e, EpochDone)) == tried.epochs
    assert len(tried.epochs) == (0 if method in ("prototypes", "neighbours") else EPOCHS.get(method, 1))
    assert not tried.network.training
    perfect = tried.first_perfect_epoch
    assert perfect in (None, 1, 2)


@pytest.mark.parametrize(("method", "learned"), [("prototypes", {"fc2"}), ("head", {"fc2"}), ("top", {"fc1", "fc2"})])
def test_what_is_frozen_stays(method, learned, attempts, report):
    before, tried = report.module().state_dict(), attempts[method][1]
    after = tried.network.state_dict()
    for key, value in before.items():
        same = after[key].shape == value.shape and torch.equal(after[key], value)
        assert same is (key.split(".")[0] not in learned), key
    assert tried.parameters == 21_483
    assert tried.trainable == {"prototypes": 153, "head": 153, "top": 16_203}[method]
    assert tried.frozen == tried.parameters - tried.trainable


def test_neighbours_cannot_be_kept_and_prototypes_can(attempts):
    with pytest.raises(NetworkError, match="The nearest neighbours are no network that can be kept"):
        attempts["neighbours"][1].keep("mine")
    kept = attempts["prototypes"][1].keep("mine")
    torch.testing.assert_close(kept.module().fc2.weight, attempts["prototypes"][1].network.fc2.weight)


def test_the_vote_is_that_of_the_nearest_without_oneself():
    points = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0], [12.5]])
    vote = Vote(points, torch.tensor([0, 0, 0, 1, 1, 1]), 2)
    assert vote.k == 1
    logits = vote(torch.tensor([[1.2], [9.0]]))
    assert logits.argmax(1).tolist() == [0, 1]
    torch.testing.assert_close(logits.exp().sum(1), torch.ones(2))
    noisy = Vote(points, torch.tensor([0, 1, 0, 1, 1, 1]), 2)
    assert noisy.k in (1,)  # class 0 has two samples: no k of three


def test_features_of_some_letters_hold_nothing_of_the_others(report):
    letters = drawn(3, 5).samples
    features = features_of(report.module(), "embedding", letters)
    torch.testing.assert_close(features.own, embed(report.module(), letters.images))
    some = torch.tensor([0, 1, 3, 4, 6])
    part = features.take(some)
    assert part.copies.shape[1] == 5
    assert set(part.parents.unique().tolist()) <= {-1, *some.tolist()}
    assert (part.parents == -1).any()
    body, tail = top_of(report.module())
    inputs = as_input(letters.images)
    with torch.inference_mode():
        torch.testing.assert_close(tail(body(inputs)), report.module().logits(inputs))


def test_a_network_without_two_dense_layers_at_its_end_is_told():
    with pytest.raises(TrainingError, match="does not end with two dense layers"):
        top_of(build(NetworkSpec("residual")).eval())


def test_pictures_that_are_alike_are_held_out_together(report):
    letters = drawn(2, 3).samples
    twice = replace(letters, inputs=letters.inputs[[0, 0, 2, 3, 4, 5]])
    found = cross_validate(report.module(), twice, TransferConfig("prototypes"))
    assert found.folds == 5
    mixed = replace(letters, inputs=letters.inputs[[0, 1, 0, 3, 4, 5]])
    (pair,) = twins(mixed)
    assert (pair.first, pair.second, pair.count) == ("alpha", "psi", 1)


def test_after_a_stop_there_is_no_attempt(report):
    stop = threading.Event()
    events = []
    for event in attempt(report, drawn(3, 1), TransferConfig("head", epochs=3), stop=stop):
        events.append(event)
        stop.set()
    assert len(events) == 1
    assert isinstance(events[0], EpochDone)


def small_digits(tmp_path):
    """A network of 10 classes that names embedded data, with the weights of `report`."""
    passport = open_network("report").passport
    fields = {
        "name": "small", "classes": passport.classes, "data": {"name": "digits-8x8"}, "seed": 0,
        "training": {"dataset": "digits-8x8"}, "metrics": {}, "temperature": 1.0, "refusal_threshold": 0.0,
    }  # fmt: skip
    return save_network(open_network("report").module(), fields)


def test_kept_classes_are_measured(tmp_path):
    source = small_digits(tmp_path)
    *_, tried = attempt(source, drawn(4, 1, ("psi", "iota")), TransferConfig("prototypes", keep_classes=True))
    assert tried.classes == (*"0123456789", "psi", "iota")
    found = tried.forgetting
    assert found.rehearsal.own
    assert found.rehearsal.samples.name == "digits-8x8"
    assert found.look_alikes == (("iota", "1"),)
    assert any("iota looks like a 1" in note for note in tried.notes)
    assert found.lost == found.before.accuracy - found.after.accuracy
    low, high = found.lost_interval
    assert low <= found.lost + 0.01
    assert high >= found.lost - 0.01
    assert open_network(tried.keep("both").name).passport.classes == tried.classes


def test_one_letter_is_taught_beside_classes_that_stay(tmp_path):
    config = TransferConfig("head", epochs=1, keep_classes=True, validate=False)
    *_, tried = attempt(small_digits(tmp_path), drawn(4, 1, ("psi",)), config, drawn(5, 2, ("psi",)))
    assert tried.classes == (*"0123456789", "psi")
    assert tried.test_accuracy >= 0.8
    with pytest.raises(DataError, match="holds one letter only"):
        list(attempt(open_network("report"), drawn(4, 1, ("psi",)), replace(config, keep_classes=False)))


def test_forgetting_counts_what_crosses_the_border():
    test = Samples("two", "test", torch.zeros(4, 28, 28, dtype=torch.uint8), torch.tensor([0, 0, 1, 1]), ("0", "1"))
    letters = drawn(2, 1, ("psi", "omicron"))
    rehearsal = Rehearsal(
        replace(test, classes=("0", "1", "psi", "omicron")), ("0", "1"), ("0", "1", "psi", "omicron"), True
    )
    before, after = np.eye(2)[[0, 0, 1, 1]], np.eye(4)[[0, 3, 1, 1]]
    validation = CrossValidation(torch.eye(4)[[0, 2]], torch.tensor([3, 2]), torch.tensor([0, 1]), 2)
    found = forgetting_of(test, before, after, letters, rehearsal, validation)
    assert (found.before.accuracy, found.after.accuracy, found.lost) == (1.0, 0.75, 0.25)
    assert found.per_class[0].label == "0"
    assert {(m.actual, m.predicted, m.count) for m in found.taken} == {("0", "omicron", 1), ("omicron", "0", 1)}


def test_classes_without_samples_cannot_be_kept(tmp_path):
    source = small_digits(tmp_path)
    lost = replace(source, passport=replace(source.passport, classes=tuple("abcdefghij")))
    with pytest.raises(TrainingError, match="The classes of 'small' cannot be kept"):
        rehearsal_of(lost, drawn(2, 1).samples, 0)


def test_a_power_law_is_found_again():
    counts = np.array([1, 2, 4, 8, 16])
    law = follow(counts, 1 - 0.4 * counts**-0.7, 4000)
    assert law.scale == pytest.approx(0.4, rel=0.02)
    assert law.power == pytest.approx(0.7, rel=0.02)
    check = check_extension(counts, 1 - 0.4 * counts**-0.7, 4000)
    assert (check.upto, check.at) == (8, 16)
    assert check.expected == pytest.approx(check.measured, abs=0.005)
    assert follow(counts[:2], np.array([0.5, 0.6]), 10) is None


def test_the_learning_curve_asks_every_letter(report):
    told = []
    letters = drawn(5, 4).samples
    curve = learning_curve(
        report.module(), letters, TransferConfig("prototypes"), tell=lambda done, total: told.append((done, total))
    )
    assert curve.counts.tolist() == [1, 2, 3, 4]
    assert told[-1][0] == told[-1][1]
    assert curve.accuracies[-1] == pytest.approx(np.mean([shares[-1] for shares in curve.per_class.values()]))
    assert (curve.low <= curve.accuracies).all()
    assert (curve.high >= curve.accuracies).all()
    assert curve.advice
    stop = threading.Event()
    stop.set()
    assert learning_curve(report.module(), letters, TransferConfig("prototypes"), stop) is None


def test_the_coach_asks_for_what_is_confused():
    letters = drawn(4, 1)
    logits = 6 * torch.eye(3)[[0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 2]]  # two psi are read as omega
    validation = CrossValidation(logits, letters.samples.labels, torch.arange(12), 4)
    asked = {request.label: request for request in advise(validation, letters, budget=8)}
    assert sum(request.count for request in asked.values()) == 8
    assert min(asked["psi"].count, asked["omega"].count) > asked["alpha"].count, "spread, but more of what is confused"
    assert "2 of 4 were read as ω" in asked["psi"].because
    assert "2 ψ were read as ω" in asked["omega"].because


def test_the_coach_fills_up_first_what_has_few():
    six = drawn(6, 1)
    rare = replace(six, samples=six.samples.take(torch.tensor([0, 1, *range(6, 18)])))  # two alpha
    right = CrossValidation(6 * torch.eye(3)[rare.samples.labels], rare.samples.labels, torch.arange(14), 2)
    (only,) = advise(right, rare, budget=4)
    assert (only.label, only.count) == ("alpha", 4)
    assert "There are 2 samples of it only" in only.because
    alike = drawn(3, 1)
    right = CrossValidation(600 * torch.eye(3)[alike.samples.labels], alike.samples.labels, torch.arange(9), 3)
    assert sorted(request.count for request in advise(right, alike, budget=6)) == [2, 2, 2]


def test_the_gain_is_that_on_the_same_test(attempts):
    before, after = attempts["prototypes"][1], attempts["head"][1]
    found = gain(before, after)
    assert (found.asked, found.count) == ("test", 15)
    assert found.difference == pytest.approx(after.test_accuracy - before.test_accuracy)
    assert found.low <= found.difference <= found.high
    same = gain(replace(before, test=None), replace(after, test=None))
    assert (same.asked, same.count) == ("letters in common", 12)

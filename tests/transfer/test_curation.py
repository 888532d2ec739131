"""Chosen samples relabelled, removed and sent away, wherever they come from; all of it undone; what they change."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from core.data import load
from core.embedding.corrections import Correction, glyph_id, list_corrections
from core.embedding.space import embed_samples
from core.errors import DataError, TrainingError
from core.inspection.subject import open_subject
from core.networks import open_network
from core.transfer import retrain
from core.transfer.curation import DATASET, LETTERS, OTHER, relabel, remove, send, source_of, undo
from core.transfer.letters_set import Letter, LettersSet
from core.transfer.letters_store import list_letters, open_letters, save_letters
from core.transfer.methods import TransferConfig
from core.transfer.preparation import letters_of, png_of
from core.transfer.retrain import retrain_head, retrain_letters
from core.work import Stopped


@pytest.fixture(scope="module")
def trained():
    return open_network("report")


@pytest.fixture(scope="module")
def subject(trained):
    return open_subject(trained)


@pytest.fixture(scope="module")
def letters():
    """Six samples each of two symbols; they are glyphs already."""
    train = load("digits-8x8", "train")
    chosen = [(label, i) for label, d in (("alpha", 2), ("beta", 4)) for i in np.flatnonzero(train.labels == d)[:6]]
    return LettersSet("mine", tuple(Letter(label, png_of(train.images[i].numpy()), f"{i}") for label, i in chosen))


@pytest.fixture
def space(subject, letters):
    """Some of a data set, a letters set of the store, and something drawn."""
    save_letters(letters)
    digits = load("digits-8x8", "test").take(torch.arange(5))
    own = letters_of(letters).samples
    drawn = digits.take(torch.tensor([4]))
    parts = [digits, type(own)(own.name, "", own.images, own.labels, own.classes),
             type(own)("your drawing", "", drawn.images, drawn.labels * 0, ("drawn",))]  # fmt: skip
    return embed_samples(subject, None, parts)


def labels_of(name):
    return [letter.label for letter in open_letters(name).letters]


def test_where_the_sets_of_a_space_come_from(space):
    assert [source_of(name).kind for name in space.set_names] == [DATASET, LETTERS, OTHER]
    assert source_of("folder:/some/where train").name == "folder:/some/where"
    assert source_of("mine (2)").kind == LETTERS  # twice in one space
    assert source_of("mnist").kind == OTHER  # a data set has a part


def test_relabelling_goes_where_the_samples_are_and_is_undone(space):
    before = open_letters("mine").letters
    change = relabel(space, [0, 5, 6, len(space) - 1], "β")
    assert labels_of("mine").count("beta") == 8
    (correction,) = list_corrections()
    assert (correction.dataset, correction.now) == ("digits-8x8", "beta")
    assert "3 samples" in change.said
    assert "your drawing are kept nowhere" in change.said
    undo(change)
    assert {letter.id for letter in open_letters("mine").letters} == {letter.id for letter in before}
    assert list_corrections() == ()


def test_removing_takes_letters_out_and_keeps_a_correction(space):
    change = remove(space, [1, 2, 5])
    assert len(labels_of("mine")) == 11
    assert [c.now for c in list_corrections()] == [None, None]
    undo(change)
    assert len(labels_of("mine")) == 12
    assert list_corrections() == ()


def test_sending_keeps_the_glyphs_as_they_are(space):
    change = send(space, [0, 1, 5], "new ones")
    sent = letters_of(open_letters("new ones")).samples
    np.testing.assert_array_equal(sent.images.numpy(), space.glyphs[[0, 1, 5]])
    assert [sent.classes[i] for i in sent.labels] == [space.classes[space.labels[i]] for i in (0, 1, 5)]
    again = send(space, [1, 2], "new ones")
    assert "1 sample sent" in again.said
    assert len(labels_of("new ones")) == 4
    undo(again)
    assert len(labels_of("new ones")) == 3
    undo(change)
    assert list_letters() == ["mine"]


def test_what_cannot_be_changed_is_said(space):
    with pytest.raises(DataError, match="No sample is chosen"):
        remove(space, [])
    with pytest.raises(DataError, match="your drawing are kept nowhere"):
        relabel(space, [len(space) - 1], "seven")
    with pytest.raises(DataError, match="The label is empty"):
        relabel(space, [0], "  ")
    save_letters(LettersSet("mine", open_letters("mine").letters[3:]))
    with pytest.raises(DataError, match="has changed since"):
        remove(space, [0, 5])  # nothing is done by halves
    assert list_corrections() == ()


def test_a_new_last_layer_is_scikit_learns_with_and_without(subject):
    train, test = load("digits-8x8", "train"), load("digits-8x8", "test")
    wrong = np.flatnonzero(train.labels.numpy() == 3)[:100]
    corrections = [Correction("digits-8x8", glyph_id(train.images[i].numpy()), "3", "8") for i in wrong]
    corrections.append(Correction("digits-8x8", glyph_id(train.images[0].numpy()), "0", None))
    corrections.append(Correction("digits-8x8", glyph_id(test.images[0].numpy()), test.classes[test.labels[0]], "5"))
    told = []
    made = retrain_head(subject, "digits-8x8", corrections, lambda done, total: told.append(done / total))
    rows = embed_samples(subject, None, [train, test]).embeddings.astype(float)
    scale = StandardScaler().fit(rows[: len(train)])
    x, asked = scale.transform(rows[: len(train)]), scale.transform(rows[len(train) :])
    right, truth = train.labels.numpy().copy(), test.labels.numpy().copy()
    right[wrong], truth[0] = 8, 5
    before = LogisticRegression(max_iter=5000, tol=1e-5).fit(x, train.labels.numpy()).predict(asked)
    after = LogisticRegression(max_iter=5000, tol=1e-5).fit(x[1:], right[1:]).predict(asked)
    assert np.mean(made.before.predicted == before) > 0.995  # two ways to the same optimum
    assert np.mean(made.after.predicted == after) > 0.995
    np.testing.assert_array_equal(made.before.labels, truth)
    assert (made.changed, made.taught, made.judged, made.judged_changed) == (101, len(train) - 1, len(test), 1)
    change, low, high = made.points
    assert change == pytest.approx(100 * (made.after.accuracy - made.before.accuracy))
    assert low < change < high < 0  # such corrections harm, and the numbers say so
    assert made.difference.decided
    assert told == sorted(told)
    assert made.unchanged.accuracy == np.mean(made.before.predicted == test.labels.numpy())


def test_corrections_of_the_test_part_teach_nothing(subject):
    test = load("digits-8x8", "test")
    corrections = [Correction("digits-8x8", glyph_id(test.images[3].numpy()), test.classes[test.labels[3]], "x")]
    made = retrain_head(subject, "digits-8x8", corrections, lambda done, total: None)
    assert made.changed == 0
    assert made.points[0] == 0
    with pytest.raises(TrainingError, match="No correction concerns"):
        retrain_head(subject, "digits-8x8", [Correction("mnist", "0", "1", "2")], lambda done, total: None)


def test_letters_are_judged_by_their_labels_now_in_the_same_folds(trained, letters, monkeypatch):
    monkeypatch.setattr(retrain, "FOLDS", 2)
    confused = [letter.id for letter in letters.letters if letter.label == "alpha"][:3]
    before = letters.relabelled(frozenset(confused), "beta")
    told = []
    made = retrain_letters(
        trained.module(), before, letters, TransferConfig("prototypes"), lambda done, total: told.append((done, total))
    )
    assert (made.judged, made.changed, made.judged_changed) == (12, 3, 3)
    np.testing.assert_array_equal(made.before.labels, made.after.labels)
    assert made.after.accuracy > made.before.accuracy
    assert told == [(i, 4) for i in range(1, 5)]


def test_letters_that_cannot_be_held_out_are_refused_and_work_can_be_stopped(trained, letters):
    def stop(done, total):
        raise Stopped

    few = LettersSet("few", letters.letters[:1] + letters.letters[-3:])
    with pytest.raises(TrainingError, match="two pictures at least"):
        retrain_letters(trained.module(), letters, few, TransferConfig("prototypes"), stop)
    with pytest.raises(Stopped):
        retrain_letters(trained.module(), letters, letters, TransferConfig("prototypes"), stop)

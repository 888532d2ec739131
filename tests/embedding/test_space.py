"""The space of a layer: the same numbers as the network makes by hand, several sets together, large layers reduced."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from core.data import Samples, load
from core.embedding import space as module
from core.embedding.answers import answer_samples
from core.embedding.space import embed_glyphs, embed_samples
from core.errors import DataError, NetworkError
from core.inspection.subject import open_subject
from core.networks import open_network


@pytest.fixture(scope="module")
def subject():
    return open_subject(open_network("report"))


@pytest.fixture(scope="module")
def digits():
    samples = load("digits-8x8", "test")
    return samples.take(torch.arange(60))


@pytest.fixture(scope="module")
def letters(digits):
    """A set of classes that the network does not know."""
    return Samples("letters", "test", digits.images[:40].flip(2), torch.arange(40) % 2, ("alpha", "beta"))


def test_the_dense_layer_is_the_networks_own_embedding(subject, digits):
    space = embed_samples(subject, None, [digits])
    inputs = digits.images[:, None].float() / 255
    (hidden,) = [layer for layer in subject.layers if layer.shape == (50,) and "ReLU" in layer.label]
    expected = subject.activations(inputs, [hidden.name])[hidden.name].numpy()
    assert space.embeddings.shape == (60, 50)
    assert space.embeddings.dtype == np.float32
    np.testing.assert_allclose(space.embeddings, expected, atol=1e-5)
    assert space.reduction is None


def test_any_layer_in_batches_with_progress(subject, digits, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 25)
    told = []
    space = embed_samples(subject, "conv1", [digits], lambda done, total: told.append((done, total)))
    inputs = digits.images[:, None].float() / 255
    expected = subject.activations(inputs, ["conv1"])["conv1"].flatten(1).numpy()
    np.testing.assert_allclose(space.embeddings, expected, atol=1e-5)
    assert told == [(25, 60), (50, 60), (60, 60)]


def test_sets_stand_together_under_the_classes_of_all(subject, digits, letters):
    space = embed_samples(subject, None, [digits, letters, digits])
    assert len(space) == 160
    assert space.set_names == ("digits-8x8 test", "letters test", "digits-8x8 test (2)")
    assert np.bincount(space.sets).tolist() == [60, 40, 60]
    named = [space.classes[label] for label in space.labels]
    truth = [s.classes[label] for s in (digits, letters, digits) for label in s.labels.tolist()]
    assert named == truth
    assert (space.glyphs[60:100] == letters.images.numpy()).all()


def test_a_large_layer_is_reduced_to_its_main_axes_and_says_what_is_kept(subject, digits, monkeypatch):
    whole = embed_samples(subject, "conv1", [digits]).embeddings
    monkeypatch.setattr(module, "MAX_BYTES", 60 * 5760 * 4 - 1)
    space = embed_samples(subject, "conv1", [digits])
    assert space.embeddings.shape == (60, 50)
    assert space.reduction is not None
    assert space.reduction.of == whole.shape[1] == 5760
    reference = PCA(50, svd_solver="full").fit(whole)
    assert space.reduction.kept == pytest.approx(reference.explained_variance_ratio_.sum(), abs=0.02)
    centred = whole - space.reduction.mean
    left_out = ((centred - space.embeddings @ space.reduction.axes) ** 2).sum() / (centred**2).sum()
    assert left_out < 1 - space.reduction.kept + 0.02
    again = embed_glyphs(subject, "conv1", digits.images[:5], space.reduction)
    np.testing.assert_allclose(again, space.embeddings[:5], rtol=1e-3, atol=1e-2)


def test_what_cannot_be_embedded_is_said(subject, digits):
    many = Samples("many", "test", torch.zeros(70_001, 28, 28, dtype=torch.uint8), torch.zeros(70_001).long(), ("a",))
    with pytest.raises(DataError, match="70,001 samples together; at most 70,000"):
        embed_samples(subject, None, [many])
    with pytest.raises(DataError, match="hold no samples"):
        embed_samples(subject, None, [digits.take(torch.arange(0))])
    table = Samples("rows", "test", torch.zeros(3, 2), torch.zeros(3).long(), ("a",), columns=("x", "y"))
    with pytest.raises(DataError, match="'rows' are rows of a table"):
        embed_samples(subject, None, [table])
    with pytest.raises(NetworkError, match="has no layer 'nowhere'"):
        embed_samples(subject, "nowhere", [digits])


def test_answers_are_right_where_the_network_names_the_label(subject, digits, letters):
    space = embed_samples(subject, None, [digits, letters])
    answers = answer_samples(subject, space)
    probabilities = subject.probabilities(torch.from_numpy(space.glyphs)[:, None].float() / 255)
    assert (answers.predicted == probabilities.argmax(1)).all()
    np.testing.assert_allclose(answers.confidence, probabilities.max(1), atol=1e-6)
    assert answers.known.tolist() == [True] * 60 + [False] * 40
    assert answers.right[:60].tolist() == (answers.predicted[:60] == digits.labels.numpy()).tolist()
    assert not answers.right[60:].any()

"""Neighbours and their votes against scikit-learn; ties; leaving one out."""

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from core.embedding import task
from core.embedding.distances import COSINE, EUCLIDEAN
from core.embedding.neighbours import CHUNK, accuracy_by_k, nearest, vote
from core.errors import DataError


@pytest.fixture(scope="module")
def cloud():
    """Samples in two classes that mix; distances differ, so nothing but equal votes can be tied."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 50)
    return rng.normal(size=(50, 4)) + labels[:, None], labels


def test_the_nearest_are_those_of_scikit_learn(cloud):
    rows, _ = cloud
    away, expected = NearestNeighbors(n_neighbors=6).fit(rows).kneighbors(rows[7:8])
    found, distances = nearest(rows[7], rows, 5, EUCLIDEAN, itself=7)
    assert found.tolist() == expected[0, 1:].tolist()
    np.testing.assert_allclose(distances, away[0, 1:])
    assert nearest(rows[7], rows, 5, EUCLIDEAN)[0][0] == 7  # a question that is not of the space
    assert len(nearest(rows[7], rows[:9], 25, itself=7)[0]) == 8


def test_of_equally_many_votes_the_nearest_decides():
    assert vote(np.array([2, 1, 1, 2, 0]), 3).winner == 2
    assert vote(np.array([2, 1, 1, 2, 0]), 3).tied
    said = vote(np.array([2, 1, 1]), 4)
    assert (said.winner, said.tied, said.counts.tolist()) == (1, False, [0, 2, 1, 0])


@pytest.mark.parametrize("metric", [EUCLIDEAN, COSINE])
def test_leaving_one_out_is_scikit_learns(cloud, metric):
    rows, labels = cloud
    made = accuracy_by_k(rows, labels + 5, (1, 3, 9), metric)  # two classes and an odd k: no ties
    for k, answers in zip(made.ks, made.answers, strict=True):
        expected = cross_val_predict(KNeighborsClassifier(k, metric=metric), rows, labels, cv=LeaveOneOut())
        np.testing.assert_array_equal(answers, expected + 5)
    assert made.accuracies[0] == pytest.approx((made.answers[0] == labels + 5).mean())


def test_each_answer_is_the_vote_of_its_nearest(cloud):
    rows, _ = cloud
    labels = np.random.default_rng(1).integers(0, 5, len(rows))  # many ties
    (answers,) = accuracy_by_k(rows, labels, (4,)).answers
    for i in (0, 20, 49):
        assert answers[i] == vote(labels[nearest(rows[i], rows, 4, itself=i)[0]], 5).winner


def test_more_neighbours_than_there_are_count_them_all():
    made = accuracy_by_k(np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1]), (50,))
    assert made.answers.tolist() == [[0, 0, 0]]  # of one 0 and one 1 the nearer


def test_a_lone_sample_has_no_neighbours():
    with pytest.raises(DataError, match="at least two samples"):
        accuracy_by_k(np.zeros((1, 3)), np.zeros(1, int), (1,))


def test_it_tells_how_far_it_is_and_can_be_stopped():
    rows = np.random.default_rng(0).normal(size=(CHUNK + 10, 2))
    labels, told = np.zeros(len(rows), int), []
    accuracy_by_k(rows, labels, (1,), tell=lambda done, total: told.append((done, total)))
    assert told == [(CHUNK, CHUNK + 10), (CHUNK + 10, CHUNK + 10)]


def test_a_task_finishes_fails_or_is_stopped():
    def fail(tell):
        raise DataError("Nothing to measure; choose more.")

    def wait(tell):
        while True:
            tell(1, 10)

    done, failed, stopped = task.start("a", lambda tell: 42), task.start("b", fail), task.start("c", wait)
    assert task.start("c", wait) is stopped  # it goes on already
    stopped.stop()
    for one in (done, failed, stopped):
        one.join(20)
    assert (done.state, done.made) == ("finished", 42)
    assert (failed.state, failed.problem) == ("failed", "Nothing to measure; choose more.")
    assert (stopped.state, stopped.made) == ("stopped", None)
    assert task.latest("a") is done

"""The figures of a test against scikit-learn, hand-computed cases and what users may come with."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score

from core.data import Samples
from core.errors import NetworkError
from core.networks import open_network
from core.training import results
from core.training.calibration import BINS, expected_calibration_error


def classes(count: int) -> tuple[str, ...]:
    return tuple(f"c{i}" for i in range(count))


def random_result(count: int, samples: int, seed: int = 0, temperature: float = 1.3) -> results.TestResult:
    """Answers that are right more often than not."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(count, size=samples)
    logits = rng.normal(size=(samples, count)) + 2 * np.eye(count)[labels]
    return results.result_of(logits.astype(np.float32), labels, classes(count), temperature)


def one_hot_result(labels: list[int], answers: list[int], count: int) -> results.TestResult:
    return results.result_of(5.0 * np.eye(count)[answers], np.array(labels), classes(count), 1.0)


@pytest.mark.parametrize("count", [2, 10, 47])
def test_the_figures_are_scikit_learns(count):
    result = random_result(count, 3000)
    answers, known = result.logits.argmax(1), np.arange(count)
    assert result.accuracy == pytest.approx(accuracy_score(result.labels, answers))
    assert (result.confusion == confusion_matrix(result.labels, answers, labels=known)).all()
    assert np.allclose([f.precision for f in result.per_class], precision_score(result.labels, answers, average=None))
    assert np.allclose([f.recall for f in result.per_class], recall_score(result.labels, answers, average=None))
    assert [f.support for f in result.per_class] == np.bincount(result.labels, minlength=count).tolist()


def test_wilsons_interval_of_a_published_case():
    low, high = results.wilson(81, 263)  # Newcombe 1998, table I: 0.2553 to 0.3662
    assert (low, high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_all_right_is_not_said_to_be_certain():
    result = one_hot_result([0, 1, 2] * 10, [0, 1, 2] * 10, 3)
    assert result.accuracy == 1
    assert 0.85 < result.interval[0] < 0.9
    assert result.interval[1] == pytest.approx(1)
    assert len(result.most_confident_mistakes(9)) == 0


def test_a_share_of_nothing_is_no_number():
    result = one_hot_result([0, 0, 1], [0, 1, 0], 4)  # class 2 and 3: no samples, never answered
    unseen = result.per_class[3]
    assert unseen.support == 0
    assert np.isnan([unseen.precision, unseen.recall]).all()
    never_answered = one_hot_result([0, 1, 1], [0, 0, 0], 2).per_class[1]
    assert never_answered.recall == 0
    assert np.isnan(never_answered.precision)
    assert result.confusion.shape == (4, 4)


def test_calibration_curve_and_error_tell_the_same():
    result = random_result(10, 4000)
    curve, there = result.calibration, result.calibration.count > 0
    assert curve.count.sum() == 4000
    assert len(curve.count) == BINS
    gaps = np.abs(curve.confidence - curve.accuracy)[there] * curve.count[there]
    assert gaps.sum() / 4000 == pytest.approx(result.calibration_error, abs=1e-5)
    scaled = torch.from_numpy(result.logits / result.temperature).softmax(1)
    assert result.calibration_error == pytest.approx(
        expected_calibration_error(scaled, torch.from_numpy(result.labels)), abs=1e-6
    )
    assert np.isnan(curve.accuracy[~there]).all()


def test_mistakes_come_surest_first_and_cells_hold_what_they_count():
    result = random_result(5, 400)
    mistakes = result.most_confident_mistakes(20)
    assert (result.predicted[mistakes] != result.labels[mistakes]).all()
    assert (np.diff(result.confidence[mistakes]) <= 0).all()
    wrong = result.predicted != result.labels
    assert result.confidence[mistakes[0]] == result.confidence[wrong].max()
    for true, answered in np.ndindex(5, 5):
        cell = result.cell(true, answered)
        assert len(cell) == result.confusion[true, answered]
        assert (result.labels[cell] == true).all()


def test_the_first_outputs_are_log_probabilities_to_two_decimals():
    result = random_result(10, 30)
    rows = result.first_outputs()
    expected = torch.from_numpy(result.logits[:10].astype(np.float64)).log_softmax(1).numpy()
    assert len(rows) == 10
    assert np.allclose([row.log_probabilities for row in rows], expected, atol=0.005 + 1e-9)
    assert [row.index for row in rows] == expected.argmax(1).tolist()
    assert [row.true for row in rows] == result.labels[:10].tolist()
    sure = results.result_of(np.array([[50.0, 0.0]]), np.array([0]), ("a", "b"), 1.0).first_outputs()
    assert str(sure[0].log_probabilities) == "(0.0, -50.0)"  # never -0.0


def test_fewer_samples_than_asked_for_are_no_error():
    assert len(random_result(3, 4).first_outputs(10)) == 4


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit logits of shape"):
        results.result_of(np.zeros((3, 10)), np.zeros(3), classes(9), 1.0)
    with pytest.raises(ValueError, match="0 labels"):
        results.result_of(np.zeros((0, 2)), np.zeros(0), classes(2), 1.0)


def digits_samples(count: int) -> Samples:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 28, 28), generator=generator, dtype=torch.uint8)
    return Samples("noise", "test", images, torch.zeros(count, dtype=torch.long), tuple("0123456789"))


def test_the_runtimes_logits_are_the_modules():
    trained, samples = open_network("report"), digits_samples(1100)
    seen = []
    logits = results.logits_of(trained, samples, lambda done, total: seen.append((done, total)))
    with torch.inference_mode():
        expected = trained.module().logits(samples.images[:, None].float() / 255).numpy()
    assert np.abs(logits - expected).max() < 1e-3
    assert seen == [(500, 1100), (1000, 1100), (1100, 1100)]


def test_samples_of_other_classes_or_another_kind_are_refused():
    trained = open_network("report")
    letters = Samples("abc", "test", torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2), ("a", "b"))
    with pytest.raises(NetworkError, match="tells 0, 1, 2, … .10 classes. apart, but 'abc' holds a, b"):
        results.logits_of(trained, letters)
    table = Samples("t", "test", torch.zeros(2, 3), torch.zeros(2), tuple("0123456789"), columns=("x", "y", "z"))
    with pytest.raises(NetworkError, match="reads glyphs, but 't' holds rows of a table"):
        results.logits_of(trained, table)

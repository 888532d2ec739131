"""Which network is better: against published intervals, exact tests, and what may be said of them."""

import numpy as np
import pytest
from scipy.stats import binom

from core.errors import TrainingError
from core.training import results
from core.training.comparison import Candidate, compare, holm


def candidate(name: str, right: np.ndarray, test: str = "same") -> Candidate:
    """A network with two classes that is right exactly there."""
    labels = np.zeros(len(right), int)
    answers = np.where(right, 0, 1)
    return Candidate(name, results.result_of(np.eye(2)[answers], labels, ("a", "b"), 1.0), test, 100, 5, 12.5)


def rights(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.repeat([True, True, False, False], (both, only_first, only_second, neither))
    second = np.repeat([True, False, True, False], (both, only_first, only_second, neither))
    return first, second


def test_a_paired_difference_by_hand():
    first, second = rights(1, 1, 7, 12)
    (difference,) = compare([candidate("a", first), candidate("b", second)]).differences
    assert (difference.first, difference.second) == ("b", "a")
    assert difference.difference == pytest.approx(6 / 21)
    middle, margin = 8 / 23 - 2 / 23, 1.959964 * ((10 / 23 - (6 / 23) ** 2) / 23) ** 0.5  # Bonett and Price's
    assert (difference.low, difference.high) == pytest.approx((middle - margin, middle + margin), abs=1e-6)
    assert difference.p_value == pytest.approx(2 * binom.cdf(1, 8, 0.5))  # 0.0703, McNemar's exact test
    assert not difference.decided


def test_an_unpaired_difference_of_a_published_case():
    # Newcombe 1998 (Statistics in Medicine 17, 873), method 10: 56/70 against 48/80: 0.0524 to 0.3339
    first, second = np.arange(70) < 56, np.arange(80) < 48
    (difference,) = compare([candidate("a", first, "x"), candidate("b", second, "y")]).differences
    assert not difference.paired
    assert (difference.low, difference.high) == (
        pytest.approx(0.0524, abs=5e-5),
        pytest.approx(0.3339, abs=5e-5),
    )
    assert "different samples" in difference.verdict


def test_the_same_mistakes_are_level():
    first, _ = rights(90, 0, 0, 10)
    (difference,) = compare([candidate("a", first), candidate("b", first)]).differences
    assert difference.p_value == 1
    assert difference.verdict.startswith("undecided: a and b are level")
    assert difference.low < 0 < difference.high


def test_what_the_samples_support_is_said_and_nothing_more():
    first, second = rights(900, 60, 20, 20)
    (clear,) = compare([candidate("a", first), candidate("b", second)]).differences
    assert clear.verdict.startswith("a is better than b by 4.00 points (2.")
    first, second = rights(900, 45, 40, 15)
    (unclear,) = compare([candidate("a", first), candidate("b", second)]).differences
    assert unclear.verdict.startswith("undecided: a is ahead of b by 0.50 points (-1.")


def test_all_right_against_all_right():
    everything = np.ones(50, bool)
    (difference,) = compare([candidate("a", everything), candidate("b", everything)]).differences
    assert np.isfinite([difference.low, difference.high]).all()
    assert not difference.decided


def test_many_comparisons_are_corrected():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_a_difference_that_holds_alone_may_not_hold_among_many():
    first, second = rights(900, 30, 14, 56)
    alone = compare([candidate("a", first), candidate("b", second)])
    assert alone.differences[0].decided
    assert "corrected" not in alone.note
    among = compare([candidate("a", first), *(candidate(f"b{i}", second) for i in range(4))])
    assert len(among.differences) == 10
    assert not any(difference.decided for difference in among.differences)
    assert "10 comparisons (Holm)" in among.note


def test_chance_alone_seldom_makes_a_winner():
    rng = np.random.default_rng(1)
    decided = 0
    for _ in range(200):
        answers = [candidate(str(i), rng.random(300) < 0.9) for i in range(3)]
        decided += any(difference.decided for difference in compare(answers).differences)
    assert decided / 200 <= 0.05


def test_the_table_has_the_most_accurate_first():
    first, second = rights(80, 15, 2, 3)
    rows = compare([candidate("b", second), candidate("a", first)]).rows()
    assert [row["name"] for row in rows] == ["a", "b"]
    assert rows[0]["accuracy"] == pytest.approx(0.95)
    assert rows[0]["low"] < 0.95 < rows[0]["high"]
    assert (rows[0]["parameters"], rows[0]["epochs"], rows[0]["seconds"]) == (100, 5, 12.5)


def test_one_network_alone_cannot_be_compared():
    with pytest.raises(TrainingError, match="at least two networks"):
        compare([candidate("a", np.ones(3, bool))])

"""Which of several networks is better, as far as their test samples can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import binomtest, fisher_exact, norm

from core.errors import TrainingError
from core.training.multiple import LEVEL, holm
from core.training.results import TestResult, wilson


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network with its answers; `test_sha256` tells whether two were asked the same samples."""

    name: str
    result: TestResult
    test_sha256: str
    parameters: int | None = None
    epochs: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Difference:
    """`first`'s accuracy minus `second`'s, `first` being the one that is ahead; shares in [0, 1]."""

    first: str
    second: str
    difference: float
    low: float  # 95 % interval of this difference by itself
    high: float
    p_value: float  # exact: McNemar's on the same samples, Fisher's on different ones
    p_corrected: float  # for the number of pairs (Holm 1979)
    paired: bool

    @property
    def decided(self) -> bool:
        return self.p_corrected < LEVEL and self.low > 0

    @property
    def verdict(self) -> str:
        points = f"{self.difference * 100:.2f} points ({self.low * 100:.2f} to {self.high * 100:.2f})"
        where = "" if self.paired else "; they were tested on different samples"
        if self.decided:
            return f"{self.first} is better than {self.second} by {points}{where}."
        if self.difference == 0:
            return f"undecided: {self.first} and {self.second} are level, {points}{where}."
        return f"undecided: {self.first} is ahead of {self.second} by {points}{where}."


@dataclass(frozen=True, eq=False)
class Comparison:
    candidates: tuple[Candidate, ...]  # the most accurate first
    differences: tuple[Difference, ...]  # of every pair

    @property
    def note(self) -> str:
        """How the verdicts came about, in a sentence or two."""
        tests = {True: "McNemar's exact test on the same samples", False: "Fisher's exact test on different samples"}
        used = " and ".join(tests[kind] for kind in (True, False) if any(d.paired is kind for d in self.differences))
        pairs = len(self.differences)
        corrected = f", corrected for {pairs} comparisons (Holm)" if pairs > 1 else ""
        return f"Verdicts: {used}, at 5 %{corrected}. Each interval holds with 95 % confidence for its pair alone."

    def rows(self) -> list[dict[str, object]]:
        """The table, one record for each network; accuracies in [0, 1]."""
        return [
            {
                "name": c.name,
                "accuracy": c.result.accuracy,
                "low": c.result.interval[0],
                "high": c.result.interval[1],
                "test_samples": len(c.result),
                "parameters": c.parameters,
                "epochs": c.epochs,
                "seconds": c.seconds,
            }
            for c in self.candidates
        ]


def compare(candidates: Sequence[Candidate]) -> Comparison:
    """Every pair of the networks, paired where both answered the same samples."""
    if len(candidates) < 2:
        raise TrainingError("A comparison needs at least two networks; pick another one.")
    ordered = sorted(candidates, key=lambda c: -c.result.accuracy)
    found = [_difference(first, second) for first, second in combinations(ordered, 2)]
    corrected = holm([difference.p_value for difference in found])
    return Comparison(tuple(ordered), tuple(_with_correction(d, p) for d, p in zip(found, corrected, strict=True)))


def _difference(first: Candidate, second: Candidate) -> Difference:
    paired = first.test_sha256 == second.test_sha256
    low, high, p_value = (_paired if paired else _unpaired)(first.result, second.result)
    difference = first.result.accuracy - second.result.accuracy
    return Difference(first.name, second.name, difference, low, high, p_value, p_value, paired)


def _with_correction(difference: Difference, p_corrected: float) -> Difference:
    return Difference(**difference.__dict__ | {"p_corrected": p_corrected})


def _paired(first: TestResult, second: TestResult) -> tuple[float, float, float]:
    """Bonett and Price's interval (2012), which holds for few disagreements too, and McNemar's exact test."""
    only_first = int((first.right & ~second.right).sum())
    only_second = int((second.right & ~first.right).sum())
    n = len(first) + 2
    p, q = (only_first + 1) / n, (only_second + 1) / n
    margin = norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / n)
    disagreements = only_first + only_second
    p_value = binomtest(only_first, disagreements).pvalue if disagreements else 1.0
    return float(p - q - margin), float(p - q + margin), float(p_value)


def _unpaired(first: TestResult, second: TestResult) -> tuple[float, float, float]:
    """Newcombe's interval (1998, his method 10) from the two Wilson intervals, and Fisher's exact test."""
    counts = [(int(r.right.sum()), len(r)) for r in (first, second)]
    (a, (a_low, a_high)), (b, (b_low, b_high)) = ((right / n, wilson(right, n)) for right, n in counts)
    p_value = fisher_exact([[right, n - right] for right, n in counts]).pvalue
    low = a - b - float(np.hypot(a - a_low, b_high - b))
    return low, a - b + float(np.hypot(a_high - a, b - b_low)), float(p_value)

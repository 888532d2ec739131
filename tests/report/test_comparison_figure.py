"""The figure of a comparison: every network with its interval, the best at the top."""

import numpy as np
import pytest

from core.report.comparison_figure import accuracy_intervals
from core.training.comparison import Candidate, compare
from core.training.results import result_of


def candidate(name: str, right: int, of: int = 200) -> Candidate:
    labels = np.zeros(of, int)
    logits = np.eye(2)[(np.arange(of) >= right).astype(int)]
    return Candidate(name, result_of(logits, labels, ("a", "b")), "same")


def test_each_network_has_its_interval_and_all_fit_on_the_axis():
    comparison = compare([candidate("worse", 150), candidate("better", 190), candidate("perfect", 200)])
    figure = accuracy_intervals(comparison.candidates)
    assert [point.x[0] for point in figure.data] == pytest.approx([100, 95, 75])
    assert [point.text.split(":")[0] for point in figure.data] == ["perfect", "better", "worse"]
    low, high = figure.layout.xaxis.range
    for point, shown in zip(figure.data, comparison.candidates, strict=True):
        ends = (point.x[0] - point.error_x.arrayminus[0], point.x[0] + point.error_x.array[0])
        assert ends == pytest.approx([share * 100 for share in shown.result.interval])
        assert low < ends[0] <= ends[1] < high
    top, bottom = figure.layout.yaxis.range[1], figure.layout.yaxis.range[0]
    assert top < figure.data[0].y[0] < figure.data[-1].y[0] < bottom
    assert figure.layout.xaxis.title.text == "test accuracy (%)"


def test_names_are_never_markup():
    figure = accuracy_intervals([candidate("<b>x", 1), candidate("y", 2)])
    assert figure.data[0].text.startswith("&lt;b&gt;x")

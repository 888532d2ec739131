"""Figures say what they show, the same way everywhere, and never more than is known."""

import re

import numpy as np
import pytest

from core.reading.types import GREEK
from core.report.figures import class_colour, probability_bars

DIGITS = tuple("0123456789")


def probabilities(best: int, share: float) -> np.ndarray:
    rest = np.full(len(DIGITS), (1 - share) / (len(DIGITS) - 1), np.float32)
    rest[best] = share
    return rest


def test_bars_show_every_class_in_percent_and_name_their_axes():
    figure = probability_bars(probabilities(7, 0.82), DIGITS, "How likely each class is")
    (bars,) = figure.data
    assert tuple(bars.x) == DIGITS
    assert np.allclose(bars.y, 100 * probabilities(7, 0.82))
    assert figure.layout.title.text == "How likely each class is"
    assert "%" in figure.layout.yaxis.title.text
    assert figure.layout.xaxis.title.text
    assert np.argmax(bars.marker.opacity) == 7


def test_greek_classes_are_written_as_people_write_them():
    (bars,) = probability_bars(np.full(3, 1 / 3), ("alpha", "beta", "gamma"), "").data
    assert tuple(bars.x) == ("α", "β", "γ")


@pytest.mark.parametrize("share", [0.9991, 0.99999, 1.0])
def test_nothing_is_said_to_be_certain(share):
    (bars,) = probability_bars(probabilities(3, share), DIGITS, "").data
    assert bars.text[3] == "99.9"


def test_each_class_has_its_own_colour_wherever_it_stands():
    labels = [*DIGITS, *GREEK, "+", "-"]
    colours = [class_colour(label, position) for position, label in enumerate(labels)]
    assert len(set(colours)) == len(labels)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
    assert class_colour("beta", 1) == class_colour("beta", 20)

"""The drawn network: every step and shape is there, nothing from outside, nothing that runs."""

import re
from html.parser import HTMLParser

import pytest

from core.networks import ARCHITECTURES, NetworkSpec
from core.networks.base import build
from core.networks.steps import Step, trace_steps
from core.report.diagram import LONGEST, diagram_html


class Words(HTMLParser):
    """The text of a page piece by piece; fails on tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.classes: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.classes += [value for name, value in attributes if name == "class"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        assert tag == "rect"

    def handle_data(self, data):
        if self.open[-1] != "style":
            self.words.append(data)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_step_stands_in_order_with_its_shape(architecture):
    steps = trace_steps(build(NetworkSpec(architecture)))
    expected = []
    for step in steps:
        frozen = [step.state] if "frozen" in step.state else []
        expected += [step.label, *[step.detail][: len(step.detail)], *frozen, step.shape]
    assert Words(diagram_html(steps)).words == expected


def test_it_asks_nobody_outside_and_runs_nothing():
    html = diagram_html(trace_steps(build(NetworkSpec("report"))))
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<img|\son\w+=", html)


def test_what_is_frozen_is_said_in_words_and_pattern():
    steps = [Step("conv 10@5×5", "250 parameters", "10 × 24 × 24", state) for state in ("trainable", "frozen", "–")]
    drawn = Words(diagram_html(steps))
    assert [name for name in drawn.classes if name.startswith("box")] == ["box layer", "box layer frozen", "box"]
    assert drawn.words.count("frozen") == 1


def test_text_is_only_ever_text():
    evil = '<script>alert("1")</script>&'
    drawn = Words(diagram_html([Step(evil, evil, "10", "frozen")]))
    assert drawn.words == [evil, evil, "frozen", "10"]


@pytest.mark.parametrize(
    "shape", ["1", "10", "1000000", "1 × 1 × 1", "512 × 28 × 28", "3 × 900 × 2", "49 × 64", "5 × 1"]
)
def test_any_shape_has_a_picture_of_sensible_size(shape):
    html = diagram_html([Step("layer", "", shape, "–")])
    width, height = map(int, re.search(r'<svg width="(\d+)" height="(\d+)"', html).groups())
    assert 3 <= width <= LONGEST + 20
    assert 3 <= height <= LONGEST + 20
    for x, y, w, h in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"', html):
        assert float(x) + int(w) <= width
        assert float(y) + int(h) <= height
        assert int(w) >= 3
        assert int(h) >= 3


def test_boxes_that_lead_somewhere_can_be_clicked_and_reached_by_keys():
    steps = [Step("input", "", "1 × 28 × 28", "–"), Step("conv", "", "10 × 24 × 24", "–")]
    drawn = diagram_html(steps, ["", "conv<1>"])
    assert drawn.count("data-target=") == drawn.count('tabindex="0"') == 1
    assert 'data-target="conv&lt;1&gt;" role="button"' in drawn
    assert "data-target=" not in diagram_html(steps).split("</style>")[1]

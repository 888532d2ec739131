"""The report's file in a real browser that can reach nothing: every figure is drawn, in both themes, at any width."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.report.chapters import report_html
from core.report.document import Chapter, Document, Figure, Text
from core.report.replay_figure import replay_figure
from core.training.replay import Frame, Replay

pytestmark = pytest.mark.browser

STATE = """() => {
  const plot = document.querySelector(".plot");
  return {
    filter: plot._fullData[0].z[0][0], right: plot._fullData[1].z[0][0], x: plot._fullData[3].x[0],
    bar: plot._fullData[4].y[0], active: plot.layout.sliders[0].active, title: plot.layout.annotations[1].text,
  };
}"""


@pytest.fixture
def open_file(browser: Browser, tmp_path) -> Iterator[Callable[..., Page]]:
    """`open_file(html, width=390)` → the page from a file, in a browser whose every request elsewhere is refused."""
    contexts, asked, wrong = [], [], []

    def open_(html: bytes, width: int = 1280, **context: object) -> Page:
        (tmp_path / "report.html").write_bytes(html)
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **context))
        page = contexts[-1].new_page()
        address = (tmp_path / "report.html").as_uri()

        def gate(route) -> None:
            if route.request.url == address:
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        page.route("**/*", gate)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert asked == []
    assert wrong == []


def a_replay(count: int = 5) -> Replay:
    rng = np.random.default_rng(0)
    frames = [
        Frame(
            i, i * 64, 0, rng.normal(size=(10, 5, 5)), rng.integers(1, 90, size=(10, 10)), 0.1 * i,
            rng.normal(size=(500, 2)), 0.5, rng.dirichlet(np.ones(10)),
        )
        for i in range(count)
    ]  # fmt: skip
    return Replay("my run", tuple("0123456789"), tuple(frames), 2000, np.arange(500) % 10)


def a_document() -> bytes:
    replay = a_replay()
    figure = Figure(replay_figure(replay), "What moves", narrow=replay_figure(replay, narrow=True))
    return Document("Time machine", [Chapter("One", [Text("text"), figure])]).to_html().encode()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_report_draws_every_figure_and_asks_for_nothing(open_file, data_or_skip, width, scheme):
    data_or_skip("MNIST/raw")
    html = report_html("report")
    page = open_file(html, width, color_scheme=scheme)
    plots = page.locator(".plot")
    assert plots.count() == html.count(b'class="plot"') >= 6
    for i in range(plots.count()):
        plots.nth(i).locator(".main-svg").first.wait_for()
        assert plots.nth(i).bounding_box()["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 22, 27)")
    wide_table = page.locator("table.wide").first  # the ten outputs: they scroll inside their own frame
    assert wide_table.locator("..").bounding_box()["width"] <= width


def test_the_slider_and_the_play_button_move_all_panels(open_file):
    page, replay = open_file(a_document()), a_replay()
    page.locator(".slider-rail-touch-rect").wait_for()
    last = page.evaluate(STATE)
    assert last["active"] == 4
    assert last["filter"] == pytest.approx(replay.frames[4].filters[0, 0, 0], abs=1e-3)
    rail = page.locator(".slider-rail-touch-rect").bounding_box()
    page.mouse.click(rail["x"] + rail["width"] * 0.27, rail["y"] + rail["height"] / 2)
    page.locator(".annotation-text", has_text="10.0 %").wait_for()
    one = page.evaluate(STATE)
    assert one["active"] == 1
    assert one["filter"] == pytest.approx(replay.frames[1].filters[0, 0, 0], abs=1e-3)
    assert one["x"] == pytest.approx(replay.frames[1].points[0, 0], abs=1e-3)
    assert one["bar"] == pytest.approx(replay.frames[1].probabilities[0] * 100, abs=0.06)
    page.locator(".updatemenu-button").first.click()
    page.locator(".annotation-text", has_text="40.0 %").wait_for()
    assert page.evaluate(STATE)["active"] == 4
    assert page.evaluate(STATE)["right"] == pytest.approx(last["right"])


def test_a_phone_gets_the_stacked_panels_and_paper_a_figure_that_fits(open_file):
    page = open_file(a_document(), width=390, has_touch=True, is_mobile=True)
    page.locator(".slider-rail-touch-rect").wait_for()
    domains = page.evaluate(
        "() => ['yaxis', 'yaxis2', 'yaxis3', 'yaxis4'].map(a => document.querySelector('.plot')._fullLayout[a].domain)"
    )
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".plot .main-svg").first.bounding_box()["width"] <= 700

"""The Train page's results, time machine and comparison in a real browser: clicks, the slider, a phone's width."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running_app import draw, go_to

pytestmark = pytest.mark.browser

ONE = [[(0.5, 0.15), (0.5, 0.85)]]


@pytest.fixture(scope="module")
def app_url(url_with_run: str) -> str:
    """What `open_page` opens."""
    return url_with_run


def use(page: Page, network: str, section: str) -> None:
    picker = page.locator(".st-key-network_picker").get_by_role("combobox")
    picker.click()
    page.get_by_role("option", name=network).click()
    expect(page.get_by_role("option")).to_have_count(0)
    page.get_by_role("radio", name=section).click()


def test_a_click_on_a_cell_shows_its_samples_and_marks_it(open_page):
    page = open_page("train")
    use(page, "mine", "Results")
    chosen = page.locator("[class*=st-key-train_cell_mine]").get_by_role("combobox")
    expect(chosen).to_have_value("The most confident mistakes")
    matrix = page.locator("[class*=st-key-train_confusion]")
    matrix.scroll_into_view_if_needed()
    area = matrix.locator(".nsewdrag").first
    area.wait_for()
    page.wait_for_timeout(1000)  # the page has come to rest
    box = area.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.05, box["y"] + box["height"] * 0.05)
    expect(chosen).to_have_value(re.compile("^0 read rightly: "))
    expect(page.locator(".test-cards figure.right")).to_have_count(30)
    expect(matrix.locator(".shapelayer path")).to_have_count(1)


def test_the_replay_reads_the_drawing_and_its_play_button_moves_it(open_page):
    page = open_page()
    draw(page, ONE)
    expect(page.locator(".st-key-draw_reading")).to_have_text("1")
    go_to(page, "Train")
    use(page, "mine", "Time machine")
    replay = page.locator(".st-key-train_replay_mine")
    expect(replay.get_by_text("your drawing is read as")).to_be_visible()
    moment = replay.locator(".slider-label").first
    last = moment.text_content()
    assert "epoch 1" in last
    replay.locator(".updatemenu-button").first.click()
    expect(moment).not_to_have_text(last)
    expect(moment).to_have_text(last)  # it has come to its end


@pytest.mark.parametrize("section", ["Results", "Time machine", "Compare"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_page, section):
    page = open_page("train", width=390, height=844)
    use(page, "mine", section)
    mark = {
        "Results": page.locator(".test-accuracy"),
        "Time machine": page.locator(".st-key-train_replay_mine .updatemenu-button").first,
        "Compare": page.get_by_text("No second network was tested on the samples"),
    }[section]
    expect(mark).to_be_visible()
    if section == "Time machine":  # its panels stand one under the other
        page.wait_for_function("document.querySelector('.st-key-train_replay_mine .main-svg')?.clientHeight > 1100")
    overflow = "s => { const e = document.querySelector(s); return e.scrollWidth - e.clientWidth; }"
    assert page.evaluate(overflow, "html") == 0
    assert page.evaluate(overflow, "[data-testid=stMain]") == 0

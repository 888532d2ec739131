"""Inspect Layers in a real browser: the diagram's boxes lead on, a drawing is taken apart, a phone shows everything."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running_app import draw

pytestmark = pytest.mark.browser

CROSSED_SEVEN = [[(0.4, 0.2), (0.6, 0.2), (0.48, 0.85)], [(0.42, 0.5), (0.6, 0.5)]]
SECTIONS = (
    "Structure", "Filters", "Layers", "Where it looked", "Stroke by stroke", "Units", "Surgery", "Robustness",
)  # fmt: skip


@pytest.fixture(scope="module")
def app_url(url_with_run: str) -> str:
    """What `open_page` opens."""
    return url_with_run


def use(page: Page, network: str) -> None:
    page.locator(".st-key-network_picker").get_by_role("combobox").click()
    page.get_by_role("option", name=network).click()
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.get_by_text(f"What {network} answers")).to_be_visible()


def section(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()


def test_a_box_of_the_diagram_leads_to_its_layer(open_page):
    page = open_page("inspect_layers")
    use(page, "mine")
    section(page, "Structure")
    page.locator("[data-target]", has_text="dense 50").click()
    expect(page.get_by_role("radio", name="Layers")).to_be_checked()
    clicked = page.get_by_role("combobox", name="After layer", exact=True)
    expect(clicked).to_have_value(re.compile("ReLU.*→ 50$"))
    expect(page.get_by_text("Clicked in the diagram.")).to_be_visible()
    expect(page.get_by_role("combobox", name="and after layer")).to_be_visible()


def test_a_drawing_is_taken_apart_stroke_by_stroke(open_page):
    page = open_page("inspect_layers")
    use(page, "mine")
    page.get_by_role("radio", name="Drawing").click()
    draw(page, CROSSED_SEVEN)
    expect(page.locator(".inspect-specimen figcaption")).to_have_text("your drawing")
    section(page, "Stroke by stroke")
    expect(page.get_by_text("without stroke 2", exact=False).first).to_be_visible()


def test_a_phone_shows_every_section_without_scrolling_sideways(open_page):
    page = open_page("inspect_layers", width=390, height=844)
    use(page, "mine")
    overflow = "s => { const e = document.querySelector(s); return e.scrollWidth - e.clientWidth; }"
    for name in SECTIONS:
        section(page, name)
        expect(page.get_by_role("radio", name=name)).to_be_checked()
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        page.wait_for_timeout(300)  # figures take their places
        assert page.evaluate(overflow, "html") == 0, name
        assert page.evaluate(overflow, "[data-testid=stMain]") == 0, name

"""The Experiments page in a real browser: a study is begun, watched, found again after a reload, and ends."""

import re

from playwright.sync_api import Page, expect


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Enter")


def test_a_study_is_begun_watched_through_a_reload_and_answers(open_page):
    page = open_page("experiments")
    expect(page.get_by_label("Question", exact=True)).to_have_value(re.compile("dropout"))
    fill(page, "Filters", "4")
    fill(page, "Dropout", "0.1, 0.5")
    fill(page, "Epochs", "2")
    fill(page, "Seeds", "1")
    before = page.locator(".stColumn").filter(has_text="Before it begins").last
    expect(before).to_contain_text(re.compile(r"Possible\s*2"))
    page.locator(".st-key-experiment_start button").click()
    live = page.locator(".st-key-experiment_live")
    expect(live).to_contain_text("is running")
    expect(live).to_contain_text("of 2 trials")
    page.reload()
    expect(live).to_contain_text(re.compile("is running|is finished"))  # whoever looks, however quick it is
    expect(live).to_contain_text("is finished")
    expect(live).to_contain_text(re.compile(r"2\s*of\s*2"))
    results = page.locator(".st-key-experiment_results")
    expect(results).to_contain_text("0.3 beats 0.5; more hurts.")
    expect(results.locator(".js-plotly-plot").first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

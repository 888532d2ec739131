"""The Train page in a real browser: live figures, a reload, a page change and a stop."""

import re

from playwright.sync_api import Page, expect

from tests.browser.running_app import go_to

STROKES = "Stroke digits: generated"  # proposed as report-strokes-digits


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def start(page: Page, epochs: int, name: str) -> None:
    choose(page, "Data set", STROKES)
    field = page.get_by_label("Name", exact=True)
    expect(field.first).to_have_value(re.compile("strokes"))
    expect(field).to_have_count(1)  # the former data set's has gone
    page.get_by_label("Epochs", exact=True).fill(str(epochs))
    page.get_by_label("Epochs", exact=True).press("Enter")
    field.fill(name)
    field.press("Enter")
    page.locator(".st-key-train_start button").click()


def panel(page: Page):
    return page.locator(".st-key-train_progress")


def test_a_training_is_watched_survives_a_reload_and_a_page_change_and_is_stopped(open_page):
    page = open_page("train")
    start(page, 500, "watched")
    expect(panel(page)).to_contain_text("is training")
    expect(panel(page)).to_contain_text("examples seen")
    expect(panel(page).locator(".js-plotly-plot").first).to_be_visible()
    page.reload()
    expect(panel(page)).to_contain_text("is training")
    go_to(page, "Draw")
    go_to(page, "Train")
    expect(panel(page)).to_contain_text("is training")
    page.locator(".st-key-train_stop button").first.click()
    expect(panel(page)).to_contain_text("was stopped")


def test_nothing_is_wider_than_a_phones_screen(open_page):
    page = open_page("train", width=390)
    for section in ("Data", "Network", "Results", "Time machine", "Compare", "Your hand", "Keep and share"):
        page.get_by_role("radio", name=section).click()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, section

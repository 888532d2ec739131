"""The Train page in a real browser: live figures, a stop, two visitors, and a server that is killed."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running_app import PATIENCE_S, go_to, running_app

QUICK = "Digits 8×8: small and quick"  # proposed as report-digits-8x8
STROKES = "Stroke digits: generated"  # report-strokes-digits


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def start(page: Page, data: str, epochs: int, name: str) -> None:
    choose(page, "Data set", data)
    field = page.get_by_label("Name", exact=True)
    expect(field.first).to_have_value(re.compile({QUICK: "8x8", STROKES: "strokes"}[data]))
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
    start(page, STROKES, 500, "watched")
    expect(panel(page)).to_contain_text("is training")
    expect(panel(page)).to_contain_text("examples seen")
    expect(panel(page).locator(".js-plotly-plot").first).to_be_visible()
    page.reload()
    expect(panel(page)).to_contain_text("is training")
    go_to(page, "Draw")
    go_to(page, "Train")
    expect(panel(page)).to_contain_text("is training")
    visitor = open_page("train", width=390, height=844)
    expect(panel(visitor)).to_contain_text("is training")
    start(visitor, QUICK, 1, "waiting")
    expect(panel(visitor)).to_contain_text("waits for its turn behind watched")
    page.locator(".st-key-train_stop button").first.click()
    expect(panel(page)).to_contain_text("was stopped")
    expect(panel(visitor)).to_contain_text("is trained")
    expect(visitor.get_by_role("combobox", name="Network")).to_have_value(re.compile("waiting"))


def server_of(url: str) -> int:
    """The process that listens there."""
    import psutil

    port = int(url.rsplit(":", 1)[1])
    return next(c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port)


def test_after_the_server_was_killed_a_training_goes_on(tmp_path: Path, browser):
    with running_app(tmp_path) as url:
        page = open_at(browser, url)
        start(page, STROKES, 500, "cut")
        expect(panel(page)).to_contain_text("examples seen")
        wait_for_epochs(tmp_path, 1)
        os.kill(server_of(url), signal.SIGKILL)
    page.context.close()
    with running_app(tmp_path) as url:
        page = open_at(browser, url)
        expect(panel(page)).to_contain_text("was interrupted")
        page.get_by_role("button", name="Go on").click()
        expect(panel(page)).to_contain_text("is training")
        page.locator(".st-key-train_stop button").first.click()
        expect(panel(page)).to_contain_text("was stopped")
        page.context.close()


def open_at(browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{url}/train")
    page.get_by_role("heading", level=1, name="Train").wait_for(timeout=1000 * PATIENCE_S)
    return page


def wait_for_epochs(home: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(list((home / "networks" / "cut" / "snapshots").glob(f"*-{count:05d}-*"))) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page("train", width=width)
    for section in ("Data", "Network", "Results", "Time machine", "Compare", "Your hand", "Keep and share"):
        page.get_by_role("radio", name=section).click()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, section

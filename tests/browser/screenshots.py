"""Takes the README's pictures from the real app in a real browser: `python -m tests.browser.screenshots`."""

import math
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.paths import ASSETS
from tests.browser.running_app import NO_CHROMIUM, PATIENCE_S, chromium, draw, launch_chromium, reading_of, running_app

FOLDER = ASSETS / "screenshots"


def arc(
    centre: tuple[float, float], radius: tuple[float, float], start: float, end: float
) -> list[tuple[float, float]]:
    """Points on an ellipse, angles in turns, clockwise from the top."""
    angles = [2 * math.pi * (start + (end - start) * i / 24) for i in range(25)]
    return [(centre[0] + radius[0] * math.sin(a), centre[1] - radius[1] * math.cos(a)) for a in angles]


# 2026, as strokes on the canvas
TWO = [*arc((0.14, 0.32), (0.07, 0.14), -0.2, 0.38), (0.07, 0.79), (0.22, 0.78)]
ZERO = arc((0.37, 0.5), (0.075, 0.3), 0.02, 1.03)
SIX = [(0.88, 0.2), (0.81, 0.45), *arc((0.85, 0.66), (0.065, 0.15), -0.28, 0.74)]
NUMBER = [TWO, ZERO, [(x + 0.45, y) for x, y in TWO], SIX]


def main() -> int:
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 2
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        for scheme in ("light", "dark"):
            page = _open(browser, url, 1280, 970, scheme)
            draw(page, NUMBER)
            expect(reading_of(page)).to_have_text("2026")
            _take(page, "draw" if scheme == "light" else "draw-dark")
        page = _open(browser, url, 1280, 1860, "light")
        page.get_by_role("button", name="Squared paper", exact=True).click()
        page.get_by_text("How it got there").click()
        expect(page.get_by_text("Boxes:")).to_be_visible()
        _take(page, "steps")
        page = _open(browser, url, 390, 844, "light")
        draw(page, NUMBER)
        expect(reading_of(page)).to_have_text("2026")
        _take(page, "phone")
        page = _open(browser, f"{url}/live_camera", 1280, 800, "light")
        expect(page.locator(".st-key-live_reading")).not_to_have_text("–")
        _take(page, "live-camera")
        page = _open(browser, f"{url}/train", 1280, 1560, "light")
        page.get_by_role("combobox", name="Data set").click()
        page.get_by_role("option", name="Stroke digits").click()
        expect(page.get_by_label("Name", exact=True).first).to_have_value("report-strokes-digits")
        page.get_by_role("button", name="Train", exact=True).click()
        page.get_by_role("radio", name="Results").click()
        expect(page.locator(".st-key-train_progress")).to_contain_text("is trained")
        expect(page.get_by_role("combobox", name="Network")).to_have_value(re.compile("report-strokes-digits"))
        expect(page.get_by_text("in 2,000 test samples")).to_be_visible()
        _take(page, "train")
        page = _open(browser, f"{url}/inspect_layers", 1280, 1500, "light")
        page.get_by_role("radio", name="Where it looked").click()
        expect(page.get_by_text("The same map of a network that learned nothing")).to_be_visible()
        _take(page, "inspect")
        page = _open(browser, f"{url}/greek_transfer", 1280, 1500, "light")
        page.get_by_role("radio", name="Teach").click()
        page.locator(".st-key-transfer_start button").click()
        expect(page.locator(".st-key-transfer_result")).to_be_visible()
        _take(page, "transfer")
        page = _open(browser, f"{url}/embedding_explorer", 1280, 1300, "light")
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        _take(page, "embedding")
        page = _open(browser, f"{url}/experiments", 1280, 1500, "light")
        page.locator(".st-key-experiment_start button").click()
        expect(page.locator(".st-key-experiment_live")).to_contain_text("is finished")
        expect(page.locator(".st-key-experiment_results .js-plotly-plot").first).to_be_visible()
        _take(page, "experiments")
        browser.close()
    return 0


def _open(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("heading", level=1).wait_for()
    return page


def _take(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)  # until figures stand still and the toolbars that hovering showed are gone
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())

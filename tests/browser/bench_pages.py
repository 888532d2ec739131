"""How fast the pages are: `python -m tests.browser.bench_pages` prints one JSON line a figure.

Each figure is the median of `RUNS` runs with the browser already running, on a machine whose disk cache is warm.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.running_app import (
    NO_CHROMIUM,
    canvas_of,
    chromium,
    draw,
    go_to,
    launch_chromium,
    reading_of,
    running_app,
)

RUNS = 5
SEVEN = [[(0.15, 0.2), (0.30, 0.2), (0.22, 0.8)]]


def main() -> int:
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        runs = [_one_run(browser) for _ in range(RUNS)]
        browser.close()
    for bench in runs[0]:
        seconds = [run[bench] for run in runs]
        print(json.dumps({"bench": bench, "figure": round(median(seconds), 3), "unit": "s", "n": RUNS}))
    return 0


def _one_run(browser: Browser) -> dict[str, float]:
    page = browser.new_context().new_page()
    times = {}
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        with running_app(Path(home)) as url:
            page.goto(url)
            canvas_of(page).wait_for()
            times["first useful screen after streamlit run"] = time.perf_counter() - started
            draw(page, SEVEN)
            times["first stroke to its reading"] = _seconds_until_read(page, "7")
            page.locator(".st-key-draw_clear button").click()
            expect(reading_of(page)).to_have_text("–")
            draw(page, SEVEN)
            times["next stroke to its reading"] = _seconds_until_read(page, "7")
            times["page change: first visit to Live Camera"] = _seconds_to_change(page, "Live Camera")
            times["page change: back to Draw"] = _seconds_to_change(page, "Draw")
            times["page change: back to Live Camera"] = _seconds_to_change(page, "Live Camera")
    page.context.close()
    return times


def _seconds_until_read(page: Page, text: str) -> float:
    started = time.perf_counter()
    expect(reading_of(page)).to_have_text(text)
    return time.perf_counter() - started


def _seconds_to_change(page: Page, title: str) -> float:
    """From the click on a page's name to its title and its own first control."""
    control = ".st-key-draw_canvas canvas" if title == "Draw" else ".st-key-live_reading"
    page.mouse.move(5, 500)
    started = time.perf_counter()
    go_to(page, title)
    page.locator(control).first.wait_for()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())

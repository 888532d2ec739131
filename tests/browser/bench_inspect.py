"""How fast Inspect Layers follows a change of picture: `python -m tests.browser.bench_inspect` prints JSON lines.

For each network and section: the median time from choosing the next test sample to the page being at rest with all of
the section shown anew, in a browser on this machine. Needs MNIST.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.browser.running_app import NO_CHROMIUM, PATIENCE_S, chromium, launch_chromium, running_app

RUNS = 5
NETWORKS = ("report", "digits")
SECTIONS = ("Structure", "Filters", "Layers", "Where it looked", "Units", "Surgery", "Robustness")
SHOWN = """([text, atRest]) => document.querySelector(".inspect-specimen figcaption")?.innerText.startsWith(text)
  && document.querySelector(atRest)"""
AT_REST = "[data-testid='stApp'][data-test-script-state='notRunning']"


def main() -> int:
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(f"{url}/inspect_layers")
        page.get_by_role("heading", level=1).wait_for()
        for network in NETWORKS:
            _use(page, network)
            for section in SECTIONS:
                page.get_by_role("radio", name=section, exact=True).click()
                _settle(page)
                _seconds_to_next(page)  # what a section prepares once is not a change of picture
                seconds = [_seconds_to_next(page) for _ in range(RUNS)]
                record = {"bench": f"{section} of {network}: the next test sample", "figure": round(median(seconds), 3)}
                print(json.dumps(record | {"unit": "s", "n": RUNS, "slowest": round(max(seconds), 3)}), flush=True)
        browser.close()
    return 0


def _use(page: Page, network: str) -> None:
    page.get_by_role("combobox", name="Network", exact=True).click()
    page.get_by_role("option", name=network).click()
    _settle(page)


def _settle(page: Page) -> None:
    """Until nothing has run for half a second."""
    quiet_since = time.perf_counter()
    while time.perf_counter() - quiet_since < 0.5:
        if page.locator(AT_REST).count() == 0:
            quiet_since = time.perf_counter()
        page.wait_for_timeout(20)


def _seconds_to_next(page: Page) -> float:
    number = page.locator(".st-key-inspect_test_number input")
    wanted = int(number.input_value()) + 1
    _settle(page)
    started = time.perf_counter()
    page.locator(".st-key-inspect_test_number button").last.click()
    page.wait_for_function(SHOWN, arg=[f"test sample {wanted},", AT_REST], polling="raf")
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())

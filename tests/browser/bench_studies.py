"""How fast the page of a study with 5,000 trials opens: `python -m tests.browser.bench_studies` prints JSON lines.

The first visit is that of a server which has not shown any study yet; the others' figure is a median of `RUNS`.
`cpu_s` is what the server took: on a busy machine `figure` is longer than it need be.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, sync_playwright

from core.bench.studies import STUDY, TRIALS, fill
from core.experiments.storage import Storage
from tests.browser.running_app import NO_CHROMIUM, PATIENCE_S, chromium, launch_chromium, running_app

RUNS = 5
SEEN = {  # what is there then, in the order in which it comes
    "the study's title": "h1",
    "the answer": ".st-key-experiment_results [data-testid=stMetric]",
    "all figures of the overview": ".st-key-experiment_progress .js-plotly-plot .main-svg",
}


def main() -> int:
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["INKLING_HOME"] = home
        fill(Storage())
        with running_app(Path(home)) as url:
            browser = launch_chromium(playwright)
            _visit(browser, url, None)  # the server and the browser have shown another page before
            first = _visit(browser, url, STUDY.name)
            others = [_visit(browser, url, STUDY.name) for _ in range(RUNS)]
            browser.close()
    for what in SEEN:
        for visit, runs in (("first", [first]), ("later", others)):
            seconds, cpu = zip(*(run[what] for run in runs), strict=True)
            print(json.dumps({
                "bench": f"{TRIALS:,} trials, {visit} visit: {what}", "figure": round(median(seconds), 2), "unit": "s",
                "cpu_s": round(median(cpu), 2), "n": len(runs),
            }))  # fmt: skip
    return 0


def _visit(browser: Browser, url: str, study: str | None) -> dict[str, tuple[float, float]]:
    """Seconds and the server's CPU seconds until each of `SEEN` is there."""
    page, server = browser.new_context().new_page(), _server()
    before, started, found = _cpu(server), time.perf_counter(), {}
    page.goto(f"{url}/experiments?study={study}" if study else url)
    for what, selector in SEEN.items() if study else {"the canvas": ".st-key-draw_canvas canvas"}.items():
        page.locator(selector).first.wait_for(timeout=1000 * PATIENCE_S)
        found[what] = (time.perf_counter() - started, _cpu(server) - before)
    page.context.close()
    return found


def _server() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


if __name__ == "__main__":
    sys.exit(main())

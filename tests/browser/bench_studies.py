"""How fast the page of a study with 5,000 trials opens: `python -m tests.browser.bench_studies` prints JSON lines.

By link is as visitors come, from another page of the app; by address is in a browser that has never seen the app, which
first loads Streamlit itself. The first visit is that of a server which has not shown any study yet; the others' figure
is a median of `RUNS`. `cpu_s` is what the server took: on a busy machine `figure` is longer than it need be.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import BrowserContext, sync_playwright

from core.bench.studies import STUDY, TRIALS, fill
from core.experiments.storage import Storage
from tests.browser.running_app import NO_CHROMIUM, PATIENCE_S, chromium, launch_chromium, running_app

RUNS = 5
# Notes in the page when each was first painted, in seconds: asked from outside, a page busy with scripts answers late.
NOTE = """([selectors, began]) => {
  const found = {};
  const look = () => {
    for (const [what, selector] of Object.entries(selectors))
      if (!(what in found) && document.querySelector(selector)?.getClientRects().length) {
        found[what] = null;
        requestAnimationFrame(() => setTimeout(() => (found[what] = (performance.now() - began) / 1000)));
      }
  };
  new MutationObserver(look).observe(document, {childList: true, subtree: true, attributes: true});
  window.painted = found;
}"""
LOOKED_AT_MS = 2000  # the page before; what it still loads is not this one's time
SEEN = {  # what is there then, in the order in which it comes
    "how the study stands": ".st-key-experiment_live [data-testid=stMetric]",
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
            visitor = browser.new_context()
            seen = {"first visit, by link": [_visit(visitor, url, by_link=True)]}
            seen["by link"] = [_visit(visitor, url, by_link=True) for _ in range(RUNS)]
            seen["by address"] = [_visit(browser.new_context(), url, by_link=False) for _ in range(RUNS)]
            browser.close()
    for visit, runs in seen.items():
        for what in SEEN:
            print(json.dumps({
                "bench": f"{TRIALS:,} trials, {visit}: {what}", "figure": round(median(run[what] for run in runs), 2),
                "unit": "s", "cpu_s": round(median(run["cpu_s"] for run in runs), 2), "n": len(runs),
                "load": round(os.getloadavg()[0], 1),
            }))  # fmt: skip
    return 0


def _visit(visitor: BrowserContext, url: str, by_link: bool) -> dict[str, float]:
    """Seconds until each of `SEEN` is painted, and the server's CPU seconds until all are."""
    page, server = visitor.new_page(), _server()
    if by_link:
        page.goto(url)
        page.locator(".st-key-draw_canvas canvas").first.wait_for(timeout=1000 * PATIENCE_S)
        page.wait_for_timeout(LOOKED_AT_MS)
        before = _cpu(server)
        page.evaluate(f"({NOTE})([{json.dumps(SEEN)}, performance.now()])")
        page.get_by_role("link", name="Experiments").evaluate("(link) => link.click()")
    else:
        page.add_init_script(f"({NOTE})([{json.dumps(SEEN)}, 0])")
        before = _cpu(server)
        page.goto(f"{url}/experiments?study={STUDY.name}")
    all_seen = f"Object.values(window.painted).filter(Boolean).length == {len(SEEN)}"
    page.wait_for_function(all_seen, timeout=1000 * PATIENCE_S)
    cpu, found = _cpu(server) - before, page.evaluate("window.painted")
    page.close()
    return found | {"cpu_s": cpu}


def _server() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


if __name__ == "__main__":
    sys.exit(main())

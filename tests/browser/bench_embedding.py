"""How fluid Embedding Explorer's map is: `python -m tests.browser.bench_embedding [SAMPLES]` prints JSON lines.

The map of up to 70,000 samples (all that MNIST has) in a browser on this machine, without a graphics card: what the
server sends, the time until the map is drawn, until it is drawn anew after a turn of the mouse wheel, until a sample's
glyph stands beside the pointer, and until a lasso's samples are shown. Needs MNIST.
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
PLOT = ".st-key-embedding_map .js-plotly-plot"
WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# Plotly says when it has drawn; two frames later the browser has too.
ZOOM = """async () => {
  const plot = document.querySelector(".st-key-embedding_map .js-plotly-plot");
  const box = plot.querySelector(".nsewdrag").getBoundingClientRect();
  const drawn = new Promise((done) => plot.once("plotly_relayout", done));
  const started = performance.now();
  plot.querySelector(".nsewdrag").dispatchEvent(new WheelEvent("wheel", {
    deltaY: -120, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true,
  }));
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame();
  const first = performance.now() - started;
  await drawn;
  return first;
}"""


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 70_000
    if chromium() is None:
        print(NO_CHROMIUM, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url, sync_playwright() as playwright:
        browser = launch_chromium(playwright, *WEBGL)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE_S)
        link = f"{url}/embedding_explorer?network=report&sets=data:mnist:train&sets=data:mnist:test&samples={count}"
        _open(page, link)  # the embeddings are computed now, and kept
        received: list[int] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
        started = time.perf_counter()
        _open(page, link)
        title = page.locator(f"{PLOT} .gtitle").text_content() or ""
        _tell(title + " drawn", time.perf_counter() - started, megabytes_received=round(sum(received) / 1e6, 2))
        _settle(page)
        zooms = [page.evaluate(ZOOM) / 1000 for _ in range(RUNS)]
        _tell("a turn of the mouse wheel", median(zooms), n=RUNS, slowest=round(max(zooms), 3))
        page.locator(f"{PLOT} [data-title^=Reset]").first.click()
        _settle(page)
        _tell("a glyph beside the pointer", _seconds_to_glyph(page))
        _tell("a lasso's samples shown", _seconds_to_chosen(page))
        browser.close()
    return 0


def _open(page: Page, link: str) -> None:
    page.goto(link)
    page.wait_for_selector(f"{PLOT} .nsewdrag", timeout=5 * 1000 * PATIENCE_S)


def _settle(page: Page) -> None:
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_timeout(1000)


def _seconds_to_glyph(page: Page) -> float:
    box = page.locator(f"{PLOT} .nsewdrag").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 30, y)
    started = time.perf_counter()
    page.mouse.move(x, y)
    page.locator(".st-key-embedding_pointer .card").or_(page.locator(".card")).first.wait_for()
    return time.perf_counter() - started


def _seconds_to_chosen(page: Page) -> float:
    box = page.locator(f"{PLOT} .nsewdrag").bounding_box()
    assert box is not None
    corners = ((0.45, 0.45), (0.55, 0.45), (0.55, 0.55), (0.45, 0.55), (0.45, 0.45))
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    started = time.perf_counter()
    page.mouse.up()
    page.locator(".st-key-embedding_chosen_grid img").first.wait_for()
    return time.perf_counter() - started


def _tell(what: str, seconds: float, **besides: object) -> None:
    print(json.dumps({"bench": what, "figure": round(seconds, 3), "unit": "s", **besides}), flush=True)


if __name__ == "__main__":
    sys.exit(main())

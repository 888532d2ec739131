"""Frames a second in the browser: the live reader against a callback that only passes frames on, in turns.

Run as `python -m tests.browser.throughput [FILE.y4m]`; prints one JSON line. The fake webcam shows the file, or
Chromium's own test picture. Both callbacks unpack and pack the frame: that is the price of any processing.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.running_app import launch_chromium, running_app

ROUNDS, WARM_UP_S, MEASURED_S = 3, 4.0, 10.0


def main() -> None:
    clip = [f"--use-file-for-fake-video-capture={Path(sys.argv[1]).resolve()}"] if len(sys.argv) > 1 else []
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", *clip]
    rates: dict[str, list[float]] = {"pass": [], "reading": []}
    with (
        tempfile.TemporaryDirectory() as home,
        running_app(Path(home), "tests/browser/throughput_app.py") as url,
        sync_playwright() as playwright,
    ):
        browser = launch_chromium(playwright, *fake)
        for _ in range(ROUNDS):
            for mode, measured in rates.items():
                measured.append(_rate(browser, f"{url}/?mode={mode}"))
        browser.close()
    means = {mode: sum(measured) / ROUNDS for mode, measured in rates.items()}
    record = {"bench": "browser", "figure": round(means["reading"] / means["pass"], 3), "unit": "of pass-through"}
    print(json.dumps(record | {"frames_per_second": {mode: round(mean, 1) for mode, mean in means.items()}}))


def _rate(browser: Browser, address: str) -> float:
    """Frames a second that reach the callback, once the connection has settled."""
    page = browser.new_page()
    page.goto(address)
    page.frame_locator('iframe[title^="streamlit_webrtc"]').get_by_role("button", name="Start").click(timeout=60_000)
    frames = page.locator(".st-key-frames")
    frames.wait_for(timeout=60_000)
    before = int(frames.inner_text())
    page.wait_for_function(f"Number(document.querySelector('.st-key-frames').innerText) > {before}", timeout=60_000)
    page.wait_for_timeout(1000 * WARM_UP_S)
    start, first = time.monotonic(), int(frames.inner_text())
    page.wait_for_timeout(1000 * MEASURED_S)
    rate = (int(frames.inner_text()) - first) / (time.monotonic() - start)
    page.close()
    return rate


if __name__ == "__main__":
    main()

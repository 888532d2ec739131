"""Frames a second in the browser: the live reader against a callback that only passes frames on, in turns.

Run as `python -m tests.browser.throughput [FILE.y4m]`; prints one JSON line. The fake webcam shows the file, or
Chromium's own test picture. Both callbacks unpack and pack the frame: that is the price of any processing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
ROUNDS, WARM_UP_S, MEASURED_S = 3, 4.0, 10.0


def main() -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "tests/browser/throughput_app.py")]
    server = subprocess.Popen(
        [*command, "--server.headless=true", f"--server.port={port}"],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    clip = [f"--use-file-for-fake-video-capture={Path(sys.argv[1]).resolve()}"] if len(sys.argv) > 1 else []
    fake = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", *clip]
    rates: dict[str, list[float]] = {"pass": [], "reading": []}
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=fake)
            for _ in range(ROUNDS):
                for mode, measured in rates.items():
                    measured.append(_rate(browser, f"http://localhost:{port}/?mode={mode}"))
            browser.close()
    finally:
        server.terminate()
        server.wait()
    means = {mode: sum(measured) / ROUNDS for mode, measured in rates.items()}
    record = {"bench": "browser", "figure": round(means["reading"] / means["pass"], 3), "unit": "of pass-through"}
    print(json.dumps(record | {"frames_per_second": {mode: round(mean, 1) for mode, mean in means.items()}}))


def _wait_for(address: str, patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:  # not listening yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


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

"""The real app in a real browser, for tests, benchmarks and screenshots alike."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from core.paths import PROJECT

PATIENCE_S = 120  # for what takes a second on a quiet machine
NO_CHROMIUM = "there is no Chromium on this machine (Debian: apt-get install chromium)"

expect.set_options(timeout=1000 * PATIENCE_S)

Stroke = Sequence[tuple[float, float]]  # points as shares of the canvas's width and height


@contextmanager
def running_app(home: Path, script: str = "app.py") -> Iterator[str]:
    """Starts the app (or another script of the project) with `home` as its `INKLING_HOME`; yields its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = home / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}"]
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | {"INKLING_HOME": str(home), "PYTHONPATH": str(PROJECT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(f"http://localhost:{port}/_stcore/health", server, log)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_S)


def _wait_until_healthy(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:  # not listening yet
            time.sleep(0.02)
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")


def chromium() -> str | None:
    """The path of the installed Chromium."""
    return shutil.which("chromium")


def launch_chromium(playwright: Playwright, *arguments: str) -> Browser:
    return playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", *arguments])


def canvas_of(page: Page) -> Locator:
    """The topmost of the canvas's layers: the one that takes the strokes."""
    return page.locator(".st-key-draw_canvas canvas").last


def reading_of(page: Page) -> Locator:
    """What holds the current reading's text on the Draw page."""
    return page.locator(".st-key-draw_reading")


def draw(page: Page, strokes: Sequence[Stroke]) -> None:
    """Draws strokes on the Draw page's canvas with the mouse."""
    canvas = canvas_of(page)
    canvas.wait_for()
    for stroke in strokes:
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()


def go_to(page: Page, title: str) -> None:
    """Changes to another page by its name in the navigation."""
    page.get_by_role("link", name=title).click()
    page.get_by_role("heading", level=1, name=title).wait_for(timeout=1000 * PATIENCE_S)

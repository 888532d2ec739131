"""The real app in a real browser: one server for the session, Chromium through Playwright, a hand that draws."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60  # for what takes a second on a quiet machine: the tests do not measure speed
Stroke = Sequence[tuple[float, float]]  # points as shares of the canvas's width and height

expect.set_options(timeout=1000 * PATIENCE_S)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = os.environ | {"INKLING_HOME": str(tmp_path_factory.mktemp("home"))}
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT)
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
            time.sleep(0.1)
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def launch_browser(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """`launch_browser("--use-fake-device-for-media-stream", …)` → Chromium with these arguments besides."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    launched: list[Browser] = []

    def launch(*arguments: str) -> Browser:
        launched.append(playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *arguments]))
        return launched[-1]

    yield launch
    for browser in launched:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch_browser: Callable[..., Browser]) -> Browser:
    """One Chromium for all tests that need no special one."""
    return launch_browser()


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[Callable[..., Page]]:
    """`open_page("live_camera", width=390, height=844, color_scheme="dark")` → the page, with its title there.

    Any keyword that `Browser.new_context` knows may follow. Whatever a test does, no page may end with a traceback.
    """
    opened: list[Page] = []

    def open_(path: str = "", width: int = 1280, height: int = 900, **context: object) -> Page:
        page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
        opened.append(page)
        page.goto(f"{app_url}/{path}")
        page.get_by_role("heading", level=1).wait_for(timeout=1000 * PATIENCE_S)
        return page

    yield open_
    tracebacks = [text for page in opened for text in page.get_by_test_id("stException").all_inner_texts()]
    for page in opened:
        page.context.close()
    assert tracebacks == []


@pytest.fixture
def draw() -> Callable[[Page, Sequence[Stroke]], None]:
    """`draw(page, [[(0.1, 0.2), (0.3, 0.2)], …])` draws strokes on the Draw page's canvas with the mouse."""

    def draw_(page: Page, strokes: Sequence[Stroke]) -> None:
        canvas = canvas_of(page)
        expect(canvas).to_be_visible()
        for stroke in strokes:
            canvas.scroll_into_view_if_needed()
            box = canvas.bounding_box()
            points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=5)
            page.mouse.up()

    return draw_


def canvas_of(page: Page) -> Locator:
    """The topmost of the canvas's layers: the one that takes the strokes."""
    return page.locator(".st-key-draw_canvas canvas").last

"""What browser tests share: one server and one Chromium for the session."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from core.paths import PROJECT
from tests.browser.running_app import NO_CHROMIUM, PATIENCE_S, chromium, launch_chromium, running_app

RUN = ["--dataset", "digits-8x8", "--network", "report", "--epochs", "1", "--name", "mine"]


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running app."""
    with running_app(tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.fixture(scope="module")
def url_with_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app whose store holds one small run, `mine`, besides what ships; it needs no data set."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "core", "train", *RUN]
    subprocess.run(command, cwd=PROJECT, env=os.environ | {"INKLING_HOME": str(home)}, check=True, capture_output=True)
    with running_app(home) as url:
        yield url


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if chromium() is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def launch_browser(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """`launch_browser("--use-fake-device-for-media-stream", …)` → Chromium with these arguments besides."""
    launched: list[Browser] = []

    def launch(*arguments: str) -> Browser:
        launched.append(launch_chromium(playwright, *arguments))
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
    """`open_page("live_camera", width=390, height=844, color_scheme="dark")` → the page, once its title is there.

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

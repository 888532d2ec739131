"""Pages are tested as they run: through `app.py`, by Streamlit's own AppTest."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.paths import PROJECT
from pages.components.keys import NETWORK_PICKER


@pytest.fixture(autouse=True)
def no_webcam(monkeypatch: pytest.MonkeyPatch) -> None:
    """`webrtc_streamer` needs a running server; here it is a camera that nobody has started."""
    import pages.components.live_webcam

    def streamer(**_: object) -> SimpleNamespace:
        return SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))

    monkeypatch.setattr(pages.components.live_webcam, "webrtc_streamer", streamer)


@pytest.fixture(autouse=True)
def always_within_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest makes a new server for every run, each of which would start over once and forget a pressed button."""
    monkeypatch.setattr("pages.components.header._insist_on_the_frame", lambda: None)


@pytest.fixture
def open_app() -> Callable[..., AppTest]:
    """`open_app("pages/draw.py")` → that page after its first run; nothing was raised."""

    def open_(page: str | None = None) -> AppTest:
        st.cache_resource.clear()  # the caches are the process's, and each test has its own networks
        app = AppTest.from_file(PROJECT / "app.py", default_timeout=60).run()
        if page is not None:
            app.switch_page(page).run()
        assert not app.exception, app.exception[0].stack_trace
        return app

    return open_


@pytest.fixture
def open_train_section() -> Callable[[str, str], AppTest]:
    """`open_train_section("Results", "digits")` → the Train page with that section of that network."""

    def open_(section: str, network: str) -> AppTest:
        st.cache_resource.clear()
        app = AppTest.from_file(PROJECT / "app.py", default_timeout=60)
        app.session_state[NETWORK_PICKER] = network  # before the first run: the other sections' figures take a while
        app.session_state["train_section"] = section
        app.switch_page("pages/train.py").run()
        assert not app.exception, app.exception[0].stack_trace
        return app

    return open_

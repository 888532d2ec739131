"""A symbol taught to the camera in Chromium: a fake webcam shows a letter that the network does not know."""

import cv2
import pytest
from playwright.sync_api import expect

from core.reading.scene import DemoScene

pytestmark = pytest.mark.browser

FPS = 15
SCENE = DemoScene(pages=(("psi", "2", "7"),))


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    """Three seconds of paper, which the fake webcam plays again and again."""
    file = tmp_path_factory.mktemp("camera") / "page.y4m"
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W640 H480 F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for index in range(3 * FPS):
            out.write(b"FRAME\n" + cv2.cvtColor(SCENE.frame(index / FPS), cv2.COLOR_RGB2YUV_I420).tobytes())
    return file


@pytest.fixture
def page(launch_browser, camera_clip, app_url):
    browser = launch_browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_clip}",
    )
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.goto(f"{app_url}/live_camera")
    yield page
    assert page.get_by_test_id("stException").count() == 0
    page.close()


def test_a_symbol_is_taught_to_the_running_camera(page):
    camera = page.frame_locator('iframe[title^="streamlit_webrtc"]')
    camera.get_by_role("button", name="Start camera").click()
    expect(camera.locator("video")).to_be_visible()
    reading = page.locator(".st-key-live_reading .reading")
    expect(reading).to_have_text("2 7")
    page.get_by_text("Teach a symbol", exact=True).click()
    panel = page.locator(".st-key-live_teach")
    expect(panel.get_by_text("digits is ready to learn")).to_be_visible()
    meant = page.locator(".st-key-live_teach_choice .live-glyph.meant")
    expect(meant).to_have_count(1)  # the one that is refused
    name = page.locator(".st-key-live_teach_name input")
    name.fill("fork")
    name.press("Enter")
    panel.get_by_role("button", name="Capture", exact=True).click()
    expect(panel.get_by_text("fork · 1 capture")).to_be_visible()
    expect(reading).to_have_text("fork 2 7")
    expect(camera.locator("video")).to_be_visible()
    panel.get_by_role("button", name="Forget").click()
    expect(reading).not_to_have_text("fork 2 7")
    panel.get_by_role("button", name="Bring back").click()
    expect(reading).to_have_text("fork 2 7")

"""The Live Camera in Chromium with a fake webcam that shows writing whose text is known."""

import json
import re
from contextlib import suppress

import av
import cv2
import pytest
from playwright.sync_api import Error, expect

from core.reading.scene import PAGE_S, PAGES, DemoScene

pytestmark = pytest.mark.browser

FPS = 15
SCENE = DemoScene(seed=0)
START_S = PAGE_S  # the second page
TEXT = " ".join(SCENE.text(START_S))


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    """Two seconds of one page, which the fake webcam plays again and again."""
    file = tmp_path_factory.mktemp("camera") / "page.y4m"
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W640 H480 F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for index in range(2 * FPS):
            frame = SCENE.frame(START_S + index / FPS)
            out.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    return file


@pytest.fixture(scope="module")
def camera_browser(launch_browser, camera_clip):
    return launch_browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_clip}",
    )


@pytest.fixture
def camera_page(camera_browser, app_url):
    page = camera_browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(app_url)
    page.get_by_role("link", name="Live Camera").click()
    yield page
    page.close()


def reading(page):
    return page.locator(".st-key-live_reading .reading")


def camera(page):
    return page.frame_locator('iframe[title^="streamlit_webrtc"]')


def start(page):
    camera(page).get_by_role("button", name="Start camera").click()
    expect(camera(page).locator("video")).to_be_visible()


def expect_frames(page):
    """The video goes on: the browser shows later and later frames."""
    video = camera(page).locator("video")
    before = video.evaluate("v => v.currentTime")
    page.wait_for_timeout(500)
    expect.soft(video).to_be_visible()
    assert video.evaluate("v => v.currentTime") > before


def snapshot(page):
    """Takes a snapshot and downloads its readings."""
    page.get_by_role("button", name="Take a snapshot").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Readings (JSON)").click()
    return json.loads(download.value.path().read_text("utf-8"))


def test_the_demo_is_read_at_once_without_any_permission(open_page):
    page = open_page("live_camera")
    texts = "|".join(" ".join(text.replace(" ", "")) for text in PAGES)
    expect(reading(page)).to_have_text(re.compile(f"^({texts})$"))
    expect(page.get_by_alt_text("the video with what is read on it")).to_be_visible()
    expect(page.locator(".st-key-live_status")).to_contain_text("0 errors")


def test_the_camera_is_read_and_its_controls_act_while_it_runs(camera_page):
    page = camera_page
    start(page)
    expect(reading(page)).to_have_text(TEXT)
    page.get_by_text("How it reads").first.click()
    slider = page.locator(".st-key-live_confidence").get_by_role("slider")
    slider.focus()
    slider.press("End")  # 100 %: nothing is ever so sure
    expect(reading(page)).to_have_text("–")
    slider.press("Home")
    expect(reading(page)).to_have_text(TEXT)
    for stage in ("Threshold", "Boxes", "Glyphs", "Camera"):
        page.locator(".st-key-live_stage").get_by_text(stage).click()
        expect(reading(page)).to_have_text(TEXT)
        expect_frames(page)
    page.locator(".st-key-live_freeze label").click()
    expect(page.locator(".st-key-live_status")).to_contain_text(re.compile(r"[1-9]\d*\.\d s age"))
    assert snapshot(page)["text"] == TEXT.replace(" ", "")
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (PNG)").click()
    assert cv2.imread(str(download.value.path())).shape[2] == 3
    page.locator(".st-key-live_freeze label").click()
    expect(page.locator(".st-key-live_status")).to_contain_text(re.compile(r"errors0\.\d s age"))


def test_another_network_takes_over_while_the_camera_runs(camera_page):
    page = camera_page
    start(page)
    expect(reading(page)).to_have_text(TEXT)
    picker = page.locator(".st-key-network_picker").get_by_role("combobox")
    picker.click()
    page.get_by_role("option", name=re.compile("^report")).click()
    expect(picker).to_have_value(re.compile("^report"))
    expect_frames(page)
    network = ""
    for _ in range(10):  # frames that are still on their way were read by the network before, and say so
        page.wait_for_timeout(1000)
        with suppress(Error):  # a download whose button a newer snapshot has taken is cancelled
            network = snapshot(page)["settings"]["network"]
        if network == "report":
            break
    assert network == "report"


def test_leaving_the_page_and_coming_back(camera_page):
    page = camera_page
    for _ in range(2):
        start(page)
        expect(reading(page)).to_have_text(TEXT)
        page.get_by_role("link", name="Draw").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Draw")
        page.get_by_role("link", name="Live Camera").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Live Camera")


def test_a_stopped_camera_gives_way_to_the_demo(camera_page):
    page = camera_page
    start(page)
    expect(reading(page)).to_have_text(TEXT)
    camera(page).get_by_role("button", name="Stop camera").click()
    expect(page.get_by_alt_text("the video with what is read on it")).to_be_visible()


def test_a_refused_camera_is_said_plainly_and_the_demo_goes_on(launch_browser, app_url):
    browser = launch_browser("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    page = browser.new_page()
    page.goto(f"{app_url}/live_camera")
    camera(page).get_by_role("button", name="Start camera").click()
    expect(camera(page).get_by_text("refused").or_(camera(page).get_by_text("NotAllowedError"))).to_be_visible()
    expect(page.locator(".st-key-live_reading .reading.nothing")).to_have_count(0)
    page.close()


def test_a_video_file_is_read(open_page, tmp_path):
    file = tmp_path / "page.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 480, "yuv420p", 4_000_000
        for index in range(3 * FPS):
            frame = av.VideoFrame.from_ndarray(SCENE.frame(START_S + index / FPS), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    page = open_page("live_camera")
    page.locator(".st-key-live_source").get_by_text("Video").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(reading(page)).to_have_text(TEXT)
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    expect(reading(page)).to_have_text(TEXT)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window(open_page, width):
    page = open_page("live_camera", width=width, height=844)
    expect(reading(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

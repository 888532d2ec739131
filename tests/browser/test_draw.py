"""The Draw page as people use it: drawn with the mouse or a finger, pictures handed in, nothing lost on the way."""

import base64
import io
import math
import re

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.running_app import canvas_of, draw, go_to, reading_of, running_app

pytestmark = pytest.mark.browser

SEVEN = [[(0.15, 0.2), (0.30, 0.2), (0.22, 0.8)]]
ONE = [[(0.50, 0.15), (0.49, 0.8)]]
ZERO = [[(0.78 + 0.06 * math.sin(t), 0.5 - 0.33 * math.cos(t)) for t in np.linspace(0, 2 * math.pi, 25)]]


def png_of(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def picture_of_a_seven() -> np.ndarray:
    """A marker's 7 on slightly grey paper, `(240, 320, 3) uint8`."""
    picture = np.full((240, 320, 3), 235, np.uint8)
    corners = np.array([(110, 50), (205, 50), (150, 200)], np.int32)
    cv2.polylines(picture, [corners], False, (30, 30, 60), 13, cv2.LINE_AA)
    return picture


def upload(page, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    )


def test_a_drawn_digit_is_read(open_page):
    page = open_page()
    expect(reading_of(page)).to_have_text("–")
    draw(page, SEVEN)
    expect(reading_of(page)).to_have_text("7")
    expect(page.get_by_text("How likely each class is")).to_be_visible()
    expect(page.get_by_alt_text("the glyph")).to_be_visible()


def test_several_digits_are_a_number_and_strokes_can_be_taken_back(open_page):
    page = open_page()
    draw(page, SEVEN + ONE)
    expect(reading_of(page)).to_have_text("71")
    draw(page, ZERO)
    expect(reading_of(page)).to_have_text("710")
    page.locator(".st-key-draw_undo button").click()
    expect(reading_of(page)).to_have_text("71")
    page.locator(".st-key-draw_clear button").click()
    expect(reading_of(page)).to_have_text("–")
    draw(page, ZERO)
    expect(reading_of(page)).to_have_text("0")


def test_a_drawing_outlives_a_visit_to_another_page(open_page):
    page = open_page()
    draw(page, SEVEN + ONE)
    expect(reading_of(page)).to_have_text("71")
    go_to(page, "Live Camera")
    go_to(page, "Draw")
    expect(reading_of(page)).to_have_text("71")
    page.locator(".st-key-draw_undo button").click()
    expect(reading_of(page)).to_have_text("7")


@pytest.mark.parametrize("width", [1280, 700, 390])
def test_a_stroke_may_begin_in_the_upper_right_corner(open_page, width):
    page = open_page(width=width)
    canvas_of(page).wait_for()
    box = page.locator(".st-key-draw_canvas").bounding_box()  # what is seen of the canvas
    x, y = box["x"] + 0.96 * box["width"], box["y"] + 0.07 * box["height"]
    page.mouse.move(x, y)  # pressed at once: the toolbar goes away for a pen that waits
    page.mouse.down()
    page.mouse.move(x - 2, box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()
    expect(reading_of(page)).to_have_text("1")


def test_a_finger_draws_too(open_page):
    page = open_page(width=390, height=844, has_touch=True, is_mobile=True)
    canvas = canvas_of(page)
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    touch = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + y * box["height"]} for y in np.linspace(0.15, 0.85)]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for point in points[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(reading_of(page)).to_have_text("1")


def test_a_picture_is_read_and_the_canvas_takes_over_again(open_page):
    page = open_page()
    upload(page, ("seven.png", png_of(picture_of_a_seven())))
    expect(reading_of(page)).to_have_text("7")
    draw(page, ONE)
    expect(reading_of(page)).to_have_text("1")


def test_a_picture_is_pasted(open_page):
    page = open_page()
    expect(canvas_of(page)).to_be_visible()
    page.wait_for_function("() => document.querySelector('.st-key-draw_paste')")
    paste = """content => {
        const clipboard = new DataTransfer();
        const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
        clipboard.items.add(new File([bytes], "image.png", { type: "image/png" }));
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true }));
    }"""
    page.evaluate(paste, base64.b64encode(png_of(picture_of_a_seven())).decode())
    expect(reading_of(page)).to_have_text("7")


def test_what_cannot_be_read_gets_one_sentence_and_the_others_are_read(open_page):
    page = open_page()
    upload(page, ("notes.png", b"these are words"), ("seven.png", png_of(picture_of_a_seven())))
    expect(reading_of(page)).to_have_text("7")
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text("notes.png")


def test_an_empty_picture_is_said_to_be_empty(open_page):
    page = open_page()
    upload(page, ("white.png", png_of(np.full((200, 300, 3), 255, np.uint8))))
    expect(page.get_by_text("no symbols were found")).to_be_visible()
    expect(reading_of(page)).to_have_text("–")


def test_a_sample_shows_every_step(open_page):
    page = open_page()
    page.get_by_role("button", name="A number", exact=True).click()
    expect(reading_of(page)).to_have_text("2026")
    page.get_by_text("How it got there").click()
    for step in ("Grey", "Contrast", "Threshold", "Boxes"):
        expect(page.get_by_text(f"{step}:")).to_be_visible()


def test_the_other_network_reads_too(open_page):
    page = open_page()
    draw(page, SEVEN)
    picker = page.locator(".st-key-network_picker").get_by_role("combobox")
    picker.click()
    page.get_by_role("option", name="report").click()
    expect(picker).to_have_value(re.compile("report"))
    expect(reading_of(page)).to_have_text("7")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_page, scheme):
    page = open_page(width=390, height=844, color_scheme=scheme)
    draw(page, SEVEN + ONE)
    expect(reading_of(page)).to_have_text("71")
    overflow = "s => { const e = document.querySelector(s); return e.scrollWidth - e.clientWidth; }"
    assert page.evaluate(overflow, "html") == 0
    assert page.evaluate(overflow, "[data-testid=stMain]") == 0
    box = canvas_of(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    brightness = sum(int(v) for v in background.removeprefix("rgb(").removesuffix(")").split(","))
    assert (brightness > 3 * 128) == (scheme == "light")


def test_an_address_opens_its_page_within_the_frame_on_a_fresh_server(browser, tmp_path):
    with running_app(tmp_path) as url:
        page = browser.new_page()
        page.goto(f"{url}/live_camera")
        expect(page.get_by_role("heading", level=1)).to_have_text("Live Camera")
        expect(page.get_by_role("link", name="Draw")).to_be_visible()
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
        page.close()


def test_no_page_change_is_undone_by_the_timers_of_the_page_that_is_left(open_page):
    page = open_page()
    for _ in range(8):
        go_to(page, "Live Camera")
        expect(page.get_by_alt_text("the video with what is read on it")).to_be_visible()  # its timers run
        go_to(page, "Draw")
        expect(reading_of(page)).to_be_visible()
        page.wait_for_timeout(700)  # long enough for a late timer to go back
        expect(page.get_by_role("heading", level=1)).to_have_text("Draw")

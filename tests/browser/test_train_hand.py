"""Your own hand as people write it: with the mouse or a finger, from the very first stroke; and files taken away."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running_app import Stroke

pytestmark = pytest.mark.browser

HIDDEN = 24 / (24 + 144)  # of a canvas's height, over its sheet
ONE = [[(0.5, 0.05), (0.48, 0.95)]]
SEVEN = [[(0.2, 0.1), (0.8, 0.1), (0.45, 0.9)]]


@pytest.fixture
def open_hand(open_page):
    def open_(**context: object) -> Page:
        page = open_page("train", **context)
        page.get_by_role("radio", name="Your hand").first.click()
        expect(canvas(page, 9)).to_be_visible()
        return page

    return open_


def canvas(page: Page, digit: int):
    return page.locator(f".st-key-hand_sheet_{digit} canvas").last


def on_sheet(page: Page, digit: int, strokes: Sequence[Stroke]) -> list[list[tuple[float, float]]]:
    """Shares of the sheet → where that is on the screen."""
    canvas(page, digit).scroll_into_view_if_needed()
    box = canvas(page, digit).bounding_box()
    top, height = box["y"] + HIDDEN * box["height"], (1 - HIDDEN) * box["height"]
    return [[(box["x"] + x * box["width"], top + y * height) for x, y in stroke] for stroke in strokes]


def write(page: Page, digit: int, strokes: Sequence[Stroke]) -> None:
    for first, *others in on_sheet(page, digit, strokes):
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point, steps=5)
        page.mouse.up()


def keep_button(page: Page):
    return page.locator(".st-key-hand_keep button:visible")


def shown(page: Page):
    return page.locator(".hand-card figcaption b")


def test_digits_are_written_kept_removed_and_brought_back(open_hand):
    page = open_hand()
    write(page, 1, ONE)
    expect(keep_button(page)).to_be_enabled()
    write(page, 7, SEVEN)
    expect(keep_button(page)).to_contain_text("Keep 2 digits")
    write(page, 4, ONE)
    expect(keep_button(page)).to_contain_text("Keep 3 digits")
    page.locator(".st-key-hand_empty_4 button:visible").click()
    expect(keep_button(page)).to_contain_text("Keep 2 digits")
    keep_button(page).click()
    expect(shown(page)).to_have_text(["✓ 1", "✓ 7"])
    expect(page.locator(".hand-score")).to_contain_text("2 of 2")
    expect(keep_button(page)).to_be_disabled()
    page.get_by_role("button", name="Remove", exact=True).first.click()
    expect(shown(page)).to_have_text(["✓ 7"])
    page.get_by_role("button", name="Undo: bring back the 1").click()
    expect(shown(page)).to_have_text(["✓ 1", "✓ 7"])
    page.get_by_role("button", name="Remove all").click()
    expect(shown(page)).to_have_count(0)


def test_the_first_touch_of_a_finger_writes_at_the_upper_edge_too(open_hand):
    page = open_hand(width=390, height=844, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)
    (first, last), *_ = on_sheet(page, 1, ONE)
    points = [{"x": first[0], "y": first[1] + i * (last[1] - first[1]) / 20} for i in range(21)]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for point in points[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(keep_button(page)).to_be_enabled()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
    box = canvas(page, 1).bounding_box()
    assert box["x"] + box["width"] <= 390


def test_what_was_written_outlives_a_look_at_another_section(open_hand):
    page = open_hand()
    write(page, 7, SEVEN)
    expect(keep_button(page)).to_be_enabled()
    page.get_by_role("radio", name="Network").first.click()
    expect(canvas(page, 7)).to_have_count(0)
    page.get_by_role("radio", name="Your hand").first.click()
    expect(keep_button(page)).to_be_enabled()
    write(page, 1, ONE)
    expect(keep_button(page)).to_contain_text("Keep 2 digits")


def test_a_network_is_downloaded_and_imported_again(open_page, tmp_path):
    page = open_page("train")
    page.get_by_role("radio", name="Keep and share").first.click()
    page.locator(".st-key-keep_make_zip button:visible").click()
    with page.expect_download() as download:
        page.locator(".st-key-keep_download_zip button:visible").click()
    assert download.value.suggested_filename == "digits.zip"
    download.value.save_as(tmp_path / "digits.zip")
    page.locator('[class*="st-key-keep_import_"] input[type=file]').set_input_files(tmp_path / "digits.zip")
    expect(page.get_by_text("digits.zip is kept as digits-2, and in use now.")).to_be_visible()
    expect(page.locator(".st-key-network_picker").get_by_role("combobox")).to_have_value("digits-2 · 99.71%")
    page.locator(".st-key-keep_delete button:visible").click()
    expect(page.get_by_text("digits-2 is deleted")).to_be_visible()

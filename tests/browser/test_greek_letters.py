"""Greek Transfer's letters in a real browser: drawn with the mouse and added one after another; tapped and removed."""

import pytest
from playwright.sync_api import expect

from tests.browser.running_app import draw

pytestmark = pytest.mark.browser

CROSS = [[(0.4, 0.3), (0.6, 0.7)], [(0.6, 0.3), (0.4, 0.7)]]
TWO = [[(0.2, 0.3), (0.2, 0.7)], [(0.6, 0.3), (0.8, 0.3), (0.8, 0.7), (0.6, 0.7), (0.6, 0.3)]]


def test_letters_are_drawn_one_after_another_then_tapped_and_removed(open_page):
    page = open_page("greek_transfer", width=390, height=844)
    tiles = page.locator(".tile")
    expect(page.get_by_text("9 pictures", exact=False).first).to_be_visible()
    expect(tiles).to_have_count(27)
    page.locator(".st-key-letters_way").get_by_role("radio", name="Draw").click()
    field = page.get_by_role("textbox", name="This is a")
    field.fill("ring 😀/x")
    field.press("Enter")
    draw(page, CROSS)
    page.get_by_role("button", name="Add as ring 😀/x").click()
    expect(tiles).to_have_count(28)
    expect(page.get_by_text("ring 😀/x: 1 picture so far; 8 more make nine.")).to_be_visible()
    expect(page.get_by_text("Draw the letter and add it", exact=False)).to_be_visible()  # the sheet is cleared
    draw(page, TWO)
    page.get_by_role("button", name="Add 2 of 2").click()
    expect(tiles).to_have_count(30)
    tiles.nth(29).click()
    page.get_by_role("button", name="Remove 1 picture").click()
    expect(tiles).to_have_count(29)
    page.locator(".st-key-letters_undo button:visible").click()  # with its help it stands there for phones as well
    expect(tiles).to_have_count(30)
    overflow = (
        "() => { const e = document.querySelector('[data-testid=stMain]'); return e.scrollWidth - e.clientWidth; }"
    )
    assert page.evaluate(overflow) == 0

"""Greek Transfer in a real browser: one click teaches, measures and keeps; the network reads on all pages."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_one_click_teaches_the_example_and_the_network_is_used(open_page):
    page = open_page("greek_transfer")
    page.get_by_role("radio", name="Teach").click()
    page.locator(".st-key-transfer_start button").click()
    result = page.locator(".st-key-transfer_result")
    expect(result.get_by_text("in cross-validation", exact=False).first).to_be_visible()
    expect(result.get_by_text("95 % interval", exact=False).first).to_be_visible()
    expect(result.locator(".letter-cards figure")).to_have_count(27)
    page.get_by_role("button", name="Keep as a network").click()
    page.get_by_role("button", name="Use it now").click()
    picker = page.locator(".st-key-network_picker").get_by_role("combobox")
    expect(picker).not_to_have_value("")
    expect(result.get_by_text("in use on all pages", exact=False)).to_be_visible()

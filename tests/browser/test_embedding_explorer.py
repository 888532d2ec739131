"""Embedding Explorer's map in a real browser: it appears, pointing shows a glyph, a lasso chooses, a click joins."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LINK = "embedding_explorer?network=report&sets=data:digits-8x8:test&samples=200"
PLOT = ".st-key-embedding_map .js-plotly-plot .nsewdrag"


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Of the map, as shares of its width and height."""
    plot = page.locator(PLOT)
    plot.wait_for()
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_lasso_round_samples_shows_them_and_a_click_its_true_neighbours(open_page):
    page = open_page(LINK)
    expect(page.get_by_text("Draw round some to choose them")).to_be_visible()
    page.mouse.move(*place(page, 0.02, 0.02))
    page.mouse.down()
    for corner in ((0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.03)):
        page.mouse.move(*place(page, *corner), steps=6)
    page.mouse.up()
    expect(page.get_by_text("200 samples chosen")).to_be_visible()
    expect(page.locator(".st-key-embedding_chosen_grid img")).to_have_count(40)

    page.locator(".st-key-embedding_none button").click()
    expect(page.get_by_text("200 samples chosen")).to_have_count(0)
    page.evaluate(
        """selector => {
          const plot = document.querySelector(selector).closest(".js-plotly-plot");
          plot.emit("plotly_click", { points: [{ curveNumber: 0, pointNumber: 0 }] });
        }""",
        PLOT,
    )
    expect(page.get_by_text("1 sample chosen")).to_be_visible()
    expect(page.locator(".embedding-clicked")).to_be_visible()
    expect(page.get_by_text("The 10 nearest in the space")).to_be_visible()
    page.locator(".st-key-embedding_work button").click()
    expect(page.get_by_role("radio", name="Chosen samples")).to_be_checked()

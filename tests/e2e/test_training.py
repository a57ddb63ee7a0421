"""Training in a real browser: data in, Start, the browser goes away, the run goes on, its detector is put into use.

The trainer is the real one with the smallest network that there is: what is tested is the way, not the figures.
"""

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.support import PATIENCE_MS, at_rest, download, enter, new_page, ran

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
SMALLEST = {
    "Input size in pixels": 71,
    "Blocks of Xception": 2,
    "Epochs of the head": 1,
    "Epochs of the whole": 2,
    "Pictures an epoch": 32,
    "Pictures a batch": 8,
    "Validation pictures": 8,
}


def fill_in(page: "Page") -> None:
    """The smallest training there is, from scratch, through the folded-away settings."""
    at_rest(page)
    page.get_by_text("All settings").click()
    for label, value in SMALLEST.items():
        enter(page.get_by_role("spinbutton", name=label), value)
    page.get_by_role("combobox", name="Start from").click()
    with ran(page):
        page.get_by_role("option", name="Nothing: from scratch").click()
    enter(page.get_by_label("Name", exact=True), "Tiny")


def test_train_leave_come_back_and_use_it(browser: "Browser", url: str) -> None:
    from playwright.sync_api import expect

    page = new_page(browser)
    page.goto(f"{url}/training")
    page.get_by_role("button", name="Use the sample set").click()
    page.get_by_text("As the network will see them").wait_for()
    page.get_by_text("Self-blended").first.wait_for()
    fill_in(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile(r"run=\d{8}-"))
    address = page.url
    page.context.close()  # the lid of the laptop

    page = new_page(browser)
    page.goto(address)
    page.get_by_role("button", name="Use this detector").wait_for(timeout=2 * PATIENCE_MS)  # by itself: nobody reloads
    page.get_by_text("Validation AUC").wait_for()
    page.get_by_text("Measured on test pictures").wait_for()
    page.locator(".js-plotly-plot").nth(3).wait_for()  # AUC, loss, learning rate, confusion

    with ran(page):
        page.get_by_role("button", name="Use this detector").click()
    picker = page.get_by_test_id("stSidebar").get_by_role("combobox")
    expect(picker).to_have_value("Tiny")
    with ran(page):
        page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Use this detector").wait_for()
    expect(picker).to_have_value("default")
    assert download(page, "Download").startswith(b"PK")

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("How thoroughly").wait_for()  # no run is left: the form stands there
    page.context.close()

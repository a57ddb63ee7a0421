"""One app and one browser for all tests of this folder; where there is no Chromium, these are skipped with the reason.

For the folder, not for the session: while Playwright lives, no other test could start an event loop.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.e2e import support

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if support.CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    sync_api.expect.set_options(timeout=support.PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=support.CHROMIUM, args=support.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def url(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, with its own history, runs and tiny detector. Without a browser it never starts."""
    folder = tmp_path_factory.mktemp("e2e")
    support.write_detector(folder / "models" / "default")
    with support.running_app(folder) as url:
        yield url


@pytest.fixture
def page(browser: "Browser", url: str) -> Iterator["Page"]:
    page = support.new_page(browser)
    yield page
    page.context.close()

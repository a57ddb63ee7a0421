"""Nothing leaves the machine: no page makes the browser ask anybody else, not even for an icon."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.e2e.support import at_rest, new_page, running_app, write_detector

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def pages_of_the_menu(page: "Page") -> list[str]:
    """The addresses in the navigation, so that a page that is added is looked at as well."""
    links = page.get_by_test_id("stSidebarNavLink")
    links.first.wait_for()
    at_rest(page)
    return [str(link.get_attribute("href")) for link in links.all()]


def hosts_of(asked: set[str]) -> set[str | None]:
    return {urlsplit(one).hostname for one in asked if one.startswith(("http", "ws"))}


def test_no_page_asks_another_host(page: "Page", url: str) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.on("websocket", lambda socket: asked.add(socket.url))
    page.goto(url)
    addresses = pages_of_the_menu(page)
    assert len(addresses) >= 6
    for address in addresses:
        page.goto(address)
        page.get_by_role("heading").first.wait_for()
        at_rest(page)
        page.wait_for_load_state("networkidle")
    assert hosts_of(asked) == {urlsplit(url).hostname}, asked
    assert any(one.startswith("ws") for one in asked)
    assert any("/media/" in one for one in asked)  # the page's own icon was asked for, so icons are seen here at all


def test_the_very_first_visitor_asks_no_other_host_either(browser: "Browser", tmp_path: "Path") -> None:
    """By the address of a page, to an app that nobody has opened: for once the page runs before the router."""
    write_detector(tmp_path / "models" / "default")
    asked: set[str] = set()
    with running_app(tmp_path) as url:
        page = new_page(browser)
        page.on("request", lambda request: asked.add(request.url))
        page.goto(f"{url}/detector")
        pages_of_the_menu(page)
        page.wait_for_load_state("networkidle")
        page.context.close()
    assert hosts_of(asked) == {urlsplit(url).hostname}, asked

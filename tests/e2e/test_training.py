"""Training in a real browser: data in, Start, the browser goes away, the run goes on, its detector is put into use.

The trainer is the real one with the smallest network that there is: what is tested is the way, not the figures.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_app import CHROMIUM, FLAGS, PATIENCE_MS, ROOT, free_port, wait_until_up, write_detector

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
    pytest.mark.timeout(900),
]
SMALLEST = {
    "Input size in pixels": 71,
    "Blocks of Xception": 2,
    "Epochs of the head": 1,
    "Epochs of the whole": 2,
    "Pictures an epoch": 32,
    "Pictures a batch": 8,
    "Validation pictures": 8,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a port of its own, with runs, data sets and detectors of its own."""
    folder = tmp_path_factory.mktemp("e2e-training")
    write_detector(folder / "models" / "default")
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    folders = {"DEEPFAKE_HOME": "home", "DEEPFAKE_MODELS": "models", "DEEPFAKE_RUNS": "runs"}
    environment = {**os.environ, **{name: str(folder / part) for name, part in folders.items()}}
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}/training"
        finally:
            server.terminate()
            server.wait(20)
            for text in (folder / "log.txt", *(folder / "runs").glob("*/train.log")):  # shown where a test failed
                print(f"{text}:\n{text.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: "sync_api.Browser") -> "sync_api.Page":
    """A browser as somebody else has it: no session, no cookie."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def settle(page: "sync_api.Page") -> None:
    """Wait until the page has run to its end."""
    page.wait_for_timeout(300)
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")


def fill_in(page: "sync_api.Page") -> None:
    """The smallest training there is, from scratch, through the folded-away settings."""
    page.get_by_text("All settings").click()
    for label, value in SMALLEST.items():
        field = page.get_by_role("spinbutton", name=label)
        field.fill(str(value))
        field.press("Enter")
        settle(page)
    page.get_by_role("combobox", name="Start from").click()
    page.get_by_role("option", name="Nothing: from scratch").click()
    name = page.get_by_label("Name", exact=True)
    name.fill("Tiny")
    name.press("Enter")
    settle(page)


def test_train_leave_come_back_and_use_it(browser: "sync_api.Browser", url: str) -> None:
    page = new_page(browser)
    page.goto(url)
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
    assert page.locator(".js-plotly-plot").count() >= 4

    page.get_by_role("button", name="Use this detector").click()
    page.get_by_role("button", name="Undo").wait_for()
    picker = page.get_by_test_id("stSidebar").get_by_role("combobox")
    sync_api.expect(picker).to_have_value("Tiny")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Use this detector").wait_for()
    sync_api.expect(picker).to_have_value("default")
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("How thoroughly").wait_for()  # no run is left: the form stands there
    page.context.close()

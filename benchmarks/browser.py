"""The app in a headless Chromium, timed as a user would feel it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
WAIT_MS = 180_000


def seconds_to_first_verdict() -> float:
    """From starting the server to the first verdict on the sample picture, as `make app` starts it."""
    started = time.perf_counter()
    with _app() as (page, url):
        _open(page, url)
        page.get_by_test_id("stButton").filter(has_text="Untouched portrait").click(timeout=WAIT_MS)
        page.get_by_text("Fake probability").first.wait_for(timeout=WAIT_MS)
        return time.perf_counter() - started


def seconds_of_a_clip(clip: Path) -> float:
    """From dropping a clip to its strongest frames, every frame looked at, in an app that was used before."""
    with _app() as (page, url):
        _open(page, f"{url}/video")
        page.get_by_role("button", name="Try the sample").click(timeout=WAIT_MS)
        page.get_by_text("Strongest frames").wait_for(timeout=WAIT_MS)
        page.get_by_role("button", name="Start over").click()
        page.get_by_role("button", name="Try the sample").wait_for(timeout=WAIT_MS)
        page.get_by_text("Every frame", exact=True).first.click()
        page.wait_for_timeout(3000)  # until the page has run anew
        started = time.perf_counter()
        page.locator("input[type=file]").set_input_files(clip)
        page.get_by_text("Strongest frames").wait_for(timeout=WAIT_MS)
        return time.perf_counter() - started


@contextmanager
def _app() -> Iterator[tuple[Page, str]]:
    """A page in a headless browser and the address of an app that was just started, its folder empty."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("No Chromium was found: install Debian's package chromium.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", f"--server.port={port}"]
    options = ["--server.headless=true", "--server.address=127.0.0.1"]
    home = tempfile.TemporaryDirectory()  # nothing prepared: samples are drawn and the network is compiled, as at first
    environment = {**os.environ, "DEEPFAKE_HOME": home.name}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([*command, *options], stdout=quiet, stderr=quiet, env=environment)
    try:
        with home, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            yield browser.new_page(), f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _open(page: Page, url: str) -> None:
    for _ in range(300):
        try:
            page.goto(url)
        except Exception as error:  # Playwright gives all its errors one class
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            time.sleep(0.1)
        else:
            return

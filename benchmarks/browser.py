"""The app in a headless Chromium, timed as a user would feel it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
WAIT_MS = 120_000


def seconds_to_first_verdict() -> float:
    """From starting the server to the first verdict on the sample picture, as `make app` starts it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("No Chromium was found: install Debian's package chromium.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", f"--server.port={port}"]
    started = time.perf_counter()
    options = ["--server.headless=true", "--server.address=127.0.0.1"]
    home = tempfile.TemporaryDirectory()  # nothing prepared: samples are drawn and the network is compiled, as at first
    environment = {**os.environ, "DEEPFAKE_HOME": home.name}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([*command, *options], stdout=quiet, stderr=quiet, env=environment)
    try:
        with home, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page()
            _open(page, f"http://127.0.0.1:{port}")
            page.get_by_test_id("stButton").filter(has_text="Untouched portrait").click(timeout=WAIT_MS)
            page.get_by_text("Fake probability").first.wait_for(timeout=WAIT_MS)
            return time.perf_counter() - started
    finally:
        server.terminate()
        server.wait()


def _open(page: object, url: str) -> None:
    for _ in range(300):
        try:
            page.goto(url)  # type: ignore[attr-defined]
        except Exception as error:  # Playwright gives all its errors one class
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            time.sleep(0.1)
        else:
            return

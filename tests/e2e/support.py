"""What the browser tests share: the app as a process of its own, and ways to act on a page that wait for what follows.

A page draws itself bit by bit and, while something goes on, again and again. So nothing here is looked at once: an
assertion on a page goes through `expect`, which looks until it holds, and an action through `ran` or `at_rest`.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, WebSocket

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = ["--no-sandbox", "--headless", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PATIENCE_MS = 180_000
"""Far above what anything takes: a busy machine is slow, and not wrong."""
AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"

_sockets: "WeakKeyDictionary[Page, WebSocket]" = WeakKeyDictionary()


def write_detector(folder: Path) -> None:
    """A network of one convolution, 32 px; every gate open, so that each face gets a number."""
    import keras

    from core.detector import DetectorSpec, QualityGates, save_artifact

    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, activation="relu", name="features")(pixels)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, activation="sigmoid", name="predictions")(x))
    gates = QualityGates(0, 0, 1, 0, 256)
    save_artifact(folder, model, DetectorSpec(name="default", input_size=32, gates=gates, licence="For tests only"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(url: str, server: "subprocess.Popen[bytes]", seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the app ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the app did not answer within {seconds:g} s")


@contextmanager
def running_app(folder: Path) -> Iterator[str]:
    """The app on a port of its own; its history, detectors and runs lie in `folder`, and so does its log."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    folders = {"DEEPFAKE_HOME": "home", "DEEPFAKE_MODELS": "models", "DEEPFAKE_RUNS": "runs"}
    environment = {**os.environ, **{name: str(folder / part) for name, part in folders.items()}}
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)
            for text in (folder / "log.txt", *(folder / "runs").glob("*/train.log")):  # shown where a test failed
                print(f"{text}:\n{text.read_text(errors='replace')[-4000:]}")


def new_page(browser: "Browser") -> "Page":
    """A browser as somebody else has it: no session, no cookie. Close it by its context."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("websocket", lambda opened: _sockets.__setitem__(page, opened))
    return page


def at_rest(page: "Page") -> None:
    """Wait until the page's script has run to its end and the browser knows it."""
    page.locator(AT_REST).wait_for()


@contextmanager
def ran(page: "Page") -> Iterator[None]:
    """For an action that makes the page's script run: go on once a whole run has ended after it.

    Told by the server's own message. Between an action and the moment when the page shows that its script runs there
    is a gap, in which "nothing is running" would mean "it has not begun".
    """
    at_rest(page)
    with _sockets[page].expect_event("framereceived", _tells_of_an_end, timeout=PATIENCE_MS):
        yield
    at_rest(page)


def _tells_of_an_end(frame: str | bytes) -> bool:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = ForwardMsg()
    message.ParseFromString(frame if isinstance(frame, bytes) else b"")
    return message.WhichOneof("type") == "script_finished" and message.script_finished == (
        ForwardMsg.FINISHED_SUCCESSFULLY  # not a fragment's, and not one that was broken off for the next
    )


def enter(field: "Locator", value: object) -> None:
    """Type a value into a field and have the page take it."""
    if field.input_value() != str(value):
        with ran(field.page):
            field.fill(str(value))
            field.press("Enter")


def download(page: "Page", label: str) -> bytes:
    """What the download button with this label gives."""
    at_rest(page)
    with page.expect_download() as found:
        page.get_by_test_id("stDownloadButton").filter(has_text=label).get_by_role("button").click()
    return Path(found.value.path()).read_bytes()


def download_json(page: "Page") -> dict[str, Any]:
    """The record behind the page's JSON button."""
    return dict(json.loads(download(page, "JSON")))

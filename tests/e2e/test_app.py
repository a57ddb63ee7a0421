"""The whole app in a real browser: a picture and a clip go in, a verdict, a timeline and a JSON come out.

The detector is a tiny network with random weights: what is tested is the way, not the verdict.
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
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = ["--no-sandbox", "--headless", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PATIENCE_MS = 180_000

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
    pytest.mark.timeout(600),
]


def write_detector(folder: Path) -> None:
    """A network of one convolution, 32 px; every gate open, so that each face gets a number."""
    import keras

    from core.detector import DetectorSpec, QualityGates, save_artifact

    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, activation="relu", name="features")(pixels)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, activation="sigmoid", name="predictions")(x))
    gates = QualityGates(0, 0, 1, 0)
    save_artifact(folder, model, DetectorSpec(name="default", input_size=32, gates=gates, licence="For tests only"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(url: str, server: "subprocess.Popen[bytes]", seconds: float = 90) -> None:
    for _ in range(int(seconds / 0.5)):
        assert server.poll() is None, "the app ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"the app did not answer within {seconds:g} s")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a port of its own, with a history and a detector of its own."""
    folder = tmp_path_factory.mktemp("e2e")
    write_detector(folder / "models" / "default")
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
    environment = {**os.environ, "DEEPFAKE_HOME": str(folder / "home"), "DEEPFAKE_MODELS": str(folder / "models")}
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until_up(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)
            print((folder / "log.txt").read_text(errors="replace")[-4000:])  # shown where a test failed


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "sync_api.Browser", url: str) -> Iterator["sync_api.Page"]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def verdict_stands(page: "sync_api.Page") -> None:
    page.get_by_test_id("stMetric").first.wait_for()
    assert "%" in page.get_by_test_id("stMetricValue").first.inner_text()


def download_json(page: "sync_api.Page") -> dict[str, object]:
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").filter(has_text="JSON").get_by_role("button").click()
    return dict(json.loads(Path(download.value.path()).read_text(encoding="utf-8")))


def test_picture(page: "sync_api.Page", url: str) -> None:
    from core.samples import sample_image

    page.goto(url)
    page.locator("input[type=file]").set_input_files(sample_image())
    verdict_stands(page)
    record = download_json(page)
    assert record["kind"] == "image"
    assert record["verdict"] in ("real", "fake", "uncertain")
    assert len(record["faces"]) == 1  # type: ignore[arg-type]


def test_clip_and_its_timeline(page: "sync_api.Page", url: str) -> None:
    from core.samples import sample_video

    page.goto(f"{url}/video")  # by its own address: it must come with the sidebar all the same
    page.get_by_test_id("stSidebar").get_by_text("For tests only").wait_for()
    page.locator("input[type=file]").set_input_files(sample_video().path)
    verdict_stands(page)
    page.get_by_text("Strongest frames").wait_for()

    heading = page.get_by_text("Frame at 0:")
    before = heading.inner_text()
    points = page.locator("[class*=st-key-timeline_] .scatterlayer .trace").first.locator(".point")
    wanted = points.nth(5) if before != "Frame at 0:01.0" else points.nth(20)
    wanted.scroll_into_view_if_needed()
    box = wanted.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "before => ![...document.querySelectorAll('p')].some(p => p.innerText === before)", arg=before
    )
    shown_s = float(heading.inner_text().rsplit(":", 1)[1])
    page.wait_for_function("s => Math.abs(document.querySelector('video').currentTime - s) <= 1", arg=shown_s)

    record = download_json(page)
    assert record["kind"] == "video"
    assert len(record["tracks"]) >= 1  # type: ignore[arg-type]
    assert record["frames"]

    page.get_by_role("button", name="Make a heatmap video").click()
    page.get_by_role("button", name="Save the video").wait_for()
    # The film is the first of two players: as long as the clip, taller by its timeline, and it does play.
    page.wait_for_function("() => { const v = document.querySelector('video'); return v && v.videoHeight > 720; }")
    film = page.locator("video").first
    assert film.evaluate("v => v.error") is None
    assert film.evaluate("v => v.duration") == pytest.approx(10.0, abs=0.1)
    film.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")

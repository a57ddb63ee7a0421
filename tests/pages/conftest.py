"""The app with a detector that knows colours only; its history and its detectors live in folders of the test's own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest, app_test

from core import samples
from core.media import H264Writer
from core.training import queue
from pages.components import resources, training_samples
from tests.pages.support import BLUE, RED, ROOT, ColourDetector, find_by_light, noisy, open_app, png, write_detector
from tests.pages.training_runs import pretend_to_start


class AfterTheFirstRun(PagesManager):
    """A server that has called st.navigation before, which AppTest forgets between two runs of the same test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        PagesManager.uses_pages_directory = False


@pytest.fixture(autouse=True)
def keras_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each run of a page Streamlit resets Keras where that is imported, which takes half a second.

    In the app it never is; here other tests' imports would cost the page tests as long as all that they do.
    """
    monkeypatch.setattr(script_runner, "_clean_problem_modules", lambda: None)


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ColourDetector:
    """The app's only detector, in a models folder of its own; the history lives in a folder of its own, too."""
    spec = write_detector(tmp_path / "models" / "tiny")
    fake = ColourDetector(spec)
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEEPFAKE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(resources, "load_detector", lambda *_, **__: fake)
    monkeypatch.setattr(resources, "finder", lambda: SimpleNamespace(find=find_by_light))
    stills = {name: tmp_path / f"{name}.png" for name in ("original", "manipulated")}
    for path, colour in zip(stills.values(), (BLUE, RED), strict=True):
        path.write_bytes(png(colour))
    monkeypatch.setattr(samples, "sample_images", lambda: stills)
    monkeypatch.setattr(samples, "sample_image", lambda: stills["original"])
    monkeypatch.setattr(app_test, "PagesManager", AfterTheFirstRun)
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    st.cache_data.clear()
    return fake


@pytest.fixture
def app(detector: ColourDetector) -> AppTest:
    """The app at its first page."""
    return open_app()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds of one red face."""
    path = tmp_path / "clip.mp4"
    with H264Writer(path, (160, 160), 10) as writer:
        for number in range(20):
            writer.write(noisy(RED), number / 10)
    return path


@pytest.fixture
def root(detector: ColourDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, in which nothing is ever really started."""
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "launch", pretend_to_start)
    monkeypatch.setattr(training_samples, "A_CLASS", 2)
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def form(root: Path) -> AppTest:
    """The form, which stands there at once where there is no run."""
    return open_app().switch_page("pages/training.py").run()

"""Another run with the settings of one that was: the form holds each of them, and its data if they are still there."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.training import queue, runs
from core.training.config import TrainConfig
from core.training.presets import PRESETS
from pages.components import training_samples
from tests.pages.support import ColourDetector, open_app, run_until
from tests.pages.training_runs import pretend_to_start, write_run

FAILED = "20261120-091400-0000"
UNUSUAL = {
    "name": "Office",
    "init": "none",
    "input_size": 96,
    "minutes": 30.0,
    "epochs": 3,
    "ema": 0.99,
    "class_weights": ("real=1.5",),
    "export": ("h5", "onnx"),
    "batch_norm": "fold",
    "seed": 7,
}


@pytest.fixture
def root(detector: ColourDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of runs, in which nothing is ever really started."""
    monkeypatch.setenv("DEEPFAKE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "launch", pretend_to_start)
    monkeypatch.setattr(training_samples, "A_CLASS", 2)
    return tmp_path / "runs"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for order, label in enumerate(("Real", "Fake")):
        for number in range(12):
            path = tmp_path / "faces" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = np.random.default_rng(100 * order + number).integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(coarse).resize((96, 96)).save(path)
    return tmp_path / "faces"


def again(root: Path, config: TrainConfig) -> AppTest:
    """The form that the button of a failed run with these settings opens."""
    config.save(write_run(root, FAILED, "failed", done=0) / "config.json")
    app = open_app()
    app.query_params["run"] = FAILED
    app.switch_page("pages/training.py").run()
    app.button(key="run_again").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("preset", ["quick", "standard", ""])  # none: from the command line
def test_every_setting_is_taken_over(root: Path, data: Path, preset: str) -> None:
    usual = PRESETS[preset].config() if preset else TrainConfig()
    config = replace(usual, data=(str(data),), **UNUSUAL)
    form = run_until(again(root, config), lambda app: not app.button(key="training_start").disabled)
    form.button(key="training_start").click().run()
    assert not form.exception
    assert len(runs.list_runs()) == 2
    (begun,) = (run.config for run in runs.list_runs() if run.id != FAILED)
    assert begun == replace(config, preset=preset or "standard")


def test_data_that_are_gone_are_asked_for(root: Path, data: Path) -> None:
    config = TrainConfig(data=(str(data),), **UNUSUAL)
    shutil.rmtree(data)
    form = again(root, config)
    assert form.text_input(key="training_name").value == "Office"
    assert form.button(key="training_start").disabled
    assert any("Choose the data first" in one.value for one in form.caption)

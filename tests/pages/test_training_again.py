"""Another run with the settings of one that was: the form holds each of them, and its data if they are still there."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.training import runs
from core.training.config import TrainConfig
from core.training.presets import PRESETS
from tests.pages.support import open_app, run_until
from tests.pages.training_forms import can_start, data_set
from tests.pages.training_runs import write_run

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
def test_every_setting_is_taken_over(root: Path, tmp_path: Path, preset: str) -> None:
    data = data_set(tmp_path / "faces")
    usual = PRESETS[preset].config() if preset else TrainConfig()
    config = replace(usual, data=(str(data),), **UNUSUAL)
    form = run_until(again(root, config), can_start)
    form.button(key="training_start").click().run()
    assert not form.exception
    assert len(runs.list_runs()) == 2
    (begun,) = (run.config for run in runs.list_runs() if run.id != FAILED)
    assert begun == replace(config, preset=preset or "standard")


def test_data_that_are_gone_are_asked_for(root: Path, tmp_path: Path) -> None:
    form = again(root, TrainConfig(data=(str(tmp_path / "gone"),), **UNUSUAL))
    assert form.text_input(key="training_name").value == "Office"
    assert not can_start(form)
    assert any("Choose the data first" in one.value for one in form.caption)

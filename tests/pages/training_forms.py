"""Data for the training form, and what is done with it in tests."""

from pathlib import Path

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.training import runs
from core.training.config import TrainConfig
from tests.pages.support import BLUE, RED, run_until


def picture(path: Path, seed: int, rgb: tuple[int, int, int] = BLUE) -> None:
    """A coarse pattern of its own, so that no two are taken for copies of each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 120, (8, 8, 3)) + np.array(rgb) // 2
    Image.fromarray(coarse.clip(0, 255).astype(np.uint8)).resize((96, 96)).save(path)


def data_set(folder: Path, classes: tuple[str, ...] = ("Real", "Fake"), number: int = 12) -> Path:
    """Pictures in train and val, `number` and half of it for each class."""
    for order, label in enumerate(classes):
        for split, count in (("train", number), ("val", number // 2)):
            for index in range(count):
                colour = RED if order else BLUE
                picture(
                    folder / split / label / f"{index}.png", seed=1000 * order + 10 * index + len(split), rgb=colour
                )
    return folder


def give_path(form: AppTest, path: Path | str) -> AppTest:
    """A path, typed; the form as it stands when the data were looked at."""
    form.text_input(key="training_path_0").set_value(str(path)).run()
    assert not form.exception
    return run_until(form, lambda app: "Looking at the data" not in bars(app))


def bars(app: AppTest) -> str:
    return " ".join(bar.proto.text for bar in app.get("progress"))


def start(form: AppTest) -> TrainConfig:
    """Press Start; the settings of the run that begins."""
    form.button(key="training_start").click().run()
    assert not form.exception
    (run,) = runs.list_runs()
    assert run.id in form.query_params["run"]
    assert run.config is not None
    return run.config


def can_start(form: AppTest) -> bool:
    return not form.button(key="training_start").disabled

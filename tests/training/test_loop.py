"""A whole small run: it learns, writes its folder, and goes on where it was stopped."""

import json

import cv2
import keras
import numpy as np
import pytest

import train
from core.detector.network import attach_head, build_network
from core.errors import TrainingError
from core.training import loop
from core.training.callbacks import WarmupCosine
from core.training.config import TrainConfig


@pytest.fixture
def data(tmp_path):
    """Bright fakes and dark reals that no one takes for faces: `tight` is patched to keep them whole."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 6)):
        for label, level in (("Real", 60), ("Fake", 190)):
            folder = tmp_path / "data" / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                noise = rng.normal(level, 20, (80, 80, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{split}{label}{i}.png"), noise)
    return tmp_path / "data"


@pytest.fixture
def tiny(monkeypatch):
    """A network of two layers in Xception's place, and pictures taken for tight crops."""

    def build(input_size, classes=("real", "fake"), *, imagenet=None, dropout=0.0):
        inputs = keras.Input((input_size, input_size, 3))
        features = keras.layers.Conv2D(4, 3, strides=4, activation="relu", name="block14_sepconv2_act")(inputs)
        return attach_head(inputs, features, classes, dropout=dropout)

    monkeypatch.setattr(loop, "build_network", build)
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)


def settings(data, **changes):
    values = {"init": "none", "input_size": 71, "epochs": 3, "epoch_pictures": 40, "batch_size": 8, "self_blend": 0.0}
    return TrainConfig(**{**values, "data": (str(data),), "learning_rate": 0.02, "precision": "float32", **changes})


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_run_learns_and_leaves_its_folder(data, tiny, tmp_path):
    best = loop.fit(settings(data), tmp_path / "run", tmp_path / "cache", on_progress=lambda *_: None)
    history = lines(tmp_path / "run")
    assert [line["epoch"] for line in history] == [1, 2, 3]
    assert history[-1]["val_auc"] > 0.95
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["learning_rate"] < 0.005  # the cosine has come down
    assert keras.models.load_model(best).output_shape == (None, 1)
    assert not list((tmp_path / "run/checkpoints").glob("*.part*"))


def test_resume_goes_on_from_the_last_epoch(data, tiny, tmp_path):
    run = tmp_path / "run"
    config = settings(data)

    class Stop(Exception):
        pass

    def stop_after_one(log, epoch, logs=None, plain=loop.RunLog.on_epoch_end):
        plain(log, epoch, logs)
        raise Stop

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr(loop.RunLog, "on_epoch_end", stop_after_one)
        loop.fit(config, run, tmp_path / "cache", on_progress=lambda *_: None)
    assert [line["epoch"] for line in lines(run)] == [1]
    loop.fit(config, run, tmp_path / "cache", resume=True, on_progress=lambda *_: None)
    assert [(line["epoch"], line["step"]) for line in lines(run)] == [(1, 5), (2, 10), (3, 15)]
    # and once it has ended, it is not trained any further
    assert loop.fit(config, run, tmp_path / "cache", resume=True, on_progress=lambda *_: None).is_file()
    assert len(lines(run)) == 3


def test_nothing_to_resume_from(data, tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint"):
        loop.fit(settings(data), tmp_path / "run", tmp_path / "cache", resume=True, on_progress=lambda *_: None)


def test_a_missing_start_is_named(data, tmp_path, monkeypatch):
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)
    with pytest.raises(TrainingError, match="no weights at nowhere"):
        loop.fit(settings(data, init="nowhere.h5"), tmp_path / "r", tmp_path / "c", on_progress=lambda *_: None)


def test_the_learning_rate_rises_and_falls():
    config = TrainConfig(epochs=10, epoch_pictures=200, batch_size=20, warmup=0.1, learning_rate=1e-3)  # 100 steps
    schedule = WarmupCosine(config)
    schedule.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    schedule.model.compile(optimizer=keras.optimizers.AdamW(1.0), loss="mse")
    rates = []
    for _ in range(100):
        schedule.on_train_batch_begin(0)
        rates.append(float(np.asarray(schedule.model.optimizer.learning_rate)))
        schedule.on_train_batch_end(0)
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == pytest.approx(1e-3, rel=1e-3)
    # half way down the cosine stands half of the peak: (100 - 10) / 2 + 10
    assert rates[55] == pytest.approx(5e-4, rel=0.05)
    assert rates[-1] < 1e-6


def test_a_time_budget_ends_the_training():
    schedule = WarmupCosine(TrainConfig(minutes=1.0), step=3, elapsed_s=61.0)
    schedule.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    schedule.on_train_batch_end(0)
    assert schedule.model.stop_training


@pytest.mark.parametrize("arguments", [[], ["--epochs", "many", "--data", "x"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as stop:
        train.main(arguments)
    assert stop.value.code == 2


def test_unusable_data_is_a_sentence(tmp_path, capsys):
    assert train.main(["--data", str(tmp_path / "nowhere"), "--init", "none"]) == 2
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("size", "classes", "sentence"),
    [
        (32, ("real", "fake"), "at least 71"),
        (160, ("real",), "two or more"),
        (160, ("real", "real"), "different names"),
    ],
)
def test_network_arguments(size, classes, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_network(size, classes)

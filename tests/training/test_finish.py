"""A run's best checkpoint becomes a detector: calibrated on val, measured, described, and loadable by name."""

import json

import cv2
import keras
import numpy as np
import pytest

from core.detector import load_detector
from core.detector.network import attach_head
from core.evaluation import scoring
from core.faces import Face
from core.training import finish as finishing
from core.training.config import TrainConfig


class WholeFinder:
    """Takes every picture for one large face."""

    def find(self, rgb, **_):
        height, width = rgb.shape[:2]
        return [Face((0.0, 0.0, float(width), float(height)), 0.9)]


def brightness_network(size, *_, **__):
    """Calls bright pictures fake: logit = 4 × mean of the preprocessed pixels."""
    inputs = keras.Input((size, size, 3))
    features = keras.layers.Conv2D(2, 8, strides=8, name="block14_sepconv2_act")(inputs)
    network = attach_head(inputs, features, ("real", "fake"))
    network.get_layer("block14_sepconv2_act").set_weights([np.full((8, 8, 3, 2), 1 / 192, np.float32), np.zeros(2)])
    network.get_layer("predictions").set_weights([np.full((2, 1), 2.0, np.float32), np.zeros(1)])
    return network


@pytest.fixture
def run(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for split, count in (("train", 2), ("val", 30), ("test", 12)):
        for label, level in (("Real", 110), ("Fake", 145)):
            folder = tmp_path / "data" / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                shade = np.clip(rng.normal(level, 15), 30, 250)
                noise = rng.normal(shade, 25, (96, 96, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{i}.png"), noise)
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    brightness_network(80).save(run / "checkpoints/best.keras")
    (run / "metrics.jsonl").write_text(json.dumps({"epoch": 1, "val_auc": 0.9, "elapsed_s": 60}) + "\n")
    monkeypatch.setattr(finishing, "build_network", brightness_network)
    monkeypatch.setattr(scoring, "default_finder", WholeFinder)
    return run


def test_finish(run, tmp_path):
    config = TrainConfig(data=(str(tmp_path / "data"),), name="bright", input_size=80, licence="CC0")
    folder = finishing.finish(run, config, on_progress=lambda *_: None)
    detector = load_detector(folder)
    spec = detector.spec
    assert (spec.name, spec.input_size, spec.licence) == ("bright", 80, "CC0")
    # 35 levels apart at a spread of 15: AUC Φ(35 / 15√2) = .95
    assert 0.85 < spec.metrics["test"]["all"]["auc"] <= 1.0
    assert spec.metrics["test"]["data"]["real"] == 12
    # chosen on val: at most 5 % of its reals are called fake, and of its fakes real
    assert spec.metrics["val"]["all"]["real_called_fake"] <= 0.05
    assert spec.metrics["val"]["all"]["fake_called_real"] <= 0.05
    assert spec.calibration.slope != 1.0
    assert str(tmp_path) not in (folder / "model.json").read_text()  # nothing of the user's folders gets out
    card = (folder / "MODEL_CARD.md").read_text()
    assert "Limits first" in card
    assert f"{spec.metrics['test']['data']['auc']:.3f}" in card
    assert "CC0" in card

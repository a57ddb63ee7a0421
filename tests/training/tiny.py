"""A network of a few layers in Xception's place, and a folder of pictures that are taken for tight crops."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np

from core.detector.network import attach_head
from core.training.config import TrainConfig


def build(input_size, classes=("real", "fake"), *, imagenet=None, dropout=0.0, blocks=14):
    inputs = keras.Input((input_size, input_size, 3))
    x = keras.layers.Conv2D(4, 3, strides=4, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    features = keras.layers.Activation("relu", name="block14_sepconv2_act")(x)
    return attach_head(inputs, features, classes, dropout=dropout)


def made_up(folder: Path, classes=("Real", "Fake"), counts=(("train", 12), ("val", 6)), side=80) -> Path:
    """Noise whose brightness tells the class, the first the darkest."""
    rng = np.random.default_rng(0)
    levels = np.linspace(60, 190, len(classes))
    for split, count in counts:
        for label, level in zip(classes, levels, strict=True):
            place = folder / split / label
            place.mkdir(parents=True)
            for i in range(count):
                noise = rng.normal(level, 20, (side, side, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(place / f"{split}{label}{i}.png"), noise)
    return folder


def settings(data: Path, **changes) -> TrainConfig:
    values = {
        "init": "none",
        "input_size": 71,
        "head_epochs": 0,
        "epochs": 3,
        "epoch_pictures": 40,
        "batch_size": 8,
        "self_blend": 0.0,
        "learning_rate": 0.02,
        "precision": "float32",
    }
    return TrainConfig(**{**values, "data": (str(data),), **changes})


def lines(run: Path, name: str = "metrics.jsonl") -> list[dict]:
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


class Watcher:
    """Keeps what it is told, and asks to stop after so many batches."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.told: list[dict] = []
        self.stop_after, self.batches = stop_after, 0

    def update(self, **fields) -> None:
        self.told.append(fields)
        self.batches += "loss" in fields

    def stop_requested(self) -> bool:
        return self.stop_after is not None and self.batches >= self.stop_after

"""The product's trainer as a process of its own, with two layers in Xception's place: `python tiny_trainer.py RUN`.

It starts the run or goes on with it, as the queue's command does. Its pictures are no faces, and are taken for tight
crops; the detector at the end is not made, since other tests do that.
"""

import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras

from core.data import prepare
from core.detector.network import attach_head
from core.training import finish, initial
from core.training.config import TrainConfig
from core.training.execute import execute


def build(input_size, classes, *, dropout, **_):
    inputs = keras.Input((input_size, input_size, 3))
    features = keras.layers.Conv2D(4, 3, strides=4, activation="relu", name="block14_sepconv2_act")(inputs)
    return attach_head(inputs, features, classes, dropout=dropout)


def main() -> int:
    initial.build_network = build
    prepare.is_tight_source = lambda *_: True
    finish.finish = lambda *_, **__: None
    folder = Path(sys.argv[1])
    config = TrainConfig.load(folder / "config.json")
    return execute(folder, config, cache=folder.parent / "cache", resume=True)


if __name__ == "__main__":
    sys.exit(main())

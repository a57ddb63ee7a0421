"""How long a training will take here: from speeds that runs measured on this machine, scaled where a size is new.

python -m core.training.estimate CONFIG.json   # measures with a few batches, as `measure_speed` does
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import SetupError
from core.home import home_folder, make_folder
from core.training.config import BLOCKS, TrainConfig
from core.training.journal import write_json
from core.training.machine import cpu_computes_bfloat16

SPEED_FILE = "speed.json"
Key = tuple[str, int, int, str]
"""Phase, input side in pixels, blocks, precision."""

# Two cores with bfloat16, Xception at 160 px, and what processors without it take: where nothing was measured yet
ROUGH: dict[str, float] = {"training": 15.0, "features": 36.0, "head": 700.0, "prepare": 25.0}
WITHOUT_BFLOAT16 = 7.0
ROUGH_PX = 160
EARLY_BLOCKS = 0.6
"""Share of the time that the first four blocks take, measured; their maps are large."""
VAL_PICTURES = 600
MEASURED_BATCHES, MEASURED_S = 6, 30.0


@dataclass(frozen=True)
class Estimate:
    """Minutes from start to detector, and whether they follow from speeds measured on this machine."""

    minutes: float
    measured: bool


def estimate_minutes(config: TrainConfig, pictures: int) -> Estimate:
    """How long a run takes.

    Args:
        config: Its settings.
        pictures: How many pictures the data hold, videos counted by their frames; 0 where it is not known.
    """
    known = _known()
    names = (["features", "head"] if config.head_epochs else []) + (["training"] if config.epochs else [])
    speed = {name: _speed(known, config, name) for name in {*names, "features"}}
    val = min(VAL_PICTURES, max(pictures // 5, 1)) / speed["features"][0]
    learning = val
    if config.head_epochs:
        learning += config.epoch_pictures * (1 / speed["features"][0] + config.head_epochs / speed["head"][0])
    if config.epochs:
        learning += config.epochs * (config.epoch_pictures / speed["training"][0] + val)
    if config.minutes:
        learning = min(learning, 60 * config.minutes)
    seconds = pictures / ROUGH["prepare"] + learning
    return Estimate(seconds / 60, all(speed[name][1] for name in names if name != "head"))  # which takes seconds


def seconds_of_training(config: TrainConfig) -> float:
    """How long the phase in which the whole network learns will take; 0 where there is none."""
    speed, _ = _speed(_known(), config, "training")
    seconds = config.epochs * config.epoch_pictures / speed
    return min(seconds, 60 * config.minutes) if config.minutes else seconds


def record_speed(config: TrainConfig, phase: str, images_per_s: float) -> None:
    """Remembers what a run measured; never fails the run. Phases are features, head and training."""
    if images_per_s <= 0:
        return
    with suppress(OSError, SetupError):
        folder, known = make_folder(home_folder()), _known()
        known[_key(config, phase)] = round(images_per_s, 3)
        write_json(folder / SPEED_FILE, {"/".join(map(str, key)): speed for key, speed in known.items()})


def measure_speed(config: TrainConfig, *, timeout_s: float = 180.0) -> None:
    """Measures the speeds of these settings with a few batches, in a process of its own, and remembers them.

    Raises:
        SetupError: It failed or took longer than `timeout_s`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "config.json"
        config.save(path)
        command = [sys.executable, "-m", "core.training.estimate", str(path)]
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "2"}
        try:
            subprocess.run(
                command, cwd=root, env=environment, check=True, timeout=timeout_s, capture_output=True, text=True
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise SetupError("The speed could not be measured: choose a smaller batch or input size.") from error


def _known() -> dict[Key, float]:
    found: dict[Key, float] = {}
    with suppress(OSError, ValueError, AttributeError):
        for text, speed in json.loads((home_folder() / SPEED_FILE).read_text(encoding="utf-8")).items():
            with suppress(ValueError, TypeError):
                phase, size, blocks, precision = text.split("/")
                if float(speed) > 0:
                    found[phase, int(size), int(blocks), precision] = float(speed)
    return found


def _key(config: TrainConfig, phase: str) -> Key:
    return phase, config.input_size, config.blocks, config.precision


def _speed(known: Mapping[Key, float], config: TrainConfig, phase: str) -> tuple[float, bool]:
    """Pictures a second, and whether it was measured here: exactly, or at another size and scaled by pixels."""
    key = _key(config, phase)
    if key in known:
        return known[key], True
    alike = [one for one in known if (one[0], *one[2:]) == (phase, *key[2:])]
    if alike:
        nearest = min(alike, key=lambda one: abs(one[1] - config.input_size))
        return known[nearest] * (nearest[1] / config.input_size) ** 2, True
    share = 1.0 if config.blocks == BLOCKS[-1] or phase == "head" else EARLY_BLOCKS
    slower = 1.0 if phase == "head" or cpu_computes_bfloat16() else WITHOUT_BFLOAT16
    return ROUGH[phase] / slower / share * (ROUGH_PX / config.input_size) ** 2, False


def _measure(config: TrainConfig) -> None:
    """A few batches of noise through frozen features and through a step of training."""
    import keras
    import numpy as np

    from core.detector.network import build_network, split_off_head
    from core.training.hardware import resolve_precision, uses_gpu

    keras.mixed_precision.set_global_policy(resolve_precision(config.precision))
    model = build_network(config.input_size, dropout=config.dropout, blocks=config.blocks)
    base, _ = split_off_head(model)
    inputs = np.random.default_rng(0).normal(size=(config.batch_size, *model.input_shape[1:])).astype(np.float32)
    labels = (np.arange(config.batch_size) % 2)[:, None].astype(np.float32)
    model.compile(keras.optimizers.AdamW(), "binary_crossentropy", jit_compile="auto" if uses_gpu() else False)
    model.optimizer.build(model.trainable_variables)
    works: dict[str, Callable[[], Any]] = {"features": lambda: base.predict_on_batch(inputs)}
    if config.epochs:
        works["training"] = lambda: model.train_on_batch(inputs, labels)
    for phase, work in works.items():
        work()  # what comes first takes longer: it is compiled
        started, done = time.perf_counter(), 0
        while done < MEASURED_BATCHES and time.perf_counter() - started < MEASURED_S:
            work()
            done += 1
        record_speed(config, phase, done * config.batch_size / (time.perf_counter() - started))


if __name__ == "__main__":
    _measure(TrainConfig.load(Path(sys.argv[1])))

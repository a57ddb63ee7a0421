"""From a configuration to trained weights: prepare the faces, fit, keep checkpoints, resume."""

import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from core.data.batches import TrainBatches
from core.data.dataset import Sample, index_data
from core.data.prepare import prepare
from core.detector.network import build_network
from core.errors import DataError, TrainingError
from core.training.callbacks import RunLog, WarmupCosine
from core.training.config import TrainConfig

SCALE, OFFSET = 1 / 127.5, -1.0


def load_samples(config: TrainConfig, cache: Path, on_progress: Callable[[int, int], None] | None) -> list[Sample]:
    """Indexed and cropped samples of all splits; raises `DataError` when a split has lost a class."""
    samples = prepare(index_data(config.data), cache, scale=config.crop_scale, on_progress=on_progress)
    for split in ("train", "val"):
        if len({sample.fake for sample in samples if sample.split == split}) < 2:
            raise DataError(f"After looking for faces, the {split} split has lost a class: too few faces were found.")
    return samples


def fit(
    config: TrainConfig, folder: Path, cache: Path, *, resume: bool = False, on_progress: Callable[[int, int], None]
) -> Path:
    """Trains into `folder` and returns the path of the best checkpoint.

    Args:
        config: Settings.
        folder: The run; `checkpoints/` and `metrics.jsonl` are kept there.
        cache: Where prepared face crops are kept.
        resume: Go on from the last checkpoint in `folder`.
        on_progress: Called with pictures prepared and in all.
    """
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(config.seed)
    state = {"epoch": 0, "step": 0, "elapsed_s": 0.0, "best": 0.0}
    if resume:
        model, state = _resumed(checkpoints)
    else:
        config.save(folder / "config.json")
        model = _started(config)
    schedule = WarmupCosine(config, int(state["step"]), state["elapsed_s"])
    if schedule.progress >= 1:  # killed after its last epoch: only what follows the training is left to do
        return checkpoints / "best.keras"
    samples = load_samples(config, cache, on_progress)
    log = RunLog(folder, config, _subset(samples, "val", config.val_pictures), schedule, state["best"])
    batches = TrainBatches(
        [sample for sample in samples if sample.split == "train"],
        size=config.input_size,
        batch_size=config.batch_size,
        steps=config.steps,
        blend_share=config.self_blend,
        scale=SCALE,
        offset=OFFSET,
        seed=config.seed,
        source_weights=config.emphasis,
        epoch=int(state["epoch"]),
        workers=os.cpu_count() or 1,
    )
    model.fit(batches, epochs=config.epochs, initial_epoch=int(state["epoch"]), callbacks=[schedule, log], verbose=2)
    return checkpoints / "best.keras"


def _started(config: TrainConfig) -> keras.Model:
    keras.mixed_precision.set_global_policy(config.precision)
    init = None if config.init == "none" else config.init
    if init not in (None, "imagenet") and not Path(str(init)).is_file():
        raise TrainingError(f"There are no weights at {init}: give --init a file, imagenet or none.")
    model = build_network(config.input_size, imagenet=init, dropout=config.dropout)
    model.compile(
        optimizer=keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay, clipnorm=5.0),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=config.label_smoothing),
        jit_compile=False,
    )
    return model


def _resumed(checkpoints: Path) -> tuple[keras.Model, dict[str, float]]:
    try:
        state: dict[str, float] = json.loads((checkpoints / "state.json").read_text(encoding="utf-8"))
        return keras.models.load_model(checkpoints / "last.keras"), state
    except (OSError, ValueError) as error:
        raise TrainingError(f"There is no checkpoint to resume from in {checkpoints.parent}.") from error


def _subset(samples: Sequence[Sample], split: str, most: int) -> list[Sample]:
    """At most `most` samples of each source and class, the same ones each time."""
    drawn: list[Sample] = []
    for key in sorted({(s.source, s.label) for s in samples if s.split == split}):
        members = [s for s in samples if s.split == split and (s.source, s.label) == key]
        drawn += random.Random(0).sample(members, min(most, len(members)))
    return drawn

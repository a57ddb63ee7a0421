"""From the best checkpoint to a detector on disk: calibrated, with thresholds, measured, and described."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy.special import expit

from core.data.dataset import Sample, index_data
from core.detector import load_detector
from core.detector.artifact import CropSpec, DetectorSpec, Preprocessing, save_artifact, save_spec
from core.detector.calibration import choose_thresholds, fit_platt
from core.detector.network import build_network
from core.evaluation import Scored, balance_weights, score_pictures, summarise
from core.training.config import TrainConfig
from core.training.loop import OFFSET, SCALE
from core.training.model_card import write_model_card

COMMAND = "python evaluate.py --data DIR --model MODEL"
ELSEWHERE = ("data", "init", "name", "description", "licence")  # settings that are paths, or stand in the spec anyway
MAX_ERROR = 0.05  # of the reals may be called fake, and of the fakes real, on validation data

Progress = Callable[[int, int], None]


def finish(run: Path, config: TrainConfig, *, on_progress: Progress) -> Path:
    """Writes `run/model/`, a detector ready for use.

    The weights of the best checkpoint are stored first; then validation pictures go through the very path that users'
    pictures take, and calibration and thresholds are fitted to what comes out; at the end the test pictures are judged
    once and the figures and the model card written.

    Args:
        run: Folder of the run; `checkpoints/best.keras` is read.
        config: The run's settings.
        on_progress: Called with pictures judged and in all.
    """
    folder = run / "model"
    spec = DetectorSpec(
        name=config.name,
        input_size=config.input_size,
        crop=CropSpec(scale=config.crop_scale),
        preprocessing=Preprocessing(scale=SCALE, offset=OFFSET),
        classes=("real", "fake"),
        licence=config.licence,
        description=config.description,
    )
    spec = save_artifact(folder, _float32(run / "checkpoints" / "best.keras", config), spec)
    samples = index_data(config.data)
    val = _judge(folder, [s for s in samples if s.split == "val"], on_progress)
    spec = calibrated(spec, val)
    save_spec(folder, spec)
    metrics: dict[str, Any] = {"command": COMMAND, "date": time.strftime("%Y-%m-%d")}
    for split in ("val", "test"):  # val again: verdicts need the thresholds
        members = [s for s in samples if s.split == split]
        metrics |= {split: summarise(_judge(folder, members, on_progress))} if members else {}
    training = {
        "pictures": _counts([s for s in samples if s.split == "train"]),
        "settings": {key: value for key, value in asdict(config).items() if key not in ELSEWHERE},
        **_history(run),
    }
    spec = replace(spec, metrics=metrics, training=training)
    save_spec(folder, spec)
    write_model_card(folder, spec)
    return folder


def calibrated(spec: DetectorSpec, val: Sequence[Scored]) -> DetectorSpec:
    """The spec with a calibration and thresholds fitted to validation pictures, sources and classes balanced."""
    faced = [one for one in val if one.logit is not None]
    logits = np.array([one.logit for one in faced])
    labels = np.array([one.sample.fake for one in faced])
    weights = balance_weights([one.sample for one in faced])
    calibration = fit_platt(logits, labels, weights)
    probabilities = expit(calibration.slope * logits + calibration.intercept)
    thresholds = choose_thresholds(probabilities, labels, MAX_ERROR, weights)
    return replace(spec, calibration=calibration, thresholds=thresholds)


def _float32(checkpoint: Path, config: TrainConfig) -> keras.Model:
    """The checkpoint's weights in a fresh graph without dropout and without mixed precision."""
    trained = keras.models.load_model(checkpoint, compile=False)
    keras.mixed_precision.set_global_policy("float32")
    network = build_network(config.input_size)
    network.set_weights(trained.get_weights())
    return network


def _judge(folder: Path, samples: Sequence[Sample], on_progress: Progress) -> list[Scored]:
    return score_pictures(samples, load_detector(folder), on_progress=on_progress)


def _counts(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for sample in samples:
        counts.setdefault(sample.source, Counter())[sample.label] += 1
    return {source: dict(counter) for source, counter in counts.items()}


def _history(run: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    best = max(lines, key=lambda line: line["val_auc"])
    return {"epochs": len(lines), "best_epoch": best["epoch"], "minutes": round(lines[-1]["elapsed_s"] / 60, 1)}

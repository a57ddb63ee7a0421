"""Run folders as a trainer leaves them on disk, without training: for the pages, which know nothing else of a run."""

import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.training.config import TrainConfig
from tests.pages.support import write_detector

STEPS = 50
"""Batches an epoch."""
PER_EPOCH_S = 150.0
SOURCES = ("dfdc", "stylegan_ffhq")


def auc(epoch: int, peak: float) -> float:
    return 0.5 + (peak - 0.5) * (1 - math.exp(-epoch / 3))


def epoch_line(epoch: int, epochs: int, peak: float, chance: random.Random) -> dict[str, Any]:
    """A line of metrics.jsonl."""
    value = auc(epoch, peak) + chance.uniform(-0.012, 0.012)
    caught = round(150 * value)
    return {
        "epoch": epoch,
        "phase": "head" if epoch < 2 else "training",
        "step": epoch * STEPS,
        "elapsed_s": epoch * PER_EPOCH_S,
        "val_s": 12.0,
        "learning_rate": 3e-4 * 0.5 * (1 + math.cos(math.pi * epoch / epochs)),
        "loss": 0.69 - 0.3 * (1 - math.exp(-epoch / 4)),
        "val_loss": 0.7 - 0.25 * (1 - math.exp(-epoch / 3)) + chance.uniform(0, 0.03),
        "val_auc": round(value, 5),
        "val_auc_by_source": {SOURCES[0]: round(value - 0.05, 5), SOURCES[1]: round(min(0.999, value + 0.04), 5)},
        "images_per_s": 18.2,
        "classes": ["real", "fake"],
        "confusion": [[caught, 150 - caught], [160 - caught, caught - 10]],
    }


def batch_lines(steps: int, chance: random.Random) -> list[dict[str, Any]]:
    """Lines of batches.jsonl."""
    return [
        {
            "step": step,
            "epoch": step // STEPS + 1,
            "loss": 0.7 - 0.3 * (1 - math.exp(-step / 200)) + chance.gauss(0, 0.05),
            "learning_rate": 3e-4 * min(1, step / 20) * 0.5 * (1 + math.cos(math.pi * step / 800)),
            "images_per_s": 18.2,
        }
        for step in range(2, steps, 2)
    ]


def write_mistakes(folder: Path, faces: list[Path] | None) -> None:
    """mistakes.json with the given pictures, or with eight of noise."""
    if faces is None:
        faces = [folder / f"face{number}.png" for number in range(8)]
        for number, path in enumerate(faces):
            noise = np.random.default_rng(number).integers(0, 255, (80, 80, 3), np.uint8)
            Image.fromarray(noise).save(path)
    rows = [
        {"path": str(path), "label": "real" if order % 2 else "fake", "fake_probability": 0.97 - order * 0.01}
        if order % 2
        else {"path": str(path), "label": "fake", "fake_probability": 0.02 + order * 0.01}
        for order, path in enumerate(faces)
    ]
    (folder / "mistakes.json").write_text(json.dumps(rows))


def write_run(
    root: Path,
    run_id: str,
    state: str,
    *,
    done: int = 6,
    peak: float = 0.9,
    model: bool = False,
    status: dict[str, Any] | None = None,
    faces: list[Path] | None = None,
    note: str = "",
    **settings: Any,
) -> Path:
    """A run that has come `done` epochs far.

    Args:
        root: The folder of runs.
        run_id: Its name there.
        state: As in status.json; "lost" is one that runs and has had no heartbeat for an hour.
        done: Epochs that have ended.
        peak: The AUC that it draws near.
        model: Whether it has a detector.
        status: Other fields of status.json.
        faces: The pictures that it got most wrong; noise if None.
        note: Its note.
        **settings: Fields of `TrainConfig`.
    """
    folder, chance = root / run_id, random.Random(run_id)
    (folder / "checkpoints").mkdir(parents=True)
    config = TrainConfig(**{"data": ("/data/dfdc",), "name": run_id, "epochs": 16, **settings})
    config.save(folder / "config.json")
    lost = state == "lost"
    document = {
        "state": "running" if lost else state,
        "phase": "training",
        "heartbeat": time.time() - (3600 if lost else 0),
        "started": time.time() - 900,
        "epoch": done + 1,
        "epochs": config.epochs,
        "step": done * STEPS + 20,
        "steps_total": config.epochs * STEPS,
        "loss": 0.431,
        "learning_rate": 2e-4,
        "images_per_s": 18.2,
        "elapsed_s": done * PER_EPOCH_S + 40,
        "eta_s": (config.epochs - done) * PER_EPOCH_S,
        "cpu_percent": 93.0,
        "memory_bytes": 2_300_000_000,
        "memory_total_bytes": 16_000_000_000,
        "gpu": [],
    }
    (folder / "status.json").write_text(json.dumps({**document, **(status or {})}))
    (folder / "note.txt").write_text(note)
    (folder / "train.log").write_text("pictures: 500 of 4200\npictures: 4200 of 4200\nepoch 1\n")
    if done:
        lines = [epoch_line(epoch, config.epochs, peak, chance) for epoch in range(1, done + 1)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        batches = batch_lines(done * STEPS + 20, chance)
        (folder / "batches.jsonl").write_text("".join(json.dumps(line) + "\n" for line in batches))
        (folder / "checkpoints" / "best.keras").write_bytes(b"weights")
        write_mistakes(folder, faces)
    if model:
        write_detector(folder / "model")
    return folder


def pretend_to_start(folder: Path) -> bool:
    """Stands in for `queue.launch`: a trainer that says that it runs, and does nothing."""
    path = folder / "status.json"
    status = json.loads(path.read_text())
    status |= {"state": "running", "phase": "training", "heartbeat": time.time(), "pid": 1}
    path.write_text(json.dumps(status))
    return True

"""What happens beside the gradient steps: learning rate, checks on validation data, checkpoints, the run's log."""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.data.batches import EvalBatches
from core.data.dataset import Sample
from core.metrics import roc_auc
from core.training.config import TrainConfig


class WarmupCosine(keras.callbacks.Callback):
    """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017), over steps or over a time budget."""

    def __init__(self, config: TrainConfig, step: int = 0, elapsed_s: float = 0.0) -> None:
        super().__init__()
        self._config, self.step, self._elapsed_s = config, step, elapsed_s
        self._start = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return self._elapsed_s + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """How much of the training is over, 0..1."""
        by_steps = self.step / (self._config.epochs * self._config.steps)
        by_time = self.elapsed_s / (60 * self._config.minutes) if self._config.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        warmup = max(self._config.warmup, 1e-9)
        rising = min(1.0, (self.step + 1) / max(1.0, warmup * self._config.epochs * self._config.steps))
        falling = 0.5 * (1 + math.cos(math.pi * max(0.0, self.progress - warmup) / (1 - warmup)))
        self.model.optimizer.learning_rate = self._config.learning_rate * min(rising, falling)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step += 1
        if self.progress >= 1:
            self.model.stop_training = True


class RunLog(keras.callbacks.Callback):
    """After each epoch: AUC by source on validation data, a line in metrics.jsonl, and a checkpoint to resume from."""

    def __init__(self, folder: Path, config: TrainConfig, val: Sequence[Sample], schedule: WarmupCosine, best: float):
        super().__init__()
        self._folder, self._config, self._val, self._schedule, self.best = folder, config, val, schedule, best

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        started = time.monotonic()
        aucs = validation_aucs(self.model, self._config, self._val)
        val_auc = round(float(np.mean(list(aucs.values()))), 5)
        line: dict[str, Any] = {
            "epoch": epoch + 1,
            "step": self._schedule.step,
            "elapsed_s": round(self._schedule.elapsed_s, 1),
            "val_s": round(time.monotonic() - started, 1),
            "learning_rate": float(np.asarray(self.model.optimizer.learning_rate)),
            **{key: round(float(value), 5) for key, value in (logs or {}).items()},
            "val_auc": val_auc,
            "val_auc_by_source": {source: round(auc, 5) for source, auc in aucs.items()},
        }
        with (self._folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        checkpoints = self._folder / "checkpoints"
        if val_auc > self.best:
            self.best = val_auc
            replace_model(self.model, checkpoints / "best.keras")
        replace_model(self.model, checkpoints / "last.keras")
        state = {"epoch": epoch + 1, "step": line["step"], "elapsed_s": self._schedule.elapsed_s, "best": self.best}
        write_json(checkpoints / "state.json", state)


def validation_aucs(model: keras.Model, config: TrainConfig, samples: Sequence[Sample]) -> dict[str, float]:
    """Single-picture AUC of each source."""
    scores = model.predict(EvalBatches(samples, size=config.input_size, scale=1 / 127.5, offset=-1.0), verbose=0)[:, 0]
    aucs = {}
    for source in sorted({sample.source for sample in samples}):
        rows = [i for i, sample in enumerate(samples) if sample.source == source]
        aucs[source] = roc_auc(scores[rows], [samples[i].fake for i in rows])
    return {source: auc for source, auc in aucs.items() if not math.isnan(auc)}


def replace_model(model: keras.Model, path: Path) -> None:
    """Saves beside the old file and only then takes its place: a kill never leaves half a checkpoint."""
    partial = path.with_name(f"{path.stem}.part.keras")
    model.save(partial)
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Writes beside the old file and then takes its place, so that a reader never sees half of it."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)

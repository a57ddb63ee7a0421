"""What happens after each epoch: the check on validation faces, the run's log, a checkpoint, an early end."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Sample
from core.training.callbacks import BatchLog, Watch
from core.training.checkpoints import HEAD, State, save_checkpoint, save_state
from core.training.config import TrainConfig
from core.training.initial import usual_network
from core.training.journal import METRICS, MISTAKES, append_line, write_json
from core.training.tensorboard import EventFile
from core.training.validation import Judged

Predict = Callable[[], NDArray[np.float32]]


class Keeper:
    """Where a run keeps what an epoch leaves behind: lines, event files, checkpoints.

    Args:
        folder: The run.
        config: Its settings.
        state: How far it is; counted on by this.
        val: Validation faces.
        watch: Is told the best AUC.
    """

    def __init__(self, folder: Path, config: TrainConfig, state: State, val: Sequence[Sample], watch: Watch) -> None:
        self.folder, self.config, self.state, self.val, self.watch = folder, config, state, val, watch
        self._events = EventFile(folder / "tensorboard")

    @property
    def checkpoints(self) -> Path:
        """Their folder."""
        return self.folder / "checkpoints"

    def write(self, judged: Judged, figures: dict[str, Any]) -> bool:
        """Counts the epoch and writes its line; returns whether it is the best one so far."""
        state, aucs = self.state, judged.aucs()
        val_auc = round(float(np.mean(list(aucs.values()))), 5)
        state.epoch += 1
        state.phase_epoch += 1
        better = not state.best_epoch or val_auc > state.best  # the first one is, even with an AUC of 0
        if better:
            state.best, state.best_epoch = val_auc, state.epoch
        line: dict[str, Any] = {
            "epoch": state.epoch,
            "phase": state.phase,
            "step": state.step,
            **figures,
            "val_loss": round(judged.loss(), 5),
            "val_auc": val_auc,
            "val_auc_by_source": {source: round(auc, 5) for source, auc in aucs.items()},
            "confusion": judged.confusion(),
            "classes": list(judged.classes),
        }
        append_line(self.folder / METRICS, line)
        write_json(self.folder / MISTAKES, judged.mistakes())
        names = ("loss", "val_loss", "val_auc", "learning_rate", "images_per_s")
        self._events.scalars(state.step, {f"epoch/{name}": line[name] for name in names})
        self.watch.update(best_auc=state.best, best_epoch=state.best_epoch, val_auc=val_auc)
        print(json.dumps({key: line[key] for key in ("epoch", "phase", *names)}), flush=True)
        return better

    def save(self, model: keras.Model, name: str, head: keras.Model | None) -> None:
        """Replaces a checkpoint; `head` is the part that is trained, where it is not the whole.

        The best one is kept with batch normalisation as usual: it is for others, the last one for going on.
        """
        if name == "best" and self.config.batch_norm == "fold":
            model, head = usual_network(model, self.config, self.state.classes), None
        save_checkpoint(model, self.checkpoints / f"{name}.keras", self.state, head)

    def exhausted(self) -> bool:
        """Whether the AUC has not risen for as long as the run has patience, epochs of this phase counted alone."""
        waited = min(self.state.epoch - self.state.best_epoch, self.state.phase_epoch)
        return bool(self.config.patience) and waited >= self.config.patience


class EpochEnd(keras.callbacks.Callback):
    """Judges the validation faces, writes the run's log and its checkpoints, and ends a phase that gains no more.

    Args:
        keeper: Where it is written.
        whole: The network that is saved; the trained one may be a part of it, or have another output beside its own.
        predict: Gives its outputs for the validation faces, (n, 1) or (n, k).
        batches: Knows the speed, and whether the run was stopped.
    """

    def __init__(self, keeper: Keeper, whole: keras.Model, predict: Predict, batches: BatchLog) -> None:
        super().__init__()
        self._keeper, self._whole, self._predict, self._batches = keeper, whole, predict, batches

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self._batches.stopped:  # within the epoch, which is done again when the run is resumed
            return
        keeper, started = self._keeper, time.monotonic()
        figures = {
            "elapsed_s": round(keeper.state.elapsed_s, 1),
            "learning_rate": float(np.asarray(self.model.optimizer.learning_rate)),
            "loss": round(float((logs or {})["loss"]), 5),
            "images_per_s": round(self._batches.images_per_s, 2),
        }
        head = self.model if keeper.state.phase == HEAD else None
        with averaged(self.model):
            judged = Judged(keeper.val, keeper.state.classes, self._predict())
            figures["val_s"] = round(time.monotonic() - started, 1)
            keeper.state.elapsed_s += time.monotonic() - started
            if keeper.write(judged, figures):
                keeper.save(self._whole, "best", head)
        keeper.save(self._whole, "last", head)
        save_state(keeper.checkpoints, keeper.state)
        if keeper.exhausted():
            self.model.stop_training = True


@contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Within, the network has the running mean of its weights, where its optimizer keeps one."""
    if not model.optimizer.use_ema:
        yield
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    swap.on_test_begin()
    try:
        yield
    finally:
        swap.on_test_end()  # not on_predict_end, which in Keras 3.15 does nothing

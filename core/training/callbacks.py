"""What happens after each batch: the learning rate, and what whoever watches is told."""

import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from core.errors import Cancelled, TrainingError
from core.training.checkpoints import State
from core.training.config import TrainConfig
from core.training.journal import BATCHES, append_line

LINE_EVERY_S = 2.0
SPEED_OVER_S = 20.0


class Stopped(Cancelled):
    """The run was asked to stop and did so; its last checkpoint is whole."""


class Watch(Protocol):
    """Who is told how a run goes, and says when it is to stop."""

    def update(self, **fields: Any) -> None:
        """Takes what there is to know; called after every batch, so it must be quick."""

    def stop_requested(self) -> bool:
        """Whether the run shall end after the batch in hand."""
        ...


class Unwatched:
    """Nobody looks, and nobody says stop."""

    def update(self, **fields: Any) -> None:
        """Does nothing."""

    def stop_requested(self) -> bool:
        """Never."""
        return False


class WarmupCosine(keras.callbacks.Callback):
    """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017), over steps or over a time budget.

    Args:
        state: The run's; its steps and its time are counted on.
        peak: Highest learning rate.
        steps: Of the whole phase.
        warmup: Share of the steps in which the rate rises.
        minutes: Time budget of the run; 0 for none.
    """

    def __init__(self, state: State, *, peak: float, steps: int, warmup: float, minutes: float = 0.0) -> None:
        super().__init__()
        self._state, self._peak, self.steps, self._warmup, self._minutes = state, peak, steps, warmup, minutes
        self._before_s, self._start = state.elapsed_s, time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Training time of the run so far, in seconds."""
        return self._before_s + time.monotonic() - self._start

    @property
    def progress(self) -> float:
        """How much of the phase is over, 0..1."""
        by_steps = self._state.phase_step / self.steps
        by_time = self.elapsed_s / (60 * self._minutes) if self._minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        warmup = max(self._warmup, 1e-9)
        rising = min(1.0, (self._state.phase_step + 1) / max(1.0, warmup * self.steps))
        falling = 0.5 * (1 + math.cos(math.pi * max(0.0, self.progress - warmup) / (1 - warmup)))
        self.model.optimizer.learning_rate = self._peak * min(rising, falling)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._state.phase_step += 1
        self._state.step += 1
        self._state.elapsed_s = self.elapsed_s
        if self.progress >= 1:
            self.model.stop_training = True


class Speedometer:
    """Pictures a second over the last while."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def add(self, pictures: int) -> float:
        """Counts pictures that are done, and returns the speed."""
        now = time.monotonic()
        self._marks.append((now, self._marks[-1][1] + pictures))
        while len(self._marks) > 2 and now - self._marks[1][0] > SPEED_OVER_S:
            self._marks.popleft()
        (first, done_then), (last, done_now) = self._marks[0], self._marks[-1]
        return (done_now - done_then) / max(last - first, 1e-6)


class BatchLog(keras.callbacks.Callback):
    """After each batch: tells the watch, writes a line to batches.jsonl now and then, and stops when it is asked to.

    Args:
        folder: The run.
        config: Its settings.
        state: Counts epochs and steps.
        schedule: Knows how much is left.
        watch: Who is told.
        later_s: Seconds that the phases after this one will take.
        on_speed: Called at the end of an epoch with its pictures a second.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        state: State,
        schedule: WarmupCosine,
        watch: Watch,
        *,
        later_s: float = 0.0,
        on_speed: Callable[[float], None],
    ) -> None:
        super().__init__()
        self._path, self._config, self._state, self._schedule = folder / BATCHES, config, state, schedule
        self._watch, self._later_s, self._on_speed = watch, later_s, on_speed
        self.stopped, self.images_per_s = False, 0.0
        self._speed, self._written = Speedometer(), 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._speed = Speedometer()
        reseed(self.model, self._config.seed, self._state.epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is no number any more after {self._state.step} batches: choose a lower learning_rate, or "
                "float32 as precision, and start again."
            )
        self.images_per_s = self._speed.add(self._config.batch_size)
        fields = {
            "epoch": self._state.epoch + 1,
            "step": self._state.step,
            "loss": round(loss, 5),
            "learning_rate": float(np.asarray(self.model.optimizer.learning_rate)),
            "images_per_s": round(self.images_per_s, 2),
        }
        now = time.monotonic()
        if now - self._written >= LINE_EVERY_S:
            self._written = now
            append_line(self._path, fields)
        self._tell(fields)
        if self._watch.stop_requested():
            self.stopped = self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.stopped:
            self._on_speed(self.images_per_s)

    def _tell(self, fields: dict[str, Any]) -> None:
        left = self._schedule.steps - self._state.phase_step
        eta_s = left * self._config.batch_size / max(self.images_per_s, 1e-6) + self._later_s
        if self._config.minutes:
            eta_s = min(eta_s, max(0.0, 60 * self._config.minutes - self._state.elapsed_s))
        self._watch.update(
            **fields,
            message="",
            phase=self._state.phase,
            epochs=self._config.all_epochs,
            steps_total=self._state.step + left,
            elapsed_s=round(self._state.elapsed_s, 1),
            eta_s=round(eta_s, 1),
        )


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Gives dropout the chance of this epoch: Keras does not save it, and a resumed run would go another way."""
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([seed % 2**31, epoch], dtype=generator.state.dtype))

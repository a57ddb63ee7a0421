"""Event files that TensorBoard opens: scalars as records of its format, written without the tensorboard package."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras


class EventFile:
    """Scalars of a run, one file for each time it is started. Does nothing on other backends than TensorFlow.

    Keras's own callback and `tf.summary` need the tensorboard package; the format itself is TensorFlow's.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: Any = None
        if keras.backend.backend() != "tensorflow":
            return
        import tensorflow as tf

        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{time.monotonic_ns()}"
        self._tf, self._writer = tf, tf.io.TFRecordWriter(str(folder / name))
        self._write(tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2"))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds one point to each curve."""
        if self._writer is None:
            return
        summary = self._tf.compat.v1.Summary
        points = [summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._write(self._tf.compat.v1.Event(wall_time=time.time(), step=step, summary=summary(value=points)))

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()

"""What this machine offers a training: 16-bit arithmetic, several GPUs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import keras

from core.errors import SetupError, TrainingError
from core.training.machine import cpu_computes_bfloat16

AMPERE = 8
"""Major compute capability from which on NVIDIA's GPUs compute in bfloat16."""


def resolve_precision(wanted: str) -> str:
    """Keras's policy for the setting `precision`; auto gives 16 bits only where the hardware computes in them."""
    if wanted != "auto":
        return wanted
    gpus = _gpus()
    gains = all(map(_computes_bfloat16, gpus)) if gpus else cpu_computes_bfloat16()
    return "mixed_bfloat16" if gains else "float32"


def uses_gpu() -> bool:
    """Whether Keras computes on a GPU."""
    return bool(_gpus())


@contextmanager
def precision_scope(wanted: str) -> Iterator[None]:
    """Networks built within compute as the setting `precision` says; those built after it as before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(resolve_precision(wanted))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def strategy_scope(name: str) -> Iterator[None]:
    """Networks built within are trained on all GPUs (`mirrored`), or on the one device there is (`none`).

    Raises:
        SetupError: `mirrored` needs Keras on TensorFlow.
    """
    _share_memory()
    if name == "none":
        yield
        return
    if keras.backend.backend() != "tensorflow":
        raise SetupError('The strategy "mirrored" needs TensorFlow: set KERAS_BACKEND=tensorflow, or use none.')
    import tensorflow as tf

    devices = [device.name for device in tf.config.list_logical_devices("GPU")]
    devices = devices or [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) < 2:
        raise TrainingError('The strategy "mirrored" needs two GPUs or more, and there is one device: use none.')
    with _mirrored(tuple(devices)).scope():
        yield


@lru_cache(maxsize=1)  # a second one in a process numbers its exchanges from the start, and they clash with the first's
def _mirrored(devices: tuple[str, ...]) -> Any:
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def _gpus() -> list[Any]:
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    return list(tf.config.list_physical_devices("GPU"))


def _computes_bfloat16(gpu: Any) -> bool:
    import tensorflow as tf

    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
    return capability is not None and capability[0] >= AMPERE


def _share_memory() -> None:
    """The page may use the same GPU: its memory is taken as it is needed."""
    for gpu in _gpus():
        import tensorflow as tf

        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # in use already, under the rule that was there first
            return


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

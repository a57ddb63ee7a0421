"""Runs a detector with TensorFlow: on a GPU, or when asked for. The same graph and the same two outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.detector.loading import build_keras, import_keras
from core.detector.source import Source
from core.detector.weights import about


class TensorFlowEngine:
    """The graph of one detector as a traced function; any number of threads may call it at once."""

    name = "tensorflow"
    precision = "f32"

    def __init__(self, source: Source) -> None:
        keras = import_keras()
        import tensorflow as tf

        _share_gpus(tf)
        size, preprocessing = source.spec.input_size, source.spec.preprocessing
        with about(source.weights_file):
            model = build_keras(source.graph, source.read_weights(), size)
        head = model.get_layer(source.graph.head.dense)
        features = keras.Model(model.input, model.get_layer(source.graph.head.features).output)
        kernel, bias = head.kernel[None, None], head.bias if head.use_bias else 0.0

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, size, size, 3), tf.uint8)]
        )
        def run(crops: Any) -> tuple[Any, Any]:
            pixels = tf.cast(crops, tf.float32) * preprocessing.scale + preprocessing.offset
            maps = tf.nn.conv2d(features(pixels, training=False), kernel, 1, "VALID")
            return tf.reduce_mean(maps, [1, 2]) + bias, maps

        self._run, self._model = run.get_concrete_function(), model

    def run(self, crops: NDArray[np.uint8], batch_size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, k) and evidence maps (n, h, w, k) of crops (n, s, s, 3)."""
        import tensorflow as tf

        batches = [crops[start : start + batch_size] for start in range(0, len(crops), batch_size)]
        answers = [self._run(tf.constant(batch)) for batch in batches]
        logits, maps = (np.concatenate([one[i].numpy() for one in answers]) for i in range(2))
        return logits, maps


def _share_gpus(tf: Any) -> None:
    """Take a GPU's memory as it is needed, for a training run may use the same one; and compute in full float32."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # something in this process has used it already, under its own rule
            return

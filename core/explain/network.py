"""A detector's network as explanations need it: flat, float32, and ending in log-odds, one linear unit a class.

tf-keras-vis works on such a network only: nested models and bfloat16 fail, and the gradient of a saturated sigmoid is
nothing. Each class gets a unit, also where the detector has a single sigmoid: its first class then is a constant 0.
Score-CAM needs that, since tf-keras-vis puts a softmax over the outputs, which over a single one is always 1.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.detector.loading import build_keras, import_keras
from core.detector.spec import REAL, DetectorSpec
from core.detector.weights import about

if TYPE_CHECKING:
    from core.detector.engine import Detector

Outputs = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
FAKE = "fake"
EVIDENCE_LAYER = "evidence"
PREDICT_BATCH = 32


@dataclass(frozen=True)
class MapLayer:
    """A layer that a heatmap can be drawn from.

    Attributes:
        name: As in the network.
        size_hw: Rows and columns of its output.
        channels: How many maps it has.
        kind: Keras's name of its class.
    """

    name: str
    size_hw: tuple[int, int]
    channels: int
    kind: str


class ExplainedNetwork:
    """The network of one detector, ready to be explained; several threads may use one.

    Attributes:
        model: Keras model from (n, s, s, 3) float32 to (n, k) linear outputs in the order of the classes, k ≥ 2.
        spec: What the detector's numbers mean.
        features: Name of the layer that is pooled, where heatmaps are drawn from unless another one is named.

    Args:
        engine: The detector's own, crops (n, s, s, 3) uint8 to what its head gives; for methods that want thousands of
            answers and no gradients. TensorFlow answers where there is none.
    """

    def __init__(self, model: Any, spec: DetectorSpec, features: str, engine: Outputs | None = None) -> None:
        self.model, self.spec, self.features, self._engine = model, spec, features, engine
        self._lock = threading.Lock()

    @property
    def targets(self) -> tuple[str, ...]:
        """What can be asked for: `fake`, `real`, then the kinds of fakes where there are several."""
        kinds = [name for name in self.spec.classes if name not in (REAL, FAKE)]
        return (FAKE, REAL, *(kinds if len(self.spec.classes) > 2 else ()))

    @functools.cached_property
    def layers(self) -> tuple[MapLayer, ...]:
        """All layers with an output of rows, columns and channels, the last one first."""
        found = []
        for layer in reversed(self.model.layers):
            shape: Any = getattr(layer.output, "shape", ())
            if len(shape) == 4 and type(layer).__name__ != "InputLayer":
                found.append(MapLayer(layer.name, (shape[1], shape[2]), shape[3], type(layer).__name__))
        return tuple(found)

    def layer(self, name: str | None) -> MapLayer:
        """One of `layers`; the pooled one when None.

        Raises:
            ValueError: There is none of this name; the sentence names some that there are.
        """
        wanted = name or self.features
        for one in self.layers:
            if one.name == wanted:
                return one
        some = ", ".join(one.name for one in self.layers[:5])
        raise ValueError(f"layer must be one with rows and columns, such as {some}; got {wanted!r}")

    def pixels(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Crops as the network takes them."""
        preprocessing = self.spec.preprocessing
        return crops.astype(np.float32) * np.float32(preprocessing.scale) + np.float32(preprocessing.offset)

    def score(self, target: str) -> Callable[[Any], Any]:
        """Linear outputs (n, k) to the log-odds of `target` (n,): with a sigmoid, plus or minus its logit."""
        import tensorflow as tf

        own = self._members(target)
        others = [i for i in range(len(self.spec.classes)) if i not in own]

        def log_odds(outputs: Any) -> Any:
            sums = [tf.reduce_logsumexp(tf.gather(outputs, part, axis=1), axis=1) for part in (own, others)]
            return sums[0] - sums[1]

        return log_odds

    def share(self, target: str) -> Callable[[Any], Any]:
        """Class probabilities (n, k) to the probability of `target` (n,)."""
        import tensorflow as tf

        own = self._members(target)
        return lambda probabilities: tf.reduce_sum(tf.gather(probabilities, own, axis=1), axis=1)

    def features_of(self, pixels: NDArray[np.float32]) -> Any:
        """What the last convolution gives, (n, h, w, c)."""
        keras = import_keras()
        return keras.Model(self.model.inputs, self.model.get_layer(self.features).output)([pixels], training=False)

    def answers(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Linear outputs (n, k) as fast as they can be had: by the engine, pixels rounded to whole grey levels.

        On a processor with bfloat16 that is six times as fast as TensorFlow, and as exact as verdicts are.
        """
        if self._engine is None:
            return self.outputs(pixels)
        preprocessing = self.spec.preprocessing
        levels = np.rint((pixels - preprocessing.offset) / preprocessing.scale)
        raw = self._engine(np.clip(levels, 0, 255).astype(np.uint8))
        return np.concatenate([np.zeros_like(raw), raw], axis=1) if raw.shape[1] == 1 else raw

    def outputs(self, pixels: NDArray[np.float32], batch_size: int = PREDICT_BATCH) -> NDArray[np.float32]:
        """Linear outputs (n, k) in float32 by TensorFlow, a batch at a time."""
        with self._lock:  # two threads would trace it twice
            run = self._traced
        batches = [pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size)]
        return np.concatenate([run(batch).numpy() for batch in batches])

    @functools.cached_property
    def _traced(self) -> Any:
        import tensorflow as tf

        side = self.spec.input_size
        signature = [tf.TensorSpec((None, side, side, 3), tf.float32)]
        run = tf.function(lambda batch: self.model([batch], training=False), input_signature=signature)
        return run.get_concrete_function()

    def _members(self, target: str) -> list[int]:
        classes = list(self.spec.classes)
        if target == FAKE:
            return [i for i, name in enumerate(classes) if name != REAL]
        if target not in classes:
            raise ValueError(f"target must be one of {', '.join(self.targets)}, got {target!r}")
        return [classes.index(target)]


def explained_network(detector: Detector) -> ExplainedNetwork:
    """Build the network of a detector anew, for explanations: some seconds, and TensorFlow's start the first time.

    Raises:
        DetectorError: Its file is no longer there, or has changed.
        SetupError: TensorFlow is not installed.
    """
    keras = import_keras()
    source = detector.source
    with about(source.weights_file):
        model = build_keras(source.graph, source.read_weights(), source.spec.input_size)
    dense = model.get_layer(source.graph.head.dense)
    evidence = keras.layers.Dense(len(source.spec.classes), dtype="float32", name=EVIDENCE_LAYER)
    # inputs in a list, for tf-keras-vis calls the model with one
    explained = keras.Model([model.input], evidence(dense.input), name="explained")
    evidence.set_weights(_unit_a_class(dense))
    explained.trainable = False
    return ExplainedNetwork(explained, source.spec, source.graph.head.features, detector.outputs)


def _unit_a_class(dense: Any) -> list[NDArray[np.float32]]:
    kernel = np.asarray(dense.kernel)
    bias = np.asarray(dense.bias) if dense.use_bias else np.zeros(kernel.shape[1], np.float32)
    if kernel.shape[1] == 1:  # the sigmoid's unit is the log-odds of the second class
        return [np.concatenate([np.zeros_like(kernel), kernel], axis=1), np.concatenate([np.zeros_like(bias), bias])]
    return [kernel, bias]

"""Score-CAM (Wang et al., CVPR-W 2020), without gradients, by tf-keras-vis: whole, and its faster variant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.explain.base import Maps, RelativeMethod, Request
from core.explain.network import ExplainedNetwork, MapLayer

CHUNK = 32
FASTER_CHANNELS = 10
WINDOW_LAYER = "channel_window"
NOTE = "Relative: each channel's map is laid over the face as a mask, and counts by the answer to what is left."


class ScoreCam(RelativeMethod):
    """Every channel of the layer masks the face once, and is weighted by the probability of the target.

    tf-keras-vis judges all of the channels in one call, with a copy of the face for each in memory. Here it is shown a
    window of some channels at a time, and the windows' maps add up to the same.
    """

    name, title = "score_cam", "Score-CAM"
    slow = alone = True
    note = NOTE

    def count(self, network: ExplainedNetwork, layer: MapLayer) -> int:
        return layer.channels // window_width(layer.channels)

    def parts(self, request: Request) -> Iterator[Maps]:
        from tf_keras_vis.utils.scores import InactiveScore

        window = _window_layer(window_width(request.layer.channels))
        model = _windowed(request, window)
        for number in range(self.count(request.network, request.layer)):
            window.start.assign(number * window.width)
            yield score_cam(model, [request.network.share(request.target), InactiveScore()], request, WINDOW_LAYER)


class FasterScoreCam(RelativeMethod):
    """Score-CAM with the ten channels alone whose maps vary most (tabayashi0117's idea, in tf-keras-vis)."""

    name, title = "faster_score_cam", "Faster-Score-CAM"
    alone = True  # in a batch all faces would get each other's channels as well
    note = f"{NOTE} Only the ten channels that vary most."

    def parts(self, request: Request) -> Iterator[Maps]:
        model = _judging(request.network, request.network.model.outputs[0])
        few = min(FASTER_CHANNELS, request.layer.channels)
        yield score_cam(model, request.network.share(request.target), request, request.layer.name, max_N=few)


def score_cam(model: Any, scores: Any, request: Request, layer: str, **options: Any) -> Maps:
    """tf-keras-vis's own, at the layer's size."""
    from tf_keras_vis.scorecam import Scorecam

    maps = Scorecam(model)(
        scores,
        request.pixels,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        activation_modifier=None,  # the ReLU belongs behind the sum of all windows
        expand_cam=False,
        normalize_cam=False,
        **options,
    )
    return np.asarray(maps)


def window_width(channels: int) -> int:
    """The largest number of channels up to `CHUNK` by which all of them divide."""
    return max(width for width in range(1, CHUNK + 1) if channels % width == 0)


def _window_layer(width: int) -> Any:
    import keras
    import tensorflow as tf

    class ChannelWindow(keras.layers.Layer):
        """Some channels of what it is given, from `start` on."""

        def __init__(self) -> None:
            super().__init__(name=WINDOW_LAYER, dtype="float32")
            self.width = width
            self.start = self.add_weight(name="start", shape=(), dtype="int32", initializer="zeros", trainable=False)

        def call(self, maps: Any) -> Any:
            return tf.gather(maps, self.start + tf.range(width), axis=-1)

    return ChannelWindow()


def _windowed(request: Request, window: Any) -> Any:
    """A model that tf-keras-vis finds the window in: pooled, it is a second output, which counts for nothing."""
    import keras

    seen = window(request.network.model.get_layer(request.layer.name).output)
    pooled = keras.layers.GlobalAveragePooling2D()(seen)
    return _judging(request.network, request.network.model.outputs[0], pooled)


def _judging(network: ExplainedNetwork, *outputs: Any) -> Any:
    """A model whose `predict` asks the detector's engine: Keras's own would be traced anew each time, and print."""
    import keras

    others = outputs[1:]

    class Judging(keras.Model):
        def predict(self, pixels: Any, batch_size: int) -> Any:
            (masked,) = pixels
            judged = network.answers(np.asarray(masked, np.float32))
            return [judged, *(np.zeros((len(judged), one.shape[-1]), np.float32) for one in others)]

    return Judging(network.model.inputs, list(outputs))

"""Class activation map (Zhou et al., CVPR 2016), which comes with the engine's answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.explain.base import LogitMethod, Maps, Request
from core.explain.network import EVIDENCE_LAYER, MapLayer


class ActivationMap(LogitMethod):
    """The features of the last convolution through the head's own weights: its mean plus the bias is the log-odds.

    Here it is computed from the network, for each target; for "why fake" the engine has it in every answer, for free.
    With more classes each counts as much as the log-odds change with it (`core.detector.head.interpret`).
    """

    name, title = "activation_map", "Activation map"
    signed = True
    layered = False
    note = (
        "In logits, exact: the mean of the map plus a constant is the answer on this crop. It comes with every verdict."
    )

    def parts(self, request: Request) -> Iterator[Maps]:
        import tensorflow as tf

        network = request.network
        head = network.model.get_layer(EVIDENCE_LAYER)
        maps = tf.nn.conv2d(network.features_of(request.pixels), head.kernel[None, None], 1, "VALID")
        outputs = tf.reduce_mean(maps, [1, 2]) + head.bias
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            score = network.score(request.target)(outputs)
        weights = tape.gradient(score, outputs)
        yield np.asarray(tf.einsum("nhwk,nk->nhw", maps, weights))

    def _shape(self, layer: MapLayer, size: int) -> tuple[int, int]:
        return (0, 0)  # as an engine gives it for no faces

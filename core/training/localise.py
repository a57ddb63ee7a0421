"""The localisation loss: what speaks for a fake should stand where it was changed.

Self-blends and composites come with their masks. A detector's logit is the mean of its map of evidence, so a small part
of a face is a whisper in it. Asking, of such a fake, for more evidence inside the mask than outside teaches the network
which part it was; that masks help a detector to generalise is from Face X-ray (Li et al., CVPR 2020). Only the
difference is asked for: evidence everywhere costs nothing, so the loss never works against the verdict.
"""

from typing import Any

import keras
from keras import ops

from core.detector.network import HEAD_LAYER, POOL_LAYER

MARGIN = 4.0
"""Logits by which evidence inside the mask should exceed that outside."""


class Evidence(keras.layers.Layer):
    """(n, h, w, c) features to (n, h, w) evidence for fake in logits, without the head's bias.

    Its mean is the logit of a sigmoid head. Of a softmax it is the mean of the fakes' logits less that of real, which
    rises and falls with the log-odds of fake.
    """

    def __init__(self, head: keras.layers.Dense) -> None:
        super().__init__(dtype="float32")
        self._head = head

    def call(self, features: Any) -> Any:
        kernel = self._head.kernel
        if self._head.units > 1:
            kernel = ops.mean(kernel[:, 1:], axis=1, keepdims=True) - kernel[:, :1]
        return ops.squeeze(ops.matmul(features, kernel), axis=-1)


def with_evidence(model: keras.Model) -> keras.Model:
    """The network with its map of evidence as a second output; both share all layers and variables."""
    evidence = Evidence(model.get_layer(HEAD_LAYER))(model.get_layer(POOL_LAYER).input)
    return keras.Model(model.input, [model.output, evidence], name="with_evidence")


def place_loss(contrasts: Any, evidence: Any) -> Any:
    """Of each picture: 0 where evidence inside exceeds that outside by far more than the margin; (n,).

    Args:
        contrasts: (n, h, w) as `core.data.places.contrast` gives them.
        evidence: (n, h, w) in logits.
    """
    known = ops.cast(ops.any(contrasts != 0, axis=(1, 2)), evidence.dtype)
    return known * ops.softplus(MARGIN - ops.sum(contrasts * evidence, axis=(1, 2))) / MARGIN


def side_of_maps(model: keras.Model) -> int:
    """Side of the maps that the head sees."""
    side: int = model.get_layer(POOL_LAYER).input.shape[1]
    return side

"""Batch normalisation folded into the convolutions before it, so that a trained network can be trained on more quickly.

At inference `gamma * (conv(x) - mean) / sqrt(variance + epsilon) + beta` is a convolution with scaled kernels and a
bias (Jacob et al., CVPR 2018, section 3.2). A network that was trained before gives the same numbers in that form, and
learns on without the passes over every feature map that Keras spends on normalisation: on two processor cores a step
costs half. The statistics stay what they were, as with normalisation held fixed; `unfold` gives the usual graph back.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.detector.fused import separable_conv, separable_is_plain

PACKAGE = "deepfake_detector"


@keras.saving.register_keras_serializable(package=PACKAGE)
class FoldedSeparable(keras.layers.Layer):
    """A 3×3 separable convolution of stride 1 with a bias, on (n, h, w, c) features.

    Args:
        filters: Channels that come out.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1]
        self.depthwise = self.add_weight(name="depthwise", shape=(3, 3, channels, 1))
        self.pointwise = self.add_weight(name="pointwise", shape=(channels, self.filters))
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        return separable_conv(inputs, self.depthwise, self.pointwise, self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}


def fold(model: keras.Model) -> keras.Model:
    """The same function without batch normalisation: each is folded into the convolution before it.

    Args:
        model: A flat functional graph in which batch normalisation only follows convolutions without a bias, separable
            ones being 3×3 of stride 1, as in Xception. It stays as it is.

    Returns:
        A network with the same layer names; the places of batch normalisation are taken by layers that do nothing.

    Raises:
        ValueError: A normalisation follows something else.
    """
    pairs = {conv.name: conv for conv, _ in _pairs(model)}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.BatchNormalization):
            return keras.layers.Activation("linear", name=layer.name, dtype=layer.dtype_policy)
        if layer.name not in pairs:
            return layer.__class__.from_config(layer.get_config())
        if isinstance(layer, keras.layers.SeparableConv2D):
            return FoldedSeparable(layer.filters, name=layer.name, dtype=layer.dtype_policy)
        return keras.layers.Conv2D.from_config({**layer.get_config(), "use_bias": True})

    # a normalisation is called with a mask, which what stands in its place does not take
    folded = keras.models.clone_model(model, clone_function=clone, call_function=lambda layer, *args, **_: layer(*args))
    for layer in model.layers:
        if layer.weights and layer.name not in pairs and not isinstance(layer, keras.layers.BatchNormalization):
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    for conv, norm in _pairs(model):
        folded.get_layer(conv.name).set_weights(_folded_weights(conv, norm))
    return folded


def unfold(folded: keras.Model, template: keras.Model) -> keras.Model:
    """`template` with the weights of a folded network: the usual graph, which gives the same numbers.

    Args:
        folded: What `fold` made of a network like the template, trained on or not.
        template: The usual graph; its weights are replaced. Layers are matched by place, since Keras numbers nameless
            ones anew for each network of a process.
    """
    mine = [layer for layer in template.layers if layer.weights]
    norms = {conv.name: norm for conv, norm in _pairs(template)}
    targets = [layer for layer in mine if not isinstance(layer, keras.layers.BatchNormalization)]
    sources = [layer for layer in folded.layers if layer.weights]
    for target, source in zip(targets, sources, strict=True):
        if target.name not in norms:
            target.set_weights(source.get_weights())
            continue
        *kernels, bias = source.get_weights()
        if isinstance(source, FoldedSeparable):
            kernels[1] = kernels[1][None, None]
        target.set_weights(kernels)
        norm, one = norms[target.name], np.ones_like(bias)
        norm.set_weights([one * np.sqrt(1 + norm.epsilon, dtype=np.float32), bias, 0 * one, one])
    return template


def _pairs(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """Each batch normalisation with the convolution whose output it takes."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            conv = layer.input._keras_history.operation
            if not _can_take(conv):
                raise ValueError(f"{layer.name} follows {conv.name}, which it cannot be folded into")
            yield conv, layer


def _can_take(conv: keras.layers.Layer) -> bool:
    if isinstance(conv, keras.layers.SeparableConv2D):
        return separable_is_plain(conv)
    return isinstance(conv, keras.layers.Conv2D) and not conv.use_bias


def _folded_weights(conv: keras.layers.Layer, norm: keras.layers.Layer) -> list[NDArray[np.float32]]:
    gamma, beta, mean, variance = norm.get_weights()
    gain = gamma / np.sqrt(variance + norm.epsilon)
    *before, kernel = conv.get_weights()
    kernel = kernel * gain
    if isinstance(conv, keras.layers.SeparableConv2D):
        kernel = kernel[0, 0]
    return [*before, kernel, beta - mean * gain]

"""The small autoencoder of a diffusion model's latent space (TAEF2, github.com/madebyollin/taesd), in Keras."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from benchmarks.torch_file import read_tensors
from core.errors import DetectorError

SHRINKS = 8
"""How many pixels a latent stands for, along each side."""
LATENTS = 32
HALVINGS, BLOCKS, GROUPS = 3, 3, 4

Rgb = NDArray[np.uint8]
Tensors = dict[str, NDArray[np.float32]]


class Autoencoder:
    """Rebuilds pictures by a network.

    Args:
        encoder: PyTorch file with the encoder's weights.
        decoder: The same of the decoder.

    Raises:
        DetectorError: A file cannot be read, or its weights are of another network.
    """

    def __init__(self, encoder: Path, decoder: Path) -> None:
        self._encoder, self._decoder = encoder_of(read_tensors(encoder)), decoder_of(read_tensors(decoder))

    def __call__(self, pictures: Rgb, noise: NDArray[np.float32]) -> Rgb:
        """RGB uint8 (n, h, w, 3), sides multiples of 8, and (n, h/8, w/8, 32) that is added to the latents."""
        latents = np.asarray(self._encoder.predict_on_batch(pictures.astype(np.float32) / 255)) + noise
        rebuilt = np.asarray(self._decoder.predict_on_batch(latents))
        return np.round(np.clip(rebuilt, 0, 1) * 255).astype(np.uint8)


def encoder_of(tensors: Tensors) -> Any:
    """(n, h, w, 3), 0..1, to latents (n, h/8, w/8, 32)."""
    add = _Layers(tensors)
    given = keras.Input((None, None, 3))
    x = add.residual(add.conv(given))
    for _ in range(HALVINGS):
        x = add.conv(x, stride=2)
        for _ in range(BLOCKS):
            x = add.residual(x)
    return add.model(given, add.conv(x))


def decoder_of(tensors: Tensors) -> Any:
    """Latents (n, h/8, w/8, 32) to (n, h, w, 3), about 0..1."""
    add = _Layers(tensors)
    given = keras.Input((None, None, LATENTS))
    x = add.unweighted(layers.Lambda(lambda z: ops.tanh(z / 3) * 3), given)
    x = add.unweighted(layers.ReLU(), add.conv(x))
    for _ in range(HALVINGS):
        for _ in range(BLOCKS):
            x = add.residual(x)
        x = add.conv(add.unweighted(layers.UpSampling2D(), x))
    return add.model(given, add.conv(add.residual(x)))


class _Layers:
    """Adds layers with the weights that have the next place in PyTorch's sequence."""

    def __init__(self, tensors: Tensors) -> None:
        self._left, self._place = dict(tensors), 0

    def unweighted(self, layer: Any, x: Any) -> Any:
        self._place += 1
        return layer(x)

    def conv(self, x: Any, stride: int = 1) -> Any:
        self._place += 1
        return self._conv(x, f"{self._place - 1}", stride)

    def residual(self, x: Any) -> Any:
        """Three convolutions beside the input; before them, in blocks that have it, a normalised detour."""
        name = f"{self._place}"
        self._place += 1
        if f"{name}.pool.1.weight" in self._left:
            norm = layers.GroupNormalization(GROUPS, epsilon=1e-5)
            wide = norm(self._conv(x, f"{name}.pool.0"))
            norm.set_weights([self._left.pop(f"{name}.pool.1.{part}") for part in ("weight", "bias")])
            x = layers.Add()([x, self._conv(layers.ReLU()(wide), f"{name}.pool.3")])
        y = layers.ReLU()(self._conv(x, f"{name}.conv.0"))
        y = layers.ReLU()(self._conv(y, f"{name}.conv.2"))
        return layers.ReLU()(layers.Add()([x, self._conv(y, f"{name}.conv.4")]))

    def model(self, given: Any, x: Any) -> Any:
        if self._left:
            raise DetectorError(f"These are not the autoencoder's weights: {next(iter(self._left))} has no place.")
        return keras.Model(given, x)

    def _conv(self, x: Any, name: str, stride: int = 1) -> Any:
        if f"{name}.weight" not in self._left:
            raise DetectorError(f"These are not the autoencoder's weights: {name}.weight is missing.")
        weight, bias = self._left.pop(f"{name}.weight"), self._left.pop(f"{name}.bias", None)
        channels, _, kernel, _ = weight.shape
        layer = layers.Conv2D(channels, kernel, stride, use_bias=bias is not None)
        x = layer(layers.ZeroPadding2D(kernel // 2)(x))
        layer.set_weights([weight.transpose(2, 3, 1, 0), *([] if bias is None else [bias])])
        return x

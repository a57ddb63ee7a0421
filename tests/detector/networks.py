"""Small stand-ins for Xception with its kinds of layers, and weights under which their answers differ."""

from pathlib import Path

import keras
import numpy as np

from core.detector.artifact import save_artifact
from core.detector.network import FEATURES_LAYER, attach_head
from core.detector.spec import DetectorSpec

SIZE = 32
LAYERS = keras.layers


def base(size: int | None = SIZE) -> keras.Model:
    """Every kind of layer that Xception has: convolutions, separable ones, normalisation, a shortcut that is added."""
    inputs = keras.Input((size, size, 3))
    x = LAYERS.Conv2D(6, 3, strides=2, use_bias=False, name="block1_conv1")(inputs)
    x = LAYERS.BatchNormalization(name="block1_conv1_bn")(x)
    x = LAYERS.Activation("relu", name="block1_conv1_act")(x)
    side = LAYERS.Conv2D(8, 1, strides=2, padding="same", use_bias=False)(x)
    side = LAYERS.BatchNormalization()(side)
    x = LAYERS.SeparableConv2D(8, 3, padding="same", use_bias=False, name="block2_sepconv1")(x)
    x = LAYERS.BatchNormalization(name="block2_sepconv1_bn")(x)
    x = LAYERS.MaxPooling2D(3, strides=2, padding="same", name="block2_pool")(x)
    x = LAYERS.Add()([x, side])
    x = LAYERS.SeparableConv2D(12, 3, padding="same", use_bias=False, name="block14_sepconv2")(x)
    x = LAYERS.BatchNormalization(name="block14_sepconv2_bn")(x)
    x = LAYERS.Activation("relu", name=FEATURES_LAYER)(x)
    return keras.Model(inputs, x, name="xception")


def flat(classes: tuple[str, ...] = ("real", "fake"), *, dropout: float = 0.0, seed: int = 0) -> keras.Model:
    model = base()
    return randomised(attach_head(model.input, model.output, classes, dropout=dropout), seed)


def classic(features: keras.Model | None = None, units: int = 1) -> keras.Model:
    """The classic script's shape: a model inside a Sequential."""
    head = LAYERS.Dense(units, activation="sigmoid" if units == 1 else "softmax")
    return randomised(
        keras.Sequential([features or base(), LAYERS.GlobalAveragePooling2D(), head]), scale=1 / 255, offset=0
    )


def randomised(model: keras.Model, seed: int = 0, *, scale: float = 1 / 127.5, offset: float = -1) -> keras.Model:
    """Weights as after some training, whose answers to `crops` spread over 0..1.

    With freshly made ones every answer would be near 0.5, and any fault would pass.
    """
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape, name = variable.shape, variable.path.rsplit("/", 1)[-1]
        if name == "gamma":
            value = rng.uniform(0.8, 1.2, shape)
        elif name == "moving_variance":
            value = rng.uniform(0.05, 0.2, shape)
        elif len(shape) == 1:
            value = rng.normal(0, 0.2, shape)
        else:
            fan_in = (
                shape[0] * shape[1] * (1 if name == "depthwise_kernel" else shape[2]) if len(shape) == 4 else shape[0]
            )
            value = rng.normal(0, 1 / np.sqrt(fan_in), shape)
        variable.assign(value)
    head = model.layers[-1]
    pixels = crops(32, model.input_shape[1] or SIZE) * scale + offset
    logits = keras.Model(model.inputs[0], head.input)(pixels.astype(np.float32)).numpy() @ head.kernel.numpy()
    kernel = head.kernel.numpy() * 1.5 / logits.std(0)
    head.set_weights([kernel, -(logits * 1.5 / logits.std(0)).mean(0)])
    return model


def halved(model: keras.Model) -> keras.Model:
    """The same network with what float16 leaves of its convolution kernels, which is all that saving may change."""
    for variable in model.weights:
        if len(variable.shape) == 4:
            variable.assign(variable.numpy().astype(np.float16))
    return model


def crops(count: int = 8, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """Smooth blotches of different colour and contrast, so that the answers spread."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 2, 2, 3)).astype(np.float32)
    fine = coarse.repeat(-(-size // 2), 1).repeat(-(-size // 2), 2)[:, :size, :size]
    noisy = fine + rng.normal(0, 20, fine.shape) * rng.uniform(0, 2, (count, 1, 1, 1))
    return noisy.clip(0, 255).astype(np.uint8)


def saved(folder: Path, model: keras.Model | None = None, **spec: object) -> DetectorSpec:
    """A detector's folder with a tiny network."""
    values = {"name": folder.name, "input_size": SIZE, **spec}
    return save_artifact(folder, model or flat(), DetectorSpec(**values))

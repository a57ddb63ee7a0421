"""The Xception graph of a detector: flat, functional, with a linear head on the last convolution's features.

Flat means that every layer stands in one model, none inside another: heatmaps, conversion and weight files stay simple.
"""

from collections.abc import Sequence
from pathlib import Path

import keras

FEATURES_LAYER = "block14_sepconv2_act"
POOL_LAYER = "avg_pool"
HEAD_LAYER = "predictions"
MIN_INPUT_SIZE = 71  # below this Xception's strides leave no feature map


def build_network(
    input_size: int,
    classes: Sequence[str] = ("real", "fake"),
    *,
    imagenet: Path | str | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """Xception (Chollet, CVPR 2017) with global average pooling and one dense layer.

    Args:
        input_size: Side of the square input in pixels, at least 71.
        classes: Names of the classes; the first is `real`. Two give `Dense(1, sigmoid)`, the probability of the
            second one; more give a softmax in this order.
        imagenet: Where the base's weights come from: the path of a `.weights.h5` file without the top, `"imagenet"`
            to let Keras download them, or None for random ones.
        dropout: Share of pooled features dropped in training; 0 leaves the layer out.

    Returns:
        A model from (n, input_size, input_size, 3) floats, preprocessed as `Preprocessing` says, to (n, 1) or
        (n, classes) float32 probabilities.

    Raises:
        ValueError: `input_size` is too small or `classes` are fewer than two.

    Example:
        >>> build_network(160).output_shape
        (None, 1)
    """
    if input_size < MIN_INPUT_SIZE:
        raise ValueError(f"input_size must be at least {MIN_INPUT_SIZE}, got {input_size}")
    if len(classes) < 2 or len(set(classes)) != len(classes):
        raise ValueError(f"classes must be two or more different names, got {list(classes)}")
    base = keras.applications.Xception(
        include_top=False,
        weights="imagenet" if imagenet == "imagenet" else None,
        input_shape=(input_size, input_size, 3),
    )
    if imagenet not in (None, "imagenet"):
        base.load_weights(imagenet)
    return attach_head(base.input, base.output, classes, dropout=dropout)


def attach_head(
    inputs: keras.KerasTensor, features: keras.KerasTensor, classes: Sequence[str], *, dropout: float = 0.0
) -> keras.Model:
    """Global average pooling and one dense layer on (n, h, w, c) features: what makes activation maps exact."""
    x = keras.layers.GlobalAveragePooling2D(name=POOL_LAYER)(features)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    units, activation = (1, "sigmoid") if len(classes) == 2 else (len(classes), "softmax")
    outputs = keras.layers.Dense(units, activation=activation, dtype="float32", name=HEAD_LAYER)(x)
    return keras.Model(inputs, outputs, name="xception_detector")

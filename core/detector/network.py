"""The Xception graph of a detector: flat, functional, with a linear head on the last convolution's features.

Flat means that every layer stands in one model, none inside another: heatmaps, conversion and weight files stay simple.
"""

from collections.abc import Sequence
from pathlib import Path

import keras

FEATURES_LAYER = "block14_sepconv2_act"
POOL_LAYER = "avg_pool"
HEAD_LAYER = "predictions"
NECK_LAYER = "neck_sepconv"
MIN_INPUT_SIZE = 71  # below this Xception's strides leave no feature map
BLOCKS = 14
NECK_FILTERS = 256


def build_network(
    input_size: int,
    classes: Sequence[str] = ("real", "fake"),
    *,
    imagenet: Path | str | None = None,
    dropout: float = 0.0,
    blocks: int = BLOCKS,
) -> keras.Model:
    """Xception (Chollet, CVPR 2017) with global average pooling and one dense layer.

    Args:
        input_size: Side of the square input in pixels, at least 71.
        classes: Names of the classes; the first is `real`. Two give `Dense(1, sigmoid)`, the probability of the
            second one; more give a softmax in this order.
        imagenet: Where the base's weights come from: the path of a `.weights.h5` file without the top, `"imagenet"`
            to let Keras download them, or None for random ones.
        dropout: Share of pooled features dropped in training; 0 leaves the layer out.
        blocks: How many of the 14 blocks are kept, 2 to 14. Behind fewer a separable convolution of its own follows,
            since their features are not yet fit for a linear head.

    Returns:
        A model from (n, input_size, input_size, 3) floats, preprocessed as `Preprocessing` says, to (n, 1) or
        (n, classes) float32 probabilities.

    Raises:
        ValueError: `input_size` is too small, `blocks` are not 2 to 14, or `classes` are fewer than two.

    Example:
        >>> build_network(160).output_shape
        (None, 1)
    """
    if input_size < MIN_INPUT_SIZE:
        raise ValueError(f"input_size must be at least {MIN_INPUT_SIZE}, got {input_size}")
    if len(classes) < 2 or len(set(classes)) != len(classes):
        raise ValueError(f"classes must be two or more different names, got {list(classes)}")
    if not 2 <= blocks <= BLOCKS:
        raise ValueError(f"blocks must be from 2 to {BLOCKS}, got {blocks}")
    base = keras.applications.Xception(
        include_top=False,
        weights="imagenet" if imagenet == "imagenet" else None,
        input_shape=(input_size, input_size, 3),
    )
    if imagenet not in (None, "imagenet"):
        base.load_weights(imagenet)
    features = base.output if blocks == BLOCKS else _neck(_end_of_block(base, blocks))
    return attach_head(base.input, features, classes, dropout=dropout)


def _end_of_block(base: keras.Model, number: int) -> keras.KerasTensor:
    """What the given block gives, its shortcut added: the input of the next block's first layer that has a number."""
    # by what follows, since Keras numbers the additions anew for each network in a process
    after = "block14_sepconv1" if number == BLOCKS - 1 else f"block{number + 1}_sepconv1_act"
    return base.get_layer(after).input


def _neck(features: keras.KerasTensor) -> keras.KerasTensor:
    x = keras.layers.Activation("relu", name="neck_relu")(features)
    x = keras.layers.SeparableConv2D(NECK_FILTERS, 3, padding="same", use_bias=False, name=NECK_LAYER)(x)
    x = keras.layers.BatchNormalization(name="neck_bn")(x)
    return keras.layers.Activation("relu", name="neck_act")(x)


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


def split_off_head(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A network in two: what gives features, and what learns on them. Both share its layers.

    Returns:
        The base, up to pooled features (n, c), or where the network has a neck up to the maps (n, h, w, c) before it;
        and the head, from those to probabilities.
    """
    names = {layer.name for layer in model.layers}
    cut = model.get_layer("neck_relu").input if NECK_LAYER in names else model.get_layer(POOL_LAYER).output
    return keras.Model(model.input, cut, name="base"), keras.Model(cut, model.output, name="head")

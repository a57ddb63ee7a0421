"""Run on its own by the tests, since Keras 2 and Keras 3 do not share a process: the classic script, old-fashioned.

python make_keras2.py FOLDER writes model.h5 (Xception), small.h5 (a flat network with other layers and dropout) and
their answers, each for pixels.npy divided by 255.
"""

import sys
from pathlib import Path

import numpy as np
import tf_keras as keras

LAYERS = keras.layers


def classic(size):
    features = keras.applications.Xception(include_top=False, weights=None, input_shape=(size, size, 3))
    return keras.Sequential([features, LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1, activation="sigmoid")])


def small(size):
    inputs = keras.Input((size, size, 3))
    x = LAYERS.ZeroPadding2D(1)(inputs)
    x = LAYERS.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = LAYERS.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = LAYERS.BatchNormalization(scale=False)(x)
    x = LAYERS.ReLU(6.0)(x)
    x = LAYERS.AveragePooling2D(2, padding="same")(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    x = LAYERS.Dropout(0.5)(x)
    return keras.Model(inputs, LAYERS.Dense(3, activation="softmax")(x))


def randomise(model, pixels):
    rng = np.random.default_rng(0)
    for variable in model.weights:
        shape, name = variable.shape, variable.name
        if "gamma" in name:
            value = rng.uniform(0.8, 1.2, shape)
        elif "variance" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif len(shape) == 1:
            value = rng.normal(0, 0.2, shape)
        else:
            value = variable.numpy() * 2
        variable.assign(value)
    head = model.layers[-1]  # its answers shall spread: near 0.5 they would be alike whatever went wrong
    logits = keras.Model(model.input, head.input)(pixels).numpy() @ head.get_weights()[0]
    # Not 1.5: random features differ little between pictures, and such a head blows float32's rounding up until Keras 2
    # differs from itself by 1.9e-5 between a call and predict, and by 2.7e-5 between a batch and one by one.
    factor = 0.6 / logits.std(0)
    head.set_weights([head.get_weights()[0] * factor, -(logits * factor).mean(0)])


keras.utils.set_random_seed(0)  # one network for all runs: of unlucky ones rounding alone moves an answer by 1.2e-5
folder = Path(sys.argv[1])
pixels = np.load(folder / "pixels.npy").astype(np.float32) / 255
for stem, make in (("model", classic), ("small", small)):
    model = make(pixels.shape[1])
    randomise(model, pixels)
    model.compile("adam", "binary_crossentropy")
    model.save(folder / f"{stem}.h5")
    np.save(folder / f"{stem}.npy", model(pixels, training=False).numpy())

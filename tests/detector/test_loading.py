"""Whatever Keras saved, nested or flat, new or old: one flat float32 network, the same answers."""

import keras
import numpy as np
import pytest

from core.detector.artifact import load_spec
from core.detector.loading import load_keras, read_graph
from core.errors import DetectorError
from tests.detector import networks
from tests.detector.conftest import CLASSIC_SIZE
from tests.detector.networks import LAYERS, SIZE

PIXELS = networks.crops().astype(np.float32) / 255


def nested_functional():
    """A base called like a layer, the way of Keras's guide to transfer learning, with what only training needs."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = LAYERS.RandomFlip()(inputs)
    x = LAYERS.Rescaling(2.0, offset=-1.0)(x)
    x = LAYERS.GlobalAveragePooling2D()(networks.base()(x, training=False))
    outputs = LAYERS.Dense(1, activation="sigmoid")(LAYERS.Dropout(0.3)(x))
    return networks.randomised(keras.Model(inputs, outputs), scale=1 / 255, offset=0)


def any_size():
    return networks.classic(networks.base(None))


def separate_activation():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = LAYERS.Conv2D(4, 3, activation="swish")(inputs)
    x = LAYERS.Dense(1)(LAYERS.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, LAYERS.Activation("sigmoid")(x))
    for variable in model.weights:
        variable.assign(np.random.default_rng(0).normal(0, 1, variable.shape))
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: networks.randomised(networks.flat(), scale=1 / 255, offset=0),  # as train.py saves it
        networks.classic,  # a model in a Sequential
        nested_functional,  # a model in a model, with dropout and augmentation
        any_size,  # include_top=False without an input shape
        separate_activation,  # the sigmoid as a layer of its own
    ],
)
def test_what_keras_3_saved_is_flat_and_answers_the_same(tmp_path, make, suffix):
    model = make()
    model.compile("adam", "binary_crossentropy")  # as a script leaves it: the file then holds more than a network
    path = tmp_path / f"model{suffix}"
    model.save(path)
    loaded = load_keras(path, SIZE)
    assert not any(isinstance(layer, keras.Model) for layer in loaded.layers)
    answers = model(PIXELS, training=False)
    assert np.ptp(answers) > 0.05  # equal answers would be equal under any fault
    np.testing.assert_allclose(loaded(PIXELS, training=False), answers, atol=1e-5)


def test_a_network_trained_in_mixed_precision_is_loaded_in_float32(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        networks.flat().save(tmp_path / "model.keras")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {layer.compute_dtype for layer in load_keras(tmp_path / "model.keras").layers} == {"float32"}


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("model", "Xception"),  # the classic script
        ("small", "padding, depthwise, average pooling, ReLU 6, dropout, softmax"),
    ],
)
def test_what_keras_2_saved_answers_the_same(keras2, name, kinds):
    pixels = np.load(keras2 / "pixels.npy").astype(np.float32) / 255
    answers = np.load(keras2 / f"{name}.npy")
    assert np.ptp(answers) > 0.3
    np.testing.assert_allclose(load_keras(keras2 / f"{name}.h5")(pixels, training=False), answers, atol=1e-5)


def test_keras_3_itself_cannot_read_that_file(keras2):
    """The reason for a reader of our own; when Keras learns it, this says so."""
    with pytest.raises((TypeError, ValueError)):
        keras.models.load_model(keras2 / "model.h5", compile=False)


def test_a_classic_file_tells_how_it_is_used(keras2):
    spec = load_spec(keras2 / "model.h5")
    assert (spec.name, spec.input_size, spec.classes) == ("model", CLASSIC_SIZE, ("real", "fake"))
    assert (spec.preprocessing.scale, spec.preprocessing.offset) == (pytest.approx(1 / 255), 0.0)
    assert "unknown" in spec.description
    assert "neither calibrated nor measured" in spec.description


def test_pixels_are_not_scaled_twice(tmp_path):
    nested_functional().save(tmp_path / "own.keras")
    assert load_spec(tmp_path / "own.keras").preprocessing.scale == 1.0


def test_a_file_that_takes_any_size_is_given_xceptions_own(tmp_path):
    any_size().save(tmp_path / "any.keras")
    assert load_spec(tmp_path / "any.keras").input_size == 299


def headless(*layers):
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), *layers])


CONV = {"filters": 4, "kernel_size": 3}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: headless(LAYERS.Lambda(lambda x: x), LAYERS.Dense(1)), "Lambda, which holds Python code"),
        (lambda: headless(LAYERS.Flatten(), LAYERS.Dense(1)), "Flatten.*no Xception"),
        (lambda: headless(LAYERS.LayerNormalization()), "LayerNormalization.*no Xception"),
        (lambda: headless(LAYERS.Conv2D(**CONV)), "must end in"),  # no head
        (lambda: headless(LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1)), "must end in"),  # no convolution
        (
            lambda: headless(LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(8), LAYERS.Dense(1)),
            "must end in",  # two dense layers: evidence would not be linear
        ),
        (lambda: headless(LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1)), "Dense.1, linear"),
        (
            lambda: headless(
                LAYERS.Conv2D(**CONV), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(2, activation="sigmoid")
            ),
            "Dense.2, sigmoid",  # several labels at once
        ),
        (
            lambda: headless(LAYERS.Conv2D(8, 3), LAYERS.Conv2D(8, 3, groups=2)),
            "groups=2",  # a setting that is not supported, rather than a wrong answer
        ),
        (lambda: keras.Sequential([keras.Input((8,)), LAYERS.Dense(1, activation="sigmoid")]), "must be RGB"),
    ],
)
def test_what_is_no_detector_is_refused_with_its_reason(tmp_path, make, words):
    for suffix in (".keras", ".h5"):
        make().save(tmp_path / f"other{suffix}")
        with pytest.raises(DetectorError, match=rf"^other{suffix} cannot be used\. .*{words}"):
            read_graph(tmp_path / f"other{suffix}")


@pytest.mark.parametrize(
    ("shape", "words"),
    [((32, 48, 3), "32 × 48 is not square"), ((32, 32, 1), "must be RGB")],
)
def test_inputs_that_are_no_square_pictures_are_refused(tmp_path, shape, words):
    head = [LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1, activation="sigmoid")]
    keras.Sequential([keras.Input(shape), LAYERS.Conv2D(**CONV), *head]).save(tmp_path / "m.keras")
    with pytest.raises(DetectorError, match=words):
        read_graph(tmp_path / "m.keras")


def test_a_size_that_the_network_cannot_take_is_said(tiny):
    with pytest.raises(DetectorError, match="do not fit 2 pixels"):
        load_keras(tiny / "model.keras", 2)

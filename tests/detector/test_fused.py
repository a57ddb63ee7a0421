"""A network computed by fused kernels learns the same, and what is saved of it is the usual one."""

import keras
import numpy as np
import pytest

from core.detector.fused import fuse
from core.detector.network import build_network
from tests.detector.networks import flat

LAYERS = keras.layers
NORM = "block2_sepconv1_bn"
needs_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the kernels are TensorFlow's")


def pictures(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(0.3, 2, (count, 32, 32, 3)).astype(np.float32)


def trained(model: keras.Model, steps: int = 4) -> keras.Model:
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", jit_compile=False)
    model.fit(pictures(), np.array([[0.0], [1]] * 3), epochs=steps, batch_size=6, shuffle=False, verbose=0)
    return model


def test_it_gives_the_same_numbers():
    model = flat()
    expected = model.predict(pictures(), verbose=0)
    np.testing.assert_allclose(fuse(model).predict(pictures(), verbose=0), expected, atol=1e-6)


def test_it_learns_the_same():
    usual, fused = trained(flat()), trained(fuse(flat()))
    for name, one, other in zip(
        (weight.path for weight in usual.weights), usual.get_weights(), fused.get_weights(), strict=True
    ):
        # TensorFlow keeps the unbiased variance: of n values n / (n - 1) times the other, here of 96 or more
        np.testing.assert_allclose(other, one, rtol=0.012 if "variance" in name else 1e-3, atol=1e-5, err_msg=name)
    assert not np.allclose(usual.get_layer(NORM).moving_mean, flat().get_layer(NORM).moving_mean)


def test_what_is_held_is_not_changed():
    model = fuse(flat())
    model.get_layer(NORM).trainable = False
    before = model.get_layer(NORM).get_weights()
    trained(model)
    for one, other in zip(model.get_layer(NORM).get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_holds_the_usual_layers(tmp_path):
    model = trained(fuse(flat()))
    model.save(tmp_path / "last.keras")
    again = keras.models.load_model(tmp_path / "last.keras")
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in flat().layers]
    assert "call" not in vars(again.get_layer(NORM))
    np.testing.assert_allclose(again.predict(pictures(), verbose=0), model.predict(pictures(), verbose=0), atol=1e-6)


@needs_tensorflow
def test_all_of_xception_is_fused_in_16_bits_too():
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = fuse(build_network(71))
        parts = (LAYERS.BatchNormalization, LAYERS.SeparableConv2D)
        assert all("call" in vars(layer) for layer in model.layers if isinstance(layer, parts))
        model.compile(optimizer="sgd", loss="binary_crossentropy", jit_compile=False)
        loss = model.train_on_batch(np.zeros((2, 71, 71, 3), np.float32), np.array([[0.0], [1]]))
        assert np.isfinite(loss)
    finally:
        keras.mixed_precision.set_global_policy(before)


@pytest.mark.parametrize(
    "layer",
    [
        LAYERS.BatchNormalization(scale=False),
        LAYERS.BatchNormalization(axis=1),
        LAYERS.SeparableConv2D(4, 3, padding="same", use_bias=True),
        LAYERS.SeparableConv2D(4, 3, padding="same", use_bias=False, activation="relu"),
        LAYERS.SeparableConv2D(4, 3, padding="same", use_bias=False, dilation_rate=2),
        LAYERS.SeparableConv2D(4, 3, padding="same", use_bias=False, strides=2),
    ],
)
def test_what_the_kernels_cannot_do_is_left_to_keras(layer):
    inputs = keras.Input((8, 8, 3))
    fuse(keras.Model(inputs, layer(inputs)))
    assert "call" not in vars(layer)

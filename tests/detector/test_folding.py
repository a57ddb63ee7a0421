"""A folded network gives the same numbers, learns, survives its file, and turns back into the usual one."""

import keras
import numpy as np
import pytest

from core.detector.folding import FoldedSeparable, fold, unfold
from core.detector.network import build_network
from tests.detector.networks import LAYERS, flat, randomised

SIZE = 32


def pictures(count=6, size=SIZE):
    return np.random.default_rng(1).uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


def kinds(model):
    return {type(layer) for layer in model.layers}


def spread(answers):
    """A network whose answers were all alike would make any two of them equal."""
    return float(np.ptp(np.asarray(answers), axis=0).max())


@pytest.mark.parametrize(
    "classes",
    [
        ("real", "fake"),  # one sigmoid
        ("real", "gan", "faceswap"),  # a softmax
    ],
)
def test_folding_changes_no_answer_and_leaves_no_normalisation(classes):
    model = flat(classes, dropout=0.2)
    expected = model.predict(pictures(), verbose=0)
    folded = fold(model)
    assert spread(expected) > 0.05
    np.testing.assert_allclose(folded.predict(pictures(), verbose=0), expected, atol=1e-5)
    assert LAYERS.BatchNormalization not in kinds(folded)
    assert [layer.name for layer in folded.layers[1:]] == [layer.name for layer in model.layers[1:]]
    np.testing.assert_array_equal(model.predict(pictures(), verbose=0), expected)  # it stays as it is


def test_what_was_learnt_in_the_folded_form_is_there_in_the_usual_one():
    folded = fold(flat())
    before = folded.predict(pictures(), verbose=0)
    folded.compile(optimizer=keras.optimizers.AdamW(0.01), loss="binary_crossentropy", jit_compile=False)
    folded.fit(pictures(), np.array([[0.0], [1]] * 3), epochs=3, verbose=0)
    learnt = folded.predict(pictures(), verbose=0)
    assert np.abs(learnt - before).max() > 0.02
    usual = unfold(folded, flat(seed=5))
    assert LAYERS.BatchNormalization in kinds(usual)
    np.testing.assert_allclose(usual.predict(pictures(), verbose=0), learnt, atol=1e-5)
    np.testing.assert_allclose(fold(usual).predict(pictures(), verbose=0), learnt, atol=1e-5)  # a second run


def test_xception_itself():
    model = randomised(build_network(71))
    expected = model.predict(pictures(2, 71), verbose=0)
    folded = fold(model)
    np.testing.assert_allclose(folded.predict(pictures(2, 71), verbose=0), expected, atol=1e-4)
    again = unfold(folded, build_network(71, dropout=0.3))  # by place: the shortcuts bear other numbers there
    np.testing.assert_allclose(again.predict(pictures(2, 71), verbose=0), expected, atol=1e-4)


def test_a_checkpoint_opens_again(tmp_path):
    folded = fold(flat())
    folded.save(tmp_path / "last.keras")
    opened = keras.models.load_model(tmp_path / "last.keras")
    assert FoldedSeparable in kinds(opened)
    np.testing.assert_array_equal(opened.predict(pictures(), verbose=0), folded.predict(pictures(), verbose=0))


def test_precision_is_kept():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = flat()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert {layer.compute_dtype for layer in fold(model).layers if layer.weights and layer.name != "predictions"} == {
        "bfloat16"
    }


@pytest.mark.parametrize(
    "layers",
    [
        [LAYERS.Conv2D(4, 3, use_bias=True)],  # a bias of its own
        [LAYERS.SeparableConv2D(4, 3, padding="same", strides=2, use_bias=False)],  # the folded one has stride 1
        [LAYERS.SeparableConv2D(4, 3, padding="same", dilation_rate=2, use_bias=False)],  # and is not dilated
        [LAYERS.SeparableConv2D(4, 3, padding="same", activation="relu", use_bias=False)],  # and gives what it sums
        [LAYERS.Conv2D(4, 3, use_bias=False), LAYERS.ReLU()],  # something stands between
    ],
)
def test_what_cannot_be_folded_is_named(layers):
    inputs = x = keras.Input((SIZE, SIZE, 3))
    for layer in layers:
        x = layer(x)
    model = keras.Model(inputs, LAYERS.BatchNormalization(name="late_bn")(x))
    with pytest.raises(ValueError, match=f"late_bn follows {layers[-1].name}"):
        fold(model)

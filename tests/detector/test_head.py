"""Outputs of a head read as log-odds, probabilities and evidence, against the definitions."""

import numpy as np
import pytest
from scipy.special import expit

from core.detector.head import interpret

RNG = np.random.default_rng(0)
MAPS = RNG.normal(0, 2, (5, 3, 4, 3)).astype(np.float32)
BIAS = np.array([0.3, -0.2, 0.1], np.float32)
LOGITS = MAPS.mean((1, 2)) + BIAS


@pytest.mark.parametrize(
    ("classes", "sign"),
    [
        (("real", "fake"), 1),  # the output is the probability of the second class
        (("fake", "real"), -1),  # labels in alphabetical order, as Keras's folder reader gives them
    ],
)
def test_a_sigmoid_is_the_probability_of_the_second_class(classes, sign):
    said = interpret(LOGITS[:, :1], MAPS[..., :1], classes)
    np.testing.assert_allclose(said.logits, sign * LOGITS[:, 0], rtol=1e-6)
    np.testing.assert_allclose(said.class_probabilities[:, 1], expit(LOGITS[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(said.activation_maps.mean((1, 2)) + sign * BIAS[0], said.logits, atol=1e-6)


@pytest.mark.parametrize("classes", [("real", "swapped", "generated"), ("swapped", "real", "generated")])
def test_with_more_classes_fake_is_all_that_is_not_real(classes):
    said = interpret(LOGITS, MAPS, classes)
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    real = classes.index("real")
    np.testing.assert_allclose(said.class_probabilities, shares, rtol=1e-5)
    np.testing.assert_allclose(expit(said.logits), 1 - shares[:, real], rtol=1e-5)


def test_the_evidence_of_a_softmax_is_the_gradient_of_its_log_odds():
    said = interpret(LOGITS, MAPS, ("real", "a", "b"))
    step = np.zeros_like(MAPS)
    step[:, 1, 2] = 1e-2  # one place gets a little more of what it has: its evidence says how the log-odds move
    moved = interpret((MAPS * (1 + step)).mean((1, 2)) + BIAS, MAPS, ("real", "a", "b"))
    change = (moved.logits - said.logits) * 12 / 1e-2
    np.testing.assert_allclose(change, said.activation_maps[:, 1, 2], rtol=0.03, atol=0.03)


def test_two_softmax_classes_have_a_map_whose_mean_and_bias_are_the_logit():
    said = interpret(LOGITS[:, :2], MAPS[..., :2], ("real", "fake"))
    np.testing.assert_allclose(said.logits, LOGITS[:, 1] - LOGITS[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(said.activation_maps.mean((1, 2)) + BIAS[1] - BIAS[0], said.logits, atol=1e-5)


def test_certainty_does_not_overflow():
    said = interpret(np.array([[800.0], [-800.0]], np.float32), np.zeros((2, 1, 1, 1), np.float32), ("real", "fake"))
    assert said.class_probabilities.tolist() == [[0, 1], [1, 0]]
    assert said.logits.dtype == said.class_probabilities.dtype == said.activation_maps.dtype == np.float32

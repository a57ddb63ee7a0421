"""Verdicts at thresholds, and the equal error rate."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_curve

from core.metrics import confusion, equal_error_rate, wilson_interval

P = [0.1, 0.4, 0.8, 0.9, 0.2, 0.5]
LABELS = [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("limits", "held_back", "real", "fake"),
    [
        ((0.3, 0.7), None, (1, 1, 1), (1, 1, 1)),
        ((0.4, 0.8), None, (1, 1, 1), (1, 1, 1)),  # 0.4 is not below, 0.8 is from there on
        ((0.5, 0.5), None, (2, 0, 1), (1, 0, 2)),  # nothing in between
        ((0.0, 1.0), None, (0, 3, 0), (0, 3, 0)),  # everything in between
        ((0.3, 0.7), [1, 0, 1, 0, 0, 0], (0, 3, 0), (1, 1, 1)),  # a gate holds two reals back
    ],
)
def test_confusion(limits, held_back, real, fake):
    found = confusion(P, LABELS, *limits, held_back=held_back)
    assert (found.real, found.fake) == (real, fake)


def test_each_may_have_limits_of_its_own():
    found = confusion(P, LABELS, [0.3, 0.5, 0.5, 0.3, 0.1, 0.3], [0.7, 0.7, 0.9, 0.95, 0.7, 0.5])
    assert (found.real, found.fake) == ((2, 1, 0), (0, 2, 1))


def test_accuracy_is_of_what_was_judged_and_of_both_classes_alike():
    found = confusion([0.1] * 8 + [0.9] * 2 + [0.9, 0.5], [0] * 10 + [1, 1], 0.3, 0.7)
    assert found.accuracy == pytest.approx((0.8 + 1.0) / 2)
    assert found.uncertain == pytest.approx(1 / 12)


@pytest.mark.parametrize(
    ("scores", "labels", "rate"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0.0),  # told apart
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 1.0),  # the wrong way round
        ([0.5, 0.5], [0, 1], 0.5),  # all ties
        ([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1], 0.5),  # one of two each
    ],
)
def test_equal_error_rate(scores, labels, rate):
    assert equal_error_rate(scores, labels)[0] == pytest.approx(rate)


def test_equal_error_rate_lies_where_scikit_learn_s_curve_crosses():
    rng = np.random.default_rng(0)
    labels = rng.random(2000) < 0.3
    scores = rng.normal(size=2000) + 1.5 * labels
    rate, threshold = equal_error_rate(scores, labels)
    x, y, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    at = int(np.argmin(np.abs(x - (1 - y))))
    assert rate == pytest.approx((x[at] + 1 - y[at]) / 2, abs=0.002)
    assert threshold == pytest.approx(thresholds[at], abs=0.01)


@pytest.mark.parametrize(("count", "total"), [(0, 20), (3, 20), (20, 20), (50, 1000)])
def test_wilson_interval(count, total):
    expected = binomtest(count, total).proportion_ci(method="wilson")
    assert wilson_interval(count, total) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_counted_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)

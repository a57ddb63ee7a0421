"""Metrics against scikit-learn and against figures that can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.metrics import auc_interval, expected_calibration_error, roc_auc


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),  # told apart
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),  # the wrong way round
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),  # all ties
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),  # scikit-learn's own example
    ],
)
def test_roc_auc(scores, labels, expected):
    assert roc_auc(scores, labels) == expected


def test_roc_auc_agrees_with_scikit_learn_on_ties():
    rng = np.random.default_rng(0)
    labels = rng.random(500) < 0.3
    scores = np.round(rng.normal(size=500) + labels, 1)  # rounding makes many ties
    assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_roc_auc_of_one_class_is_not_a_number():
    assert np.isnan(roc_auc([0.1, 0.2], [1, 1]))


def test_auc_interval_covers_the_truth_about_as_often_as_it_says():
    # two unit normals one apart: the true AUC is Φ(1/√2) = 0.7602
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(60):
        labels = np.arange(120) % 2 == 1
        low, high = auc_interval(rng.normal(size=120) + labels, labels, rounds=200, seed=seed)
        hits += low <= 0.7602 <= high
    assert 51 <= hits <= 60


def test_calibration_error_sees_over_confidence():
    rng = np.random.default_rng(2)
    true = rng.uniform(0.2, 0.8, 20_000)
    labels = rng.random(20_000) < true
    assert expected_calibration_error(true, labels) < 0.015
    sharpened = true**3 / (true**3 + (1 - true) ** 3)
    assert expected_calibration_error(sharpened, labels) > 0.1

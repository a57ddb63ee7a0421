"""Platt scaling and thresholds against results that are known without our code."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from core.detector.calibration import choose_thresholds, fit_platt


def drawn(slope, intercept, count=40_000, seed=0):
    """Logits, and labels that are drawn with the probability that a calibration of these parameters states."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.5, 3, count)
    return logits, rng.random(count) < expit(slope * logits + intercept)


@pytest.mark.parametrize(
    ("slope", "intercept"),
    [
        (1.0, 0.0),  # calibrated already
        (0.3, 0.0),  # overconfident: answers are drawn in
        (2.5, -1.0),  # underconfident, and shifted
    ],
)
def test_the_parameters_that_made_the_labels_are_found(slope, intercept):
    found = fit_platt(*drawn(slope, intercept))
    assert found.slope == pytest.approx(slope, rel=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.08)


def test_it_agrees_with_an_unpenalised_logistic_regression():
    logits, fake = drawn(0.7, 0.4)
    weight = np.where(fake, 0.5, 3.0)
    other = LogisticRegression(C=1e9).fit(logits[:, None], fake, sample_weight=weight)
    found = fit_platt(logits, fake, weight)
    assert found.slope == pytest.approx(other.coef_[0, 0], rel=1e-3)
    assert found.intercept == pytest.approx(other.intercept_[0], abs=1e-3)


def test_a_weight_counts_like_as_many_copies():
    logits, fake = drawn(0.7, 0.4, count=2000)
    twice = fit_platt(np.concatenate([logits, logits[fake]]), np.concatenate([fake, fake[fake]]))
    weighted = fit_platt(logits, fake, np.where(fake, 2.0, 1.0))
    assert (weighted.slope, weighted.intercept) == pytest.approx((twice.slope, twice.intercept), rel=0.01, abs=0.01)


def test_classes_told_apart_without_an_error_give_platts_own_targets():
    # Two values for two parameters: the fit meets the targets 9/10 and 1/10 of eight samples each exactly.
    found = fit_platt([4.0] * 8 + [-4.0] * 8, [1] * 8 + [0] * 8)
    assert expit(4 * found.slope + found.intercept) == pytest.approx(0.9, abs=1e-4)
    assert expit(-4 * found.slope + found.intercept) == pytest.approx(0.1, abs=1e-4)


def test_a_detector_that_is_worse_than_chance_is_not_turned_around():
    logits, fake = drawn(1.0, 0.0, count=2000)
    assert 0 < fit_platt(-logits, fake).slope < 0.01


P = np.linspace(0.005, 0.995, 100)


@pytest.mark.parametrize(
    ("real", "fake", "max_error", "real_below", "fake_above"),
    [
        (P, P, 0.05, 0.055, 0.945),  # a coin: five of a hundred lie beyond each limit
        (P, P, 0.0, 0.005, 0.995),  # no error at all allowed
        (P / 4, 0.75 + P / 4, 0.05, 0.4, 0.6),  # told apart: even odds stay uncertain
        (P**2, 1 - P**2, 0.10, 1 - 0.895**2, 0.895**2),  # symmetric, some overlap
    ],
)
def test_thresholds_leave_the_allowed_share_beyond_them(real, fake, max_error, real_below, fake_above):
    found = choose_thresholds(np.concatenate([real, fake]), [0] * 100 + [1] * 100, max_error)
    expected = (min(real_below, 0.4), max(fake_above, 0.6))
    assert (found.real_below, found.fake_above) == pytest.approx(expected, abs=1e-9)
    assert np.mean(real >= found.fake_above) <= max_error
    assert np.mean(fake < found.real_below) <= max_error


def test_weights_change_what_a_share_is():
    labels, weight = [0] * 100 + [1] * 100, np.ones(200)
    weight[98:100] = 50  # the two reals that look most fake stand for a hundred others
    found = choose_thresholds(np.concatenate([P, P]), labels, 0.05, weight)
    assert found.fake_above == pytest.approx(0.995)


@pytest.mark.parametrize(
    ("numbers", "labels", "weight", "words"),
    [
        ([0.1, 0.2], [1], None, "one length"),  # too few labels
        ([0.1, 0.2], [1, 1], None, "both classes"),  # no real
        ([0.1, np.nan], [1, 0], None, "finite"),  # not a number
        ([0.1, 0.2], [1, 0], [1.0, 0.0], "above 0"),  # a sample without weight
    ],
)
def test_what_cannot_be_fitted_is_refused(numbers, labels, weight, words):
    for fit in (fit_platt, lambda n, y, w: choose_thresholds(n, y, sample_weight=w)):
        with pytest.raises(ValueError, match=words):
            fit(numbers, labels, weight)

"""Calibration: detectors whose true error is known, and scikit-learn's curve."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from core.metrics import brier_score, calibration_bins, calibration_error, expected_calibration_error


def judged(count, seed=0, sharpen=1.0):
    """Probabilities that are right, or too sure by an exponent, and labels drawn from the truth."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(0.2, 0.8, count)
    said = true**sharpen / (true**sharpen + (1 - true) ** sharpen)
    return said, rng.random(count) < true


def test_calibration_error_sees_over_confidence():
    assert expected_calibration_error(*judged(20_000)) < 0.015
    assert expected_calibration_error(*judged(20_000, sharpen=3)) > 0.1


def test_debiasing_takes_chance_away_and_leaves_what_is_there():
    exact = expected_calibration_error(*judged(2_000_000, sharpen=2))
    plain, debiased = (
        np.mean([expected_calibration_error(*judged(600, seed, 2), debiased=way) for seed in range(150)])
        for way in (False, True)
    )
    assert plain > exact + 0.006
    assert debiased == pytest.approx(exact, abs=0.004)


def test_debiasing_halves_what_a_calibrated_detector_shows_by_chance():
    plain, debiased = (
        np.mean([expected_calibration_error(*judged(600, seed), debiased=way) for seed in range(100)])
        for way in (False, True)
    )
    assert debiased < 0.65 * plain


def test_squared_error_is_unbiased():
    # its root is floored at 0, so the mean over trials that are far from 0 is looked at
    exact = calibration_error(*judged(1_000_000, sharpen=3), rounds=1).rms
    found = np.mean([calibration_error(*judged(800, seed, 3), rounds=1).rms for seed in range(100)])
    assert found == pytest.approx(exact, abs=0.004)


def test_interval_covers_the_truth():
    exact = expected_calibration_error(*judged(2_000_000, sharpen=2))
    hits = 0
    for seed in range(40):
        error = calibration_error(*judged(500, seed, 2), rounds=200)
        hits += error.low <= exact <= error.high
    assert hits >= 35


@pytest.mark.parametrize(
    ("reals", "fakes", "known"),
    [
        (1, 1, False),  # "0.093 to 0.093" would read as certainty
        (9, 50, False),
        (10, 10, True),
    ],
)
def test_so_few_have_no_interval(reals, fakes, known):
    labels = np.r_[np.zeros(reals, bool), np.ones(fakes, bool)]
    error = calibration_error(np.linspace(0.1, 0.9, len(labels)), labels, rounds=100)
    assert np.isfinite(error.ece)
    assert np.isfinite([error.low, error.high]).all() == known
    assert not known or error.low < error.high


def test_few_films_have_no_interval():
    said, labels = judged(400)
    for films, known in ((4, False), (20, True)):
        # films of 20 frames each, of both classes
        error = calibration_error(said, labels, groups=[f"film {at % films}" for at in range(400)], rounds=50)
        assert np.isfinite([error.low, error.high]).all() == known


@pytest.mark.parametrize("weights", [None, "even"])
@pytest.mark.parametrize("order", ["reals first", "fakes first", "mixed"])
def test_a_tie_lies_in_one_bin_whatever_the_order_of_the_file(weights, order):
    # cut in file order, "0.5" of 200 reals and then 200 fakes would be wrong by a half in every bin
    labels = np.arange(400) % 2 == 1
    if order != "mixed":
        labels = np.sort(labels) if order == "reals first" else ~np.sort(labels)
    even = np.where(labels, 1.0, 1.0 + 1e-6) if weights else None
    said = np.full(400, 0.5)
    assert expected_calibration_error(said, labels, weights=even) == pytest.approx(0, abs=1e-6)
    assert [one.count for one in calibration_bins(said, labels, weights=even)] == [400]
    assert calibration_error(said, labels, weights=even, rounds=20).ece == pytest.approx(0, abs=1e-6)


def test_rounded_probabilities_give_one_error_in_every_order():
    rng = np.random.default_rng(1)
    said = np.round(rng.random(1000), 1)
    labels, weights = rng.random(1000) < said, rng.uniform(1, 3, 1000)
    found = set()
    for order in (np.arange(1000), np.argsort(labels, kind="stable"), rng.permutation(1000)):
        for w in (None, weights[order]):
            error = expected_calibration_error(said[order], labels[order], weights=w)
            found.add((w is None, round(error, 9)))
    assert len(found) == 2
    assert max(error for _, error in found) < 0.05


@pytest.mark.parametrize("weighted", [False, True])
def test_without_ties_bins_are_cut_where_they_ever_were(weighted):
    said, labels = judged(503)
    weights = np.where(labels, 2.0, 1.0) if weighted else None
    order = np.argsort(said)
    if weighted:
        reached = np.cumsum(weights[order])
        parts = np.split(order, np.searchsorted(reached, reached[-1] * np.arange(1, 10) / 10))
    else:
        parts = np.array_split(order, 10)
    assert [one.count for one in calibration_bins(said, labels, weights=weights)] == [len(part) for part in parts]


def test_weights_make_rare_fakes_count():
    # 90 % reals; said for even base rates, so that only weights make it right
    rng = np.random.default_rng(5)
    labels = np.r_[np.zeros(9000, bool), np.ones(1000, bool)]
    scores = rng.normal(size=10_000) + labels * 1.5
    said = 1 / (1 + np.exp(-1.5 * (scores - 0.75)))
    even = np.where(labels, 9.0, 1.0)
    assert expected_calibration_error(said, labels) > 0.1
    assert expected_calibration_error(said, labels, weights=even, debiased=True) < 0.02


def test_curve_is_scikit_learn_s_for_equal_weights():
    said, labels = judged(1000)
    observed, predicted = calibration_curve(labels, said, n_bins=10, strategy="quantile")
    bins = calibration_bins(said, labels)
    assert [one.count for one in bins] == [100] * 10
    np.testing.assert_allclose([one.observed for one in bins], observed, atol=0.011)  # an edge may fall either way
    np.testing.assert_allclose([one.predicted for one in bins], predicted, atol=0.002)
    assert all(one.low < one.observed < one.high for one in bins)


def test_brier_score():
    said, labels = judged(500)
    weights = np.random.default_rng(0).uniform(0.5, 2, 500)
    expected = brier_score_loss(labels, said, sample_weight=weights)
    assert brier_score(said, labels, weights=weights) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        ([], []),  # nothing
        ([0.5], [1, 0]),  # lengths differ
    ],
)
def test_wrong_input(probabilities, labels):
    with pytest.raises(ValueError, match="one length"):
        brier_score(probabilities, labels)

"""DeLong's variance and test: against the definition over all pairs, and against a bootstrap that knows no formula."""

import numpy as np
import pytest

from core.metrics import auc_standard_error, delong_interval, delong_test, paired_bootstrap, roc_auc
from core.metrics.delong import auc_covariance


def two_detectors(count=300, seed=0, gain=0.6):
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.4
    shared = rng.normal(size=count)
    first = labels * 1.2 + shared + 0.5 * rng.normal(size=count)
    second = labels * (1.2 - gain) + shared + 0.5 * rng.normal(size=count)
    return np.round(first, 1), np.round(second, 1), labels


def by_all_pairs(scores, labels):
    """The 1988 paper's structural components, one comparison at a time."""
    scores = np.asarray(scores)
    fakes, reals = scores[:, labels], scores[:, ~labels]
    kernel = (fakes[:, :, None] > reals[:, None, :]) + 0.5 * (fakes[:, :, None] == reals[:, None, :])
    v10, v01 = kernel.mean(axis=2), kernel.mean(axis=1)
    return kernel.mean(axis=(1, 2)), np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]


def test_midranks_give_what_all_pairs_give():
    first, second, labels = two_detectors()
    areas, covariance = auc_covariance([first, second], labels)
    expected_areas, expected = by_all_pairs([first, second], labels)
    np.testing.assert_allclose(areas, expected_areas, atol=1e-12)
    np.testing.assert_allclose(covariance, expected, atol=1e-12)


def test_standard_error_is_that_of_repeated_experiments():
    areas, errors = [], []
    for seed in range(300):
        first, _, labels = two_detectors(200, seed)
        areas.append(roc_auc(first, labels))
        errors.append(auc_standard_error(first, labels))
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.12)


def test_interval_stays_inside_and_holds_the_area():
    scores, labels = np.arange(40) + 0.0, np.arange(40) >= 20
    scores[20] = 18.5  # one pair the wrong way round
    low, high = delong_interval(scores, labels)
    assert 0.9 < low < roc_auc(scores, labels) < high < 1


@pytest.mark.parametrize(
    "labels",
    [
        [True, True, True, True],  # one class
        [True, False, False, False],  # one fake has no variance
        [False, False, True, True],  # told apart without an error
    ],
)
def test_no_interval_where_the_formula_knows_none(labels):
    assert np.isnan(delong_interval([1, 2, 3, 4], labels)).all()


def test_a_perfect_area_has_no_known_error():
    labels = np.arange(40) >= 20
    assert np.isnan(auc_standard_error(labels + 0.0, labels))
    assert np.isnan(auc_standard_error(-1.0 * labels, labels))


RIGHT, LABELS = np.arange(40) + 0.0, np.arange(40) >= 20


@pytest.mark.parametrize("way", [delong_test, paired_bootstrap])
@pytest.mark.parametrize(
    ("first", "second", "labels", "p_known"),
    [
        ([1, 2, 3, 4], [4, 3, 2, 1], [False, False, True, True], False),  # 2 + 2 proved a difference, p = 0
        ([1, 2, 3, 4], [1, 3, 2, 4], [False, False, True, True], False),
        (RIGHT[11:], RIGHT[11:] % 7, LABELS[11:], False),  # nine reals
        (RIGHT, -RIGHT, LABELS, False),  # told apart, and the wrong way round: no error that is known
        (RIGHT, RIGHT, LABELS, True),  # the same twice
    ],
)
def test_a_difference_that_cannot_be_known_has_no_interval(way, first, second, labels, p_known):
    found = way(first, second, labels)
    assert np.isnan([found.low, found.high]).all()
    assert np.isfinite(found.difference)
    assert found.p_value == 1.0 if p_known else np.isnan(found.p_value)


def test_intervals_of_differences_stay_inside():
    # an area near 1 against one near 0: the normal approximation reaches beyond a difference of 1
    first, second = RIGHT.copy(), -RIGHT
    first[20], second[22] = 18.5, -10.5
    found = delong_test(first, second, LABELS)
    assert 0.9 < found.low < found.difference < found.high == 1.0
    assert delong_test(second, first, LABELS).low == -1.0


def test_few_films_prove_no_difference():
    first, second, labels = two_detectors()
    assert paired_bootstrap(first, second, labels, groups=range(300)).p_value <= 0.001
    few = paired_bootstrap(first, second, labels, groups=[at % 8 for at in range(300)])
    assert np.isnan([few.low, few.high, few.p_value]).all()


def test_both_tests_see_a_difference_and_agree():
    first, second, labels = two_detectors()
    delong, bootstrap = delong_test(first, second, labels), paired_bootstrap(first, second, labels)
    assert delong.difference == pytest.approx(roc_auc(first, labels) - roc_auc(second, labels))
    assert delong.p_value < 0.001
    assert bootstrap.p_value <= 0.001
    assert (delong.low, delong.high) == pytest.approx((bootstrap.low, bootstrap.high), abs=0.01)


def test_p_values_of_equal_detectors_are_even():
    low = [delong_test(*two_detectors(150, seed, gain=0)).p_value < 0.1 for seed in range(300)]
    assert 0.05 < np.mean(low) < 0.16


def test_the_same_detector_twice_does_not_differ():
    first, _, labels = two_detectors()
    assert delong_test(first, first, labels).p_value == 1.0
    assert paired_bootstrap(first, first, labels, rounds=50).p_value == 1.0

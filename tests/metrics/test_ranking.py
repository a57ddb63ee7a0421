"""Ranking against scikit-learn and against figures that can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from core.metrics import auc_interval, average_precision, pr_curve, roc_auc, roc_curve
from core.metrics.ranking import Ranked, weighted_auc


def tied(count=500, seed=0, shift=1.0):
    """Scores with many ties, and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.3
    return np.round(rng.normal(size=count) + shift * labels, 1), labels


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


def test_areas_agree_with_scikit_learn_on_ties():
    scores, labels = tied()
    assert roc_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    even = np.where(labels, 1 / labels.sum(), 1 / (~labels).sum())  # both classes alike, as in the curve
    expected = average_precision_score(labels, scores, sample_weight=even)
    assert average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("fakes", [20, 200, 5000])
def test_average_precision_is_the_area_under_the_curve_whatever_the_folder_holds_more_of(fakes):
    rng = np.random.default_rng(0)
    labels = np.r_[np.zeros(1000, bool), np.ones(fakes, bool)]
    scores = rng.normal(size=len(labels)) + labels
    curve = pr_curve(scores, labels, rounds=2)
    assert average_precision(scores, labels) == pytest.approx(np.trapezoid(curve.y, curve.x), abs=0.02)
    assert average_precision(np.zeros(len(labels)), labels) == 0.5


@pytest.mark.parametrize("function", [roc_auc, average_precision])
def test_one_class_gives_no_number(function):
    assert np.isnan(function([0.1, 0.2], [1, 1]))


def test_weights_count_like_repeated_items():
    scores, labels = tied(200)
    weights = np.random.default_rng(3).integers(0, 4, (5, 200)).astype(float)
    expected = [
        roc_auc_score(np.repeat(labels, row.astype(int)), np.repeat(scores, row.astype(int))) for row in weights
    ]
    np.testing.assert_allclose(weighted_auc(Ranked.of(scores, labels), weights), expected, atol=1e-12)


def test_auc_interval_covers_the_truth_about_as_often_as_it_says():
    # two unit normals one apart: the true AUC is Φ(1/√2) = 0.7602
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(60):
        labels = np.arange(120) % 2 == 1
        low, high = auc_interval(rng.normal(size=120) + labels, labels, rounds=200, seed=seed)
        hits += low <= 0.7602 <= high
    assert 51 <= hits <= 60


def test_frames_of_one_film_count_as_one():
    # ten copies of every item add nothing: the interval by group must be about as wide as without them
    scores, labels = tied(60)
    single = np.ptp(auc_interval(scores, labels))
    copied = np.ptp(auc_interval(np.repeat(scores, 10), np.repeat(labels, 10)))
    grouped = np.ptp(auc_interval(np.repeat(scores, 10), np.repeat(labels, 10), groups=np.repeat(range(60), 10)))
    assert copied < 0.5 * single
    assert grouped == pytest.approx(single, rel=0.25)


@pytest.mark.parametrize(
    ("fakes", "reals", "shift", "known"),
    [
        (10, 10, 1, True),
        (9, 100, 1, False),  # too few of one class
        (100, 9, 1, False),
        (1, 1, 1, False),
        (100, 100, 99, False),  # told apart: every sample gives 1.000, which is no interval
        (5, 0, 1, False),
    ],
)
def test_an_interval_is_given_where_it_can_be_known(fakes, reals, shift, known):
    labels = np.r_[np.ones(fakes, bool), np.zeros(reals, bool)]
    scores = np.random.default_rng(0).normal(size=len(labels)) + shift * labels
    low, high = auc_interval(scores, labels)
    assert np.isfinite([low, high]).all() == known
    assert not known or low < high
    if fakes and reals and shift == 1:
        assert np.isfinite(roc_curve(scores, labels, rounds=20).low).all() == known


@pytest.mark.parametrize(
    ("fake_films", "real_films", "known"),
    [
        (10, 10, True),
        (9, 30, False),  # hundreds of frames, and yet few fakes
        (30, 9, False),
        (1, 1, False),
    ],
)
def test_an_interval_takes_films_of_both_classes_and_not_frames(fake_films, real_films, known):
    labels = np.r_[np.ones(fake_films * 25, bool), np.zeros(real_films * 25, bool)]
    groups = np.arange(len(labels)) // 25
    scores = np.random.default_rng(0).normal(size=len(labels)) + labels
    assert np.isfinite(auc_interval(scores, labels, groups=groups, rounds=50)).all() == known
    for curve in (roc_curve, pr_curve):
        assert np.isfinite(curve(scores, labels, groups=groups, rounds=20).low).all() == known


def test_one_film_has_no_interval_and_groups_that_hold_both_classes_count_for_both():
    # drawn by its frames, a single film would be as good as certain
    scores, labels = tied(60)
    assert np.isnan(auc_interval(scores, labels, groups=["one"] * 60)).all()
    swapped = np.arange(60) % 2 == 1  # every other frame of ten films
    assert np.isfinite(auc_interval(scores, swapped, groups=np.arange(60) // 6)).all()


def test_roc_curve_runs_through_scikit_learn_s_points():
    scores, labels = tied()
    curve = roc_curve(scores, labels, rounds=50)
    x, y, _ = sklearn_roc_curve(labels, scores, drop_intermediate=False)
    last = np.r_[np.diff(x) > 0, True]
    np.testing.assert_allclose(curve.y, np.interp(curve.x, x[last], y[last]), atol=1e-12)
    assert (curve.low <= curve.y + 0.02).all()
    assert (curve.high >= curve.y - 0.02).all()
    assert 0.05 < np.mean(curve.high - curve.low) < 0.4
    # the area under the curve is the AUC, up to the grid
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc(scores, labels), abs=0.01)


def test_precision_is_that_of_as_many_fakes_as_reals():
    # 1 fake and 3 reals, one real above the fake: at recall 1 a third of the reals come along: 1 / (1 + 1/3)
    curve = pr_curve([0.9, 0.8, 0.2, 0.1], [0, 1, 0, 0], rounds=20)
    assert curve.y[-1] == pytest.approx(0.75)


def test_precision_of_chance_is_one_half_and_of_a_perfect_detector_one():
    rng = np.random.default_rng(0)
    labels = rng.random(20_000) < 0.1
    assert np.abs(pr_curve(rng.random(20_000), labels, rounds=10).y[10:] - 0.5).max() < 0.05
    assert pr_curve(labels + 0.0, labels, rounds=10).y.min() == 1.0


@pytest.mark.parametrize("function", [roc_curve, pr_curve])
def test_a_curve_needs_both_classes(function):
    with pytest.raises(ValueError, match="reals and fakes"):
        function([0.1, 0.2], [1, 1])

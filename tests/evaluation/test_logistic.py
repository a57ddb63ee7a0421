"""The small logistic regression against scikit-learn's, and the baseline that stands on it."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from core.data.dataset import Sample
from core.evaluation.baseline import RINGS, baseline_figures, measure_features, spectrum_features
from core.evaluation.logistic import fit_logistic
from tests.evaluation.support import FINDER, labelled_folder


def cloud(count=300, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.35
    x = rng.normal(size=(count, 5)) * [1, 10, 0.1, 3, 1] + labels[:, None] * [0.8, 3, 0, -1, 0.2] + 5
    return x, labels


@pytest.mark.parametrize("strength", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_scikit_learn_s(strength, weighted):
    x, labels = cloud()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(x)) if weighted else None
    ours = fit_logistic(x, labels, strength=strength, sample_weight=weight)
    scaler = StandardScaler().fit(x)
    theirs = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
    theirs.fit(scaler.transform(x), labels, sample_weight=weight)
    np.testing.assert_allclose(ours.logits(x), theirs.decision_function(scaler.transform(x)), atol=2e-3)


def test_units_do_not_matter():
    x, labels = cloud()
    changed = x * [1000, 1e-3, 1, 1, 1] - 7
    np.testing.assert_allclose(
        fit_logistic(x, labels).logits(x), fit_logistic(changed, labels).logits(changed), atol=1e-2
    )


@pytest.mark.parametrize(
    ("x", "labels", "words"),
    [
        ([[1.0], [2.0]], [1, 1], "both classes"),
        ([[1.0], [np.nan]], [0, 1], "finite"),
        ([1.0, 2.0], [0, 1], "shape"),
    ],
)
def test_wrong_input(x, labels, words):
    with pytest.raises(ValueError, match=words):
        fit_logistic(x, labels)


def test_a_constant_feature_is_harmless():
    x, labels = cloud()
    x[:, 2] = 4.0
    assert np.isfinite(fit_logistic(x, labels).logits(x)).all()


def wave(cycles, side=96):
    line = 128 + 60 * np.sin(2 * np.pi * cycles * np.arange(side) / side)
    return np.repeat(np.tile(line, (side, 1))[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("cycles", [7, 21, 43])
def test_power_stands_in_the_ring_of_its_frequency(cycles):
    features = spectrum_features(wave(cycles))
    assert features.shape == (RINGS,)
    ring = int(cycles / 48 * RINGS)
    assert features[ring] > 2 * max(features[ring - 2], features[ring + 2])


def sets(seed, count, gap):
    rng = np.random.default_rng(seed)
    samples = [Sample(f"{at}", "fake" if at % 2 else "real", "a", "x", str(at // 2)) for at in range(count)]
    return samples, [rng.normal(size=RINGS) + gap * s.fake for s in samples]


def test_it_is_fitted_on_training_pictures_where_there_are_enough():
    test, train = sets(0, 200, 0.4), sets(1, 400, 0.4)
    figures = baseline_figures(*test, *train)["a"]
    assert figures["fitted_on"] == "train"
    assert figures["auc"] > 0.85
    low, high = figures["auc_95"]
    assert low < figures["auc"] < high


def test_without_training_pictures_no_item_is_judged_by_a_model_that_has_seen_its_group():
    # pure chance: a model that has seen the item would look far better than this
    figures = baseline_figures(*sets(0, 300, 0.0), [], [])["a"]
    assert figures["fitted_on"] == "folds"
    assert 0.35 < figures["auc"] < 0.65
    assert baseline_figures(*sets(0, 300, 0.4), [], [])["a"]["auc"] > 0.8


def test_a_source_that_is_called_all_is_not_taken_for_all_sources():
    samples, features = sets(0, 100, 0.4)
    assert list(baseline_figures([replace(one, source="all") for one in samples], features, [], [])) == ["all (source)"]


def test_where_class_and_group_are_one_nothing_is_said():
    # each fold would be judged by a model of a single class: scores of 0 read as an AUC of 0.5, "tells nothing"
    samples, features = sets(0, 80, 3.0)
    by_class = [replace(one, group=one.label) for one in samples]
    assert baseline_figures(by_class, features, [], []) == {}
    assert baseline_figures(by_class, features, *sets(1, 400, 3.0))["a"]["auc"] > 0.9  # known from training pictures


def test_too_few_say_nothing():
    assert baseline_figures(*sets(0, 6, 0.0), [], []) == {}


def test_features_of_files_come_from_the_crop_and_from_the_cache(tmp_path):
    from core.data.dataset import find_samples
    from core.evaluation.cache import RowCache

    samples = find_samples([labelled_folder(tmp_path / "data", 3)])
    broken = Sample(tmp_path / "gone.png", "real", "a", "x", "g")
    cache = RowCache(tmp_path / "cache.jsonl")
    found = measure_features([*samples, broken], scale=1.0, size=48, finder=FINDER, cache=cache)
    assert [one is None for one in found] == [False] * 6 + [True]
    again = measure_features(samples, scale=1.0, size=48, finder=None, cache=RowCache(tmp_path / "cache.jsonl"))
    np.testing.assert_array_equal(found[0], again[0])
    other = measure_features(samples[:1], scale=1.0, size=96, finder=FINDER, cache=cache)
    assert not np.array_equal(found[0], other[0])

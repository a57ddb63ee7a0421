"""Where a fake was changed, as weights on a coarse grid."""

import numpy as np
import pytest

from core.data.places import contrast


def masked(rows, columns, level=1.0):
    mask = np.zeros((100, 100), np.float32)
    mask[rows, columns] = level
    return mask


@pytest.mark.parametrize("level", [1.0, 0.25])
def test_their_product_with_a_map_is_the_mean_inside_less_the_mean_outside(level):
    weights = contrast(masked(slice(0, 20), slice(0, 40), level), 5)
    evidence = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    inside = np.zeros((5, 5), bool)
    inside[0, :2] = True
    assert (weights * evidence).sum() == pytest.approx(evidence[inside].mean() - evidence[~inside].mean(), abs=1e-5)
    assert weights.dtype == np.float32


@pytest.mark.parametrize("mask", [None, masked(slice(0), slice(0)), np.ones((100, 100)), masked(slice(2), slice(2))])
def test_what_says_nothing_of_a_place_weighs_nothing(mask):
    assert not contrast(mask, 5).any()

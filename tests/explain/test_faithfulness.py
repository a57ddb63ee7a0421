"""core.explain.faithfulness: figures that are known beforehand, for maps that are right, wrong and by chance."""

import numpy as np
import pytest

from core.detector import load_detector
from core.explain.cam import METHODS
from core.explain.faithfulness import (
    STAGES,
    agreement,
    area,
    in_mask,
    overlap,
    perturbation_curves,
    points_into,
    randomised,
)
from core.explain.network import explained_network
from tests.detector import networks

SIDE = 40
PATCH = np.zeros((SIDE, SIDE), np.float32)
PATCH[5:15, 20:30] = 1
CROP = np.full((SIDE, SIDE, 3), 20, np.uint8)
CROP[5:15:2, 20:30] = 250  # stripes, which blurring wipes out


def judge(crops):
    """Fake is what has stripes in the patch."""
    inside = crops[:, 5:15, 20:30].astype(float)
    return np.abs(np.diff(inside, axis=1)).mean(axis=(1, 2, 3)) / 230


def test_curves_of_a_map_that_knows_and_of_its_opposite():
    deletion, insertion = perturbation_curves(CROP, PATCH, judge, steps=16)
    assert deletion.shape == insertion.shape == (17,)
    assert deletion[0] == insertion[-1] == judge(CROP[None])[0]
    assert deletion[-1] == insertion[0] < 0.1
    assert area(deletion) < 0.1  # a sixteenth of the pixels is the patch: gone at once
    assert area(insertion) > 0.9
    wrong = perturbation_curves(CROP, -PATCH, judge, steps=16)
    assert area(wrong[0]) > 0.8
    assert area(wrong[1]) < 0.2


def test_area():
    assert area(np.array([1, 1, 1], np.float32)) == 1
    assert area(np.array([1, 0], np.float32)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("heat", "hit", "share"),
    [
        (PATCH, True, 1.0),
        (1 - PATCH, False, 0.0),
        (np.roll(PATCH, 5, axis=1), True, 1 / 3),  # half of it: 50 of 150
        (PATCH[:, ::-1].copy(), False, 0.0),
    ],
)
def test_pointing_and_overlap(heat, hit, share):
    peak = heat.copy()
    if hit:
        peak[10, 27] += 1
    assert points_into(peak, PATCH) == hit
    assert overlap(heat, PATCH) == pytest.approx(share, abs=0.02)


def test_coarse_maps_are_measured_at_the_masks_size():
    cells = np.zeros((8, 8), np.float32)
    cells[1:3, 4:6] = 1  # 5 px each: rows 5..15, columns 20..30
    assert points_into(cells, PATCH)
    assert overlap(cells, PATCH) > 0.6


def test_flat_maps_get_what_chance_gets():
    """Pixels of one value are taken by chance; in the order of rows they would favour what lies on top."""
    flat = np.zeros((SIDE, SIDE), np.float32)
    assert overlap(flat, PATCH) < 0.12
    deletion, insertion = perturbation_curves(CROP, flat, judge)
    assert 0.1 < area(deletion) < 0.9
    assert 0.1 < area(insertion) < 0.9


def test_soft_masks():
    soft = 0.25 * PATCH  # a blend at a quarter's strength
    assert in_mask(soft).sum() == PATCH.sum()
    assert not in_mask(np.zeros((4, 4), np.float32)).any()
    assert overlap(PATCH, np.zeros_like(PATCH)) == 0


def test_agreement():
    rng = np.random.default_rng(0)
    heat = rng.normal(size=(10, 10)).astype(np.float32)
    assert agreement(heat, 3 * heat + 1) == pytest.approx(1)
    assert agreement(heat, -heat) == pytest.approx(-1, abs=0.01)
    assert agreement(heat, np.zeros((10, 10), np.float32)) == 0
    assert abs(agreement(heat, rng.normal(size=(10, 10)).astype(np.float32))) < 0.35


def test_randomised_changes_what_it_says_it_changes_and_leaves_the_trained_network_alone(tmp_path):
    networks.saved(tmp_path / "tiny")
    network = explained_network(load_detector(tmp_path / "tiny", engine="tensorflow"))
    pixels = network.pixels(networks.crops(2))
    before, seen = network.outputs(pixels), {}
    kernels = {layer.name: layer.get_weights()[0] for layer in network.model.layers if layer.weights}
    for stage, shuffled in randomised(network):
        changed = {
            layer.name
            for layer in shuffled.model.layers
            if layer.weights and not np.array_equal(layer.get_weights()[0], kernels[layer.name])
        }
        seen[stage] = changed
        assert not np.allclose(shuffled.outputs(pixels), before)
        assert np.isfinite(METHODS["grad_cam"](shuffled, networks.crops(1))).all()
        for layer in shuffled.model.layers:  # the spread stays
            if layer.name in changed:
                old, new = np.sort(kernels[layer.name].ravel()), np.sort(layer.get_weights()[0].ravel())
                assert (old == new).all()
    assert list(seen) == [name for name, _ in STAGES]
    assert seen["head"] == {"evidence"}
    assert seen["head"] < seen["half"] < seen["all"]
    assert network.outputs(pixels) == pytest.approx(before)

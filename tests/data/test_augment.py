"""Augmentation keeps shapes, seeds and faces; self-blending keeps its mask and partners as the paper says."""

import numpy as np
import pytest
import skimage.data

from core.data.augment import augment, recompress, reframe
from core.data.self_blend import self_blend
from core.faces.landmarks import default_mesh


@pytest.fixture(scope="module")
def face():
    return np.ascontiguousarray(skimage.data.astronaut()[60:190, 155:285])


@pytest.mark.parametrize("side", [24, 100, 160, 500])
def test_any_crop_becomes_the_input_size(side):
    crop = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    for seed in range(20):
        result = augment(crop, 96, np.random.default_rng(seed))
        assert result.shape == (96, 96, 3)
        assert result.dtype == np.uint8


def test_the_same_seed_gives_the_same_picture(face):
    first, again, other = (augment(face, 96, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()


def test_augmentation_keeps_the_face_recognisable(face):
    plain = face.astype(float)[::4, ::4].mean(axis=2).ravel()
    for seed in range(30):
        changed = augment(face, face.shape[0], np.random.default_rng(seed)).astype(float)[::4, ::4].mean(axis=2)
        likeness = max(np.corrcoef(plain, view.ravel())[0, 1] for view in (changed, changed[:, ::-1]))
        assert likeness > 0.4


def test_reframe_stays_inside():
    crop = np.arange(50 * 50 * 3, dtype=np.uint8).reshape(50, 50, 3)
    sides = {reframe(crop, np.random.default_rng(seed)).shape[0] for seed in range(200)}
    assert min(sides) >= 42
    assert max(sides) <= 50


def test_recompress_costs_detail(face):
    losses = [np.abs(recompress(face, quality).astype(int) - face).mean() for quality in (95, 60, 30)]
    assert losses == sorted(losses)
    assert losses[0] < 5


def test_self_blend_changes_only_what_the_mask_holds(face):
    points, _ = default_mesh().points(face)
    for seed in range(40):
        fake, real, mask = self_blend(face, points, np.random.default_rng(seed))
        assert fake.shape == real.shape == face.shape
        assert mask.dtype == np.float32
        assert 0.2 <= mask.max() <= 1.0
        # where nothing is blended in, fake and real partner are the same: the transform alone is no clue
        assert (fake[mask == 0] == real[mask == 0]).all()
        assert np.abs(fake.astype(int) - real).max() > 0


def test_the_real_partner_is_transformed_about_half_of_the_time(face):
    points, _ = default_mesh().points(face)
    partners = [self_blend(face, points, np.random.default_rng(seed)).real for seed in range(60)]
    assert 15 <= sum((partner != face).any() for partner in partners) <= 45

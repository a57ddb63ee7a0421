"""Augmentation keeps shapes, seeds and faces; self-blending keeps its mask and partners as the paper says."""

import cv2
import numpy as np
import pytest
import skimage.data

import core.data.augment
from core.data.augment import augment, augment_both, hidden, recompress, recompress_video, reframe, turn
from core.data.composite import PARTS, composite, likeness
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


def test_a_mask_goes_where_its_picture_goes(face, monkeypatch):
    monkeypatch.setattr(core.data.augment, "HIDDEN_SHARE", 0)
    mask = (face[..., 1] / np.float32(255)).astype(np.float32)
    for seed in range(20):
        picture, moved = augment_both(face, mask, 96, np.random.default_rng(seed))
        assert (picture == augment(face, 96, np.random.default_rng(seed))).all()
        seen = cv2.resize(moved, (24, 24), interpolation=cv2.INTER_AREA).ravel()
        shown = cv2.resize(picture[..., 1], (24, 24), interpolation=cv2.INTER_AREA).ravel()
        assert np.corrcoef(seen, shown)[0, 1] > 0.9


def test_what_is_hidden_counts_as_unchanged(face, monkeypatch):
    monkeypatch.setattr(core.data.augment, "HIDDEN_SHARE", 1)
    face = face // 2  # nothing of it so white that it counts as painted
    before, seen = face.copy(), []
    for seed in range(40):
        picture, mask = augment_both(face, np.ones(face.shape[:2], np.float32), 96, np.random.default_rng(seed))
        colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        assert len(colours) > 50
        assert 1 - mask.mean() == pytest.approx(counts.max() / 96**2, abs=0.03)
        seen.append(float(mask.mean()))
    assert max(seen) - min(seen) > 0.1
    assert (face == before).all()


def test_a_made_fake_is_never_hidden_to_more_than_a_half():
    changed = np.zeros((120, 120), np.float32)
    changed[50:70, 50:70] = 1  # a part as small as an eye
    boxes = [hidden(96, np.random.default_rng(seed), changed) for seed in range(400)]
    where = cv2.resize(changed, (96, 96), interpolation=cv2.INTER_AREA)
    assert all(where[box].sum() <= 0.5 * where.sum() for box in boxes if box)
    assert 0.15 < sum(box is not None for box in boxes) / len(boxes) < 0.3


def test_some_pictures_lean_and_none_lies_on_its_side(face):
    turned = [turn(face, np.random.default_rng(seed)) for seed in range(600)]
    assert {picture.shape for picture in turned} == {face.shape}
    quarters = [np.rot90(face, times) for times in (1, 2, 3)]
    assert not any((picture == other).all() for other in quarters for picture in turned)
    upright = sum((picture == face).all() for picture in turned)
    assert 0.63 < upright / 600 < 0.77
    white = np.full((50, 50, 3), 255, np.uint8)
    assert all((turn(white, np.random.default_rng(seed)) == 255).all() for seed in range(40))  # no dark corners


def test_augmentation_keeps_the_face_recognisable(face, monkeypatch):
    monkeypatch.setattr(core.data.augment, "TURNED_SHARE", 0)
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


def test_video_compression_costs_detail(face):
    losses = [np.abs(recompress_video(face, crf).astype(int) - face).mean() for crf in (10, 28, 40)]
    assert losses == sorted(losses)
    assert losses[0] < 5  # colours and their order survive: a swap of red and blue would cost tens
    assert recompress_video(face[:81, :57], 30).shape == (80, 56, 3)


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


@pytest.fixture(scope="module")
def donor(face):
    """The same face mirrored and darkened: another place for every point."""
    return np.ascontiguousarray(face[:, ::-1] // 2)


def test_a_composite_sets_a_part_of_the_donor_in(face, donor):
    (points, _), (donor_points, _) = (default_mesh().points(picture) for picture in (face, donor))
    areas = []
    for seed in range(60):
        fake, real, mask = composite(face, points, donor, donor_points, np.random.default_rng(seed))
        assert fake.shape == face.shape
        assert fake.dtype == np.uint8
        assert (real == face).all()
        # OpenCV solves Poisson's equation in the mask's bounding box: beyond that nothing may change
        x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
        outside = np.ones(mask.shape, dtype=bool)
        outside[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2] = False
        assert (fake[outside] == face[outside]).all()
        assert np.abs(fake.astype(int) - face).max() > 8
        areas.append(float((mask > 0.5).mean()))
    assert min(areas) < 0.1  # an eye
    assert max(areas) > 0.3  # nearly all of the face


def test_parts_are_drawn_as_often_as_stated():
    assert sum(PARTS.values()) == pytest.approx(1)


def test_likeness_knows_shape_from_place_and_size(face):
    points, _ = default_mesh().points(face)
    assert likeness(points, points * 3 + 50) == pytest.approx(0, abs=1e-4)
    assert likeness(points, points[:, ::-1]) > 0.1

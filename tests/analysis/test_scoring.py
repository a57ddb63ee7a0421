"""Crops to scores: what mirrored and further views do to logits and maps."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.scoring import cut_views, score_crops, score_stills
from core.detector import load_detector
from core.detector.artifact import save_artifact
from core.detector.spec import Calibration, CropSpec, DetectorSpec, QualityGates, Thresholds
from core.faces import Face
from tests.detector import networks

FACES = [Face((0.0, 0.0, 60.0, 60.0), 0.9)] * 4


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirrored") / "d"
    save_artifact(folder, networks.flat(), DetectorSpec(name="d", input_size=networks.SIZE, mirrored=True))
    return load_detector(folder, engine="tensorflow")


def test_a_still_and_its_mirror_image_are_judged_alike(detector):
    crops = networks.crops(4)
    plain, mirror = (score_stills(detector, list(some[:, None]), FACES) for some in (crops, crops[:, :, ::-1]))
    once = score_crops(detector, crops, FACES)
    assert [one.logit for one in plain] == pytest.approx([one.logit for one in mirror], abs=1e-5)
    assert [one.logit for one in plain] != pytest.approx([one.logit for one in once], abs=1e-3)
    for one, other in zip(plain, mirror, strict=True):
        np.testing.assert_allclose(one.activation_map, other.activation_map[:, ::-1], atol=1e-5)


def test_a_mean_map_still_makes_its_logit(detector):
    scores = score_stills(detector, list(networks.crops(4)[:, None]), FACES)
    biases = [one.logit - one.activation_map.mean() for one in scores]  # the head's, the same for all
    assert np.ptp(biases) < 1e-4


def test_stills_and_frames_have_thresholds_of_their_own(tmp_path):
    limits = {"thresholds": Thresholds(0, 1), "video_thresholds": Thresholds(0.0, 0.0)}
    gates = QualityGates(0, 0, 1, 0, 256)
    spec = DetectorSpec(name="d", input_size=networks.SIZE, gates=gates, **limits)
    save_artifact(tmp_path / "d", networks.flat(), spec)
    own = load_detector(tmp_path / "d", engine="tensorflow")
    crops = networks.crops(4)
    assert {one.verdict for one in score_stills(own, list(crops[:, None]), FACES)} == {"uncertain"}
    assert {one.verdict for one in score_crops(own, crops, FACES)} == {"fake"}


def test_stills_and_frames_have_calibrations_of_their_own(tmp_path):
    spec = DetectorSpec(name="d", input_size=networks.SIZE, video_calibration=Calibration(0.5, 1.0))
    save_artifact(tmp_path / "d", networks.flat(), spec)
    own = load_detector(tmp_path / "d", engine="tensorflow")
    crops = networks.crops(4)
    logits = own.predict(crops).logits.astype(float)
    still = [one.fake_probability for one in score_stills(own, list(crops[:, None]), FACES)]
    frames = [one.fake_probability for one in score_crops(own, crops, FACES)]
    np.testing.assert_allclose(still, 1 / (1 + np.exp(-logits)), atol=1e-6)
    np.testing.assert_allclose(frames, 1 / (1 + np.exp(-0.5 * logits - 1)), atol=1e-6)


def test_frames_are_judged_once(detector):
    crops = networks.crops(4)
    said = [one.logit for one in score_crops(detector, crops, FACES)]
    np.testing.assert_array_equal(said, detector.predict(crops).logits)


WIDE = CropSpec(0.8, wide=0.88, corner=0.66)


def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (240, 240, 3), dtype=np.uint8)


def test_views_are_the_crop_a_wider_one_and_its_corners():
    rgb, face = picture(), Face((70.0, 70.0, 170.0, 170.0), 0.9)
    views = cut_views(rgb, face, WIDE, 66)
    assert views.shape == (6, 66, 66, 3)
    np.testing.assert_array_equal(views[0], cut_views(rgb, face, CropSpec(0.8), 66)[0])
    np.testing.assert_array_equal(views[1], cut_views(rgb, face, CropSpec(0.88), 66)[0])
    for view, (y, x) in zip(views[2:], [(76, 76), (76, 98), (98, 76), (98, 98)], strict=True):
        np.testing.assert_array_equal(view, rgb[y : y + 66, x : x + 66])


def test_a_tight_crop_has_corners_too():
    rgb = picture()
    views = cut_views(rgb, Face((0.0, 0.0, 240.0, 240.0), 1.0, tight=True), WIDE, 180)
    np.testing.assert_array_equal(views[5], rgb[60:, 60:])


def test_all_views_count_alike(detector, monkeypatch):
    monkeypatch.setattr(detector, "spec", replace(detector.spec, crop=WIDE))
    face = Face((70.0, 70.0, 170.0, 170.0), 0.9)
    views = cut_views(picture(), face, WIDE, networks.SIZE)
    (score,) = score_stills(detector, [views], [face])
    whole, corner = views[:2], views[2:].copy()
    corner[[1, 2]] = corner[[1, 2], :, ::-1]
    seen = np.concatenate([whole, whole[:, :, ::-1], corner])
    said = detector.predict(np.ascontiguousarray(seen))
    assert score.logit == pytest.approx(said.logits.mean(), abs=1e-5)
    assert list(score.class_probabilities.values()) == pytest.approx(said.class_probabilities.mean(axis=0), abs=1e-5)
    expected = (said.activation_maps[0] + said.activation_maps[2][:, ::-1]) / 2
    np.testing.assert_allclose(score.activation_map, expected, atol=1e-5)


def test_a_picture_and_its_mirror_image_are_judged_alike_by_all_views(detector, monkeypatch):
    monkeypatch.setattr(detector, "spec", replace(detector.spec, crop=WIDE))
    face = Face((70.0, 70.0, 170.0, 170.0), 0.9)
    logits = [
        score_stills(detector, [cut_views(rgb, face, WIDE, networks.SIZE)], [face])[0].logit
        for rgb in (picture(), np.ascontiguousarray(picture()[:, ::-1]))
    ]
    assert logits[0] == pytest.approx(logits[1], abs=1e-5)


def test_without_mirroring_each_view_is_judged_once(tmp_path):
    save_artifact(tmp_path / "d", networks.flat(), DetectorSpec(name="d", input_size=networks.SIZE, crop=WIDE))
    own = load_detector(tmp_path / "d", engine="tensorflow")
    face = Face((70.0, 70.0, 170.0, 170.0), 0.9)
    views = cut_views(picture(), face, WIDE, networks.SIZE)
    (score,) = score_stills(own, [views], [face])
    assert score.logit == pytest.approx(own.predict(views).logits.mean(), abs=1e-5)


@pytest.mark.parametrize("count", [0, 1, 33])
def test_any_number_of_faces_in_their_order(detector, count):
    crops = np.tile(networks.crops(4), (9, 1, 1, 1))[:count]
    scores = score_stills(detector, list(crops[:, None]), (FACES * 9)[:count])
    assert len(scores) == count
    assert [one.logit for one in scores] == pytest.approx(
        [score_stills(detector, [crop[None]], FACES[:1])[0].logit for crop in crops], abs=1e-5
    )

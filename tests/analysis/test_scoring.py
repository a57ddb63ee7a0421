"""Crops to scores: what mirroring does to logits and maps."""

import numpy as np
import pytest

from core.analysis.scoring import score_crops
from core.detector import load_detector
from core.detector.artifact import save_artifact
from core.detector.spec import DetectorSpec, QualityGates, Thresholds
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
    plain, mirror = (
        score_crops(detector, np.ascontiguousarray(some), FACES, still=True) for some in (crops, crops[:, :, ::-1])
    )
    once = score_crops(detector, crops, FACES)
    assert [one.logit for one in plain] == pytest.approx([one.logit for one in mirror], abs=1e-5)
    assert [one.logit for one in plain] != pytest.approx([one.logit for one in once], abs=1e-3)
    for one, other in zip(plain, mirror, strict=True):
        np.testing.assert_allclose(one.activation_map, other.activation_map[:, ::-1], atol=1e-5)


def test_a_mean_map_still_makes_its_logit(detector):
    scores = score_crops(detector, networks.crops(4), FACES, still=True)
    biases = [one.logit - one.activation_map.mean() for one in scores]  # the head's, the same for all
    assert np.ptp(biases) < 1e-4


def test_stills_and_frames_have_thresholds_of_their_own(tmp_path):
    limits = {"thresholds": Thresholds(0, 1), "video_thresholds": Thresholds(0.0, 0.0)}
    gates = QualityGates(0, 0, 1, 0, 256)
    spec = DetectorSpec(name="d", input_size=networks.SIZE, gates=gates, **limits)
    save_artifact(tmp_path / "d", networks.flat(), spec)
    own = load_detector(tmp_path / "d", engine="tensorflow")
    crops = networks.crops(4)
    assert {one.verdict for one in score_crops(own, crops, FACES, still=True)} == {"uncertain"}
    assert {one.verdict for one in score_crops(own, crops, FACES)} == {"fake"}


def test_frames_are_judged_once(detector):
    crops = networks.crops(4)
    said = [one.logit for one in score_crops(detector, crops, FACES)]
    np.testing.assert_array_equal(said, detector.predict(crops).logits)

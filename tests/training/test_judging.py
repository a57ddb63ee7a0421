"""Crops on disk are judged as what they are of: a still by all its views, a frame of a video by one."""

import cv2
import numpy as np
import pytest

from core.analysis.scoring import cut_views
from core.data.sample import Sample
from core.faces import Face
from core.training.callbacks import Unwatched
from core.training.judging import _Picture, crop_spec, look
from tests.analysis.fakes import FakeDetector


class Recorder(FakeDetector):
    """Keeps the crops that it was asked to judge."""

    def predict(self, crops, **options):
        said = super().predict(crops, **options)
        if len(self.batches) == 1:
            self.seen, self.first = crops, said.logits[0]
        return said


@pytest.mark.parametrize(("time_s", "mirrored", "views"), [(None, False, 6), (None, True, 8), (2.0, True, 1)])
def test_a_crop_is_judged_as_its_medium_is(tmp_path, time_s, mirrored, views):
    rgb = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "crop.png"), rgb[..., ::-1])
    detector = Recorder()
    detector.spec.mirrored = mirrored
    sample = Sample(tmp_path / "crop.png", "real", "a", "val", "a", time_s)
    (seen,) = look([], [sample], detector, Unwatched(), "calibrating")
    assert len(seen.faces) == 1
    assert detector.batches == ([views, 1] if views > 1 else [1])
    expected = cut_views(rgb, Face((0.0, 0.0, 100.0, 100.0), 1.0, tight=True), crop_spec(0.88), 32)
    np.testing.assert_array_equal(detector.seen[0], expected[0])
    assert len(seen.once) == (views > 1)
    if views > 1:
        assert seen.by_one_view().faces[0].logit == seen.once[0] == pytest.approx(float(detector.first), abs=1e-6)
        np.testing.assert_array_equal(detector.seen[[1, 2, 5]], expected[[1, 2, 5]])


def test_a_picture_has_the_logit_of_one_view_for_each_face(tmp_path):
    from tests.analysis.fakes import FakeFinder, boxes, picture

    cv2.imwrite(str(tmp_path / "two.png"), picture(3.0, -2.0)[..., ::-1])
    detector, sample = FakeDetector(), Sample(tmp_path / "two.png", "real", "a", "val", "a")
    detector.spec.mirrored = True  # the planted detector says the opposite of a mirror image
    seen = _Picture(sample, detector, FakeFinder(*boxes(2)))()
    assert [face.logit for face in seen.faces] == pytest.approx([0.0, 0.0], abs=0.2)
    assert seen.once == pytest.approx([3.0, -2.0], abs=0.2)


@pytest.mark.parametrize("trained_on", [0.88, 1.3])
def test_views_are_of_the_sizes_that_training_shows(trained_on):
    crop = crop_spec(trained_on)
    assert crop.wide == trained_on
    assert crop.corner == pytest.approx(0.84 * trained_on, abs=1e-4)
    assert crop.scale == pytest.approx(0.92 * trained_on, abs=1e-4)

"""Training and detection see the same bytes: a detector is right on its own crops only."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from core.analysis import analyze_image
from core.data.prepare import face_crop
from core.detector import CropSpec
from core.faces import default_finder
from core.faces.crop import middle, resize_crop
from core.media import encode_image, load_image
from tests.analysis.fakes import FakeDetector

DFDC = Path(__file__).parents[2] / "shared/data/dfdc/test"


class Recorder(FakeDetector):
    """Keeps the crops that it was asked to judge."""

    def predict(self, crops, **options):
        self.seen = crops
        return super().predict(crops, **options)


def both_crops(data, tight):
    detector = Recorder()
    spec = detector.spec
    report = analyze_image(data, detector, default_finder())
    trained_on = face_crop(load_image(data).rgb, default_finder(), spec.crop.scale, tight=tight)
    return report, detector.seen[0], resize_crop(trained_on, spec.input_size)


def portrait():
    return skimage.data.astronaut()


def tight_portrait():
    (face,) = default_finder().find(portrait())
    left, top, right, bottom = face.box_xyxy
    side = round((bottom - top) * 0.88)
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    return cv2.resize(portrait()[y : y + side, x : x + side], (224, 224), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("picture", "tight"), [(portrait, False), (tight_portrait, True)])
def test_one_portrait_both_ways(picture, tight):
    report, judged, trained_on = both_crops(encode_image(picture(), "png"), tight)
    assert (judged == trained_on).all()
    assert report.faces[0].face.tight is tight
    if tight:
        assert (judged == resize_crop(picture(), judged.shape[0])).all()


@pytest.mark.parametrize("picture", [portrait, tight_portrait])
def test_what_is_judged_is_the_middle_of_what_is_trained_on(picture, monkeypatch):
    """Training sees random parts of its crops; the mean one is what a detector then looks at, tight crop or not."""
    detector = Recorder()
    monkeypatch.setattr(detector, "spec", replace(detector.spec, crop=CropSpec(scale=0.5)))
    analyze_image(encode_image(picture(), "png"), detector, default_finder())
    trained_on = face_crop(picture(), default_finder(), 0.88, tight=picture is tight_portrait)
    judged = detector.seen[0].astype(int)
    apart = {
        share: np.abs(judged - resize_crop(middle(trained_on, share / 0.88), len(judged))).mean()
        for share in (0.46, 0.5, 0.54, 0.88)
    }
    assert min(apart, key=apart.__getitem__) == 0.5, apart  # not equal: either square is rounded on its own


@pytest.mark.shared_data
@pytest.mark.skipif(not DFDC.is_dir(), reason="../shared/data is not there")
def test_dfdc_crops_are_judged_whole():
    paths = sorted(DFDC.glob("*/*.jpg"))[::25]
    assert len(paths) == 40
    same = 0
    for path in paths:
        rgb = load_image(path).rgb
        report, judged, trained_on = both_crops(path.read_bytes(), True)
        assert (trained_on == resize_crop(rgb, trained_on.shape[0])).all()
        same += np.array_equal(judged, trained_on)
        assert report.faces
    # training keeps them all, since it sees the whole source; one picture alone is recognised in 98 of 100 cases
    assert same >= 38

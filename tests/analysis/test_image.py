"""core.analysis.image: pictures with planted faces."""

import io

import numpy as np
import pytest
from PIL import Image

from core.analysis import analyze_image
from core.errors import MediaError
from tests.analysis.fakes import FakeDetector, FakeFinder, FakeGates, boxes, picture

RECORD_KEYS = {
    "path",
    "kind",
    "verdict",
    "fake_probability",
    "faces",
    "reasons",
    "warnings",
    "error",
    "model",
    "model_sha256",
    "seconds",
}


def png(rgb):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("logits", "verdict", "logit"),
    [
        ([-4.0], "real", -4.0),
        ([4.0], "fake", 4.0),
        ([0.25], "uncertain", 0.25),
        ([-4.0, 3.0, 0.5], "fake", 3.0),  # the worst of three
        ([None], "no_face", None),
    ],
)
def test_verdict_and_probability(logits, verdict, logit):
    report = analyze_image(png(picture(*logits)), FakeDetector(), FakeFinder(*boxes(len(logits))), name="a.png")
    assert report.verdict == verdict
    expected = None if logit is None else pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-6)
    assert report.fake_probability == expected
    assert len(report.faces) == sum(value is not None for value in logits)
    assert (report.path, report.size_wh, report.model) == ("a.png", (320, 240), "planted")


def test_faces_stand_from_left_to_right_with_their_own_crops():
    finder = FakeFinder(*reversed(boxes(3)))  # a finder gives the best score first, wherever that is
    detector = FakeDetector()
    report = analyze_image(png(picture(-2.0, 1.0, 3.0)), detector, finder)
    assert [round(score.logit, 4) for score in report.faces] == [-2.0, 1.0, 3.0]
    assert [score.face.box_xyxy for score in report.faces] == list(boxes(3))
    assert detector.batches == [3]  # one batch for all


def test_maps_are_kept_only_when_asked_for():
    source = png(picture(2.0))
    assert analyze_image(source, FakeDetector(), FakeFinder()).faces[0].activation_map.tolist() == [[2, 2], [2, 2]]
    assert analyze_image(source, FakeDetector(), FakeFinder(), maps=False).faces[0].activation_map is None


def test_a_face_that_fails_a_gate_is_uncertain_whatever_the_network_says():
    report = analyze_image(png(picture(6.0)), FakeDetector(FakeGates(min_face_px=80)), FakeFinder())
    assert report.verdict == "uncertain"
    assert "The face is only 64 pixels high; below 80 nothing reliable can be said." in report.reasons
    assert report.fake_probability > 0.99


def test_a_truncated_jpeg_is_judged_with_a_warning(tmp_path):
    path = tmp_path / "cut.jpg"
    Image.fromarray(picture(3.0)).save(path, quality=95)
    path.write_bytes(path.read_bytes()[:-40])
    report = analyze_image(path, FakeDetector(), FakeFinder())
    assert report.verdict == "fake"
    assert report.warnings
    assert report.path == str(path)


def test_the_record_holds_what_issue_2_lists():
    record = analyze_image(png(picture(3.0)), FakeDetector(), FakeFinder(), name="a.png").to_dict()
    assert record.keys() >= RECORD_KEYS
    assert record["kind"] == "image"
    assert record["faces"][0].keys() == {
        "box_xyxy",
        "rotation_deg",
        "fake_probability",
        "verdict",
        "quality",
        "reasons",
    }
    assert record["model_sha256"] == "ab" * 32


def test_what_is_no_picture_raises():
    with pytest.raises(MediaError):
        analyze_image(b"hello", FakeDetector(), FakeFinder(), name="a.jpg")


@pytest.mark.parametrize(
    ("mirrored", "expected"),
    [
        (False, 4.0),  # what the planted detector says of the halves
        (True, 0.0),  # mirrored, it says the opposite
    ],
)
def test_a_still_is_judged_mirrored_too_where_the_detector_asks_for_it(mirrored, expected):
    detector = FakeDetector()
    detector.spec.mirrored = mirrored
    report = analyze_image(png(picture(4.0)), detector, FakeFinder(*boxes(1)))
    assert report.faces[0].logit == pytest.approx(expected, abs=0.2)
    assert detector.batches == [1 + mirrored]

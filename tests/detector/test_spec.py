"""model.json: what is written comes back, and each value that cannot be is named in one sentence."""

import json

import pytest

from core.detector.spec import (
    Calibration,
    CropSpec,
    DetectorSpec,
    Preprocessing,
    QualityGates,
    Thresholds,
)
from core.errors import DetectorError

FULL = DetectorSpec(
    name="default",
    input_size=160,
    weights_sha256="ab" * 32,
    crop=CropSpec(1.1, wide=1.2, corner=0.9),
    mirrored=True,
    preprocessing=Preprocessing(1 / 255, 0.0),
    classes=("real", "swapped", "generated"),
    calibration=Calibration(0.8, -0.2),
    video_calibration=Calibration(0.7, -0.1),
    thresholds=Thresholds(0.2, 0.9),
    video_thresholds=Thresholds(0.2, 0.7),
    gates=QualityGates(30, 1.5, 0.6, 20),
    metrics={"dfdc/test": {"auc": 0.9}},
    training={"data": ["dfdc"]},
    licence="research only",
    description="Größe",
)


def test_a_spec_survives_json():
    assert DetectorSpec.from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL


def test_what_is_missing_gets_its_default_and_what_is_unknown_is_left_alone():
    spec = DetectorSpec.from_dict({"name": "a", "input_size": 64, "crop": {"later": 1}, "later": {}})
    assert spec == DetectorSpec(name="a", input_size=64)
    assert spec.preprocessing == Preprocessing(1 / 127.5, -1.0)


def test_videos_have_their_thresholds_or_those_of_stills():
    assert (FULL.limits(video=False), FULL.limits(video=True)) == (Thresholds(0.2, 0.9), Thresholds(0.2, 0.7))
    older = {**FULL.to_dict(), "video_thresholds": None}
    assert DetectorSpec.from_dict(older).limits(video=True) == Thresholds(0.2, 0.9)


def test_videos_have_their_calibration_or_that_of_stills():
    said = FULL.calibration_for(video=False), FULL.calibration_for(video=True)
    assert said == (Calibration(0.8, -0.2), Calibration(0.7, -0.1))
    older = {**FULL.to_dict(), "video_calibration": None}
    assert DetectorSpec.from_dict(older).calibration_for(video=True) == Calibration(0.8, -0.2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 2}, "update the program"),  # made by a newer program
        ({"schema_version": "x"}, "schema version 'x'"),  # no number
        ({"input_size": "160"}, '"input_size" .* whole number'),  # text for a number
        ({"input_size": True}, '"input_size"'),  # Python takes True for 1
        ({"input_size": 8}, "from 16 to 1024"),  # too small
        ({"input_size": 5000}, "from 16 to 1024"),  # too large
        ({"name": None}, '"name" .* text'),  # null
        ({"weights_file": "../model.keras"}, '"weights_file"'),  # out of its folder
        ({"weights_file": "..\\model.keras"}, '"weights_file"'),  # the same on Windows
        ({"weights_file": "model.pkl"}, '"weights_file"'),  # no Keras format
        ({"classes": "real"}, '"classes" .* list'),  # text for a list
        ({"classes": ["real"]}, '"classes" .* two or more'),  # one class
        ({"classes": ["a", "b"]}, 'one of them "real"'),  # none is real
        ({"classes": ["real", "real"]}, '"classes"'),  # twice the same
        ({"crop": 0.9}, '"crop" .* object'),  # number for an object
        ({"crop": {"scale": 0}}, '"crop.scale"'),  # an empty crop
        ({"crop": {"scale": 0.8, "wide": 0.7, "corner": 0.6}}, '"crop.wide"'),  # the wider crop is none
        ({"crop": {"scale": 0.8, "corner": 0.6}}, '"crop.wide"'),  # corners of nothing
        ({"crop": {"scale": 0.8, "wide": 0.9}}, '"crop.corner"'),  # an empty corner
        ({"crop": {"scale": 0.8, "wide": 0.9, "corner": 1}}, '"crop.corner"'),  # wider than what it is of
        ({"crop": {"wide": "much"}}, '"crop.wide" .* number'),  # text
        ({"mirrored": "yes"}, '"mirrored"'),
        ({"mirrored": 1}, '"mirrored"'),
        ({"preprocessing": {"scale": 0}}, '"preprocessing.scale"'),  # every picture would be alike
        ({"calibration": {"slope": -1}}, '"calibration.slope"'),  # would turn real and fake around
        ({"calibration": {"slope": float("nan")}}, '"calibration.slope" .* number'),  # JSON's NaN
        ({"thresholds": {"real_below": 0.8, "fake_above": 0.2}}, '"thresholds" .* rising'),  # crossed
        ({"thresholds": {"fake_above": 1.5}}, '"thresholds"'),  # no probability
        ({"video_calibration": {"slope": 0}}, '"calibration.slope"'),  # all videos alike
        ({"video_thresholds": [0.2, 0.7]}, '"video_thresholds" .* object'),  # a list
        ({"gates": {"max_turn": "much"}}, '"gates.max_turn" .* number'),  # text
        ({"metrics": []}, '"metrics" .* object'),  # list for an object
    ],
)
def test_what_cannot_be_is_named(changes, words):
    with pytest.raises(DetectorError, match=words):
        DetectorSpec.from_dict({**FULL.to_dict(), **changes})


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_only_an_object_is_a_spec(document):
    with pytest.raises(DetectorError, match="one JSON object"):
        DetectorSpec.from_dict(document)


@pytest.mark.parametrize("missing", ["name", "input_size"])
def test_name_and_size_must_be_given(missing):
    document = FULL.to_dict()
    del document[missing]
    with pytest.raises(DetectorError, match=f'"{missing}" .* given'):
        DetectorSpec.from_dict(document)

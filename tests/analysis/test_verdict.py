"""core.analysis.verdict: every row is a rule of DESIGN.md ("What a number means") or of issue 2, part 6."""

import math

import pytest

from core.analysis.types import FaceScore, Quality, TrackReport
from core.analysis.verdict import (
    GATE_WORDS,
    NO_FACE_IMAGE,
    NO_FACE_VIDEO,
    VERDICT_WORDS,
    between_sentence,
    failed_gates,
    judge_face,
    judge_image,
    judge_video,
    passed_gates,
    told_apart,
    verdict_of,
    worst_face,
)
from core.faces.types import Face
from tests.analysis.fakes import FakeGates, FakeThresholds

LIMITS, GATES = FakeThresholds(0.3, 0.7), FakeGates()
GOOD = Quality(face_px=120, sharpness=20, brightness=120, turn=0.1)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.0, "real"),
        (0.2999, "real"),
        (0.3, "uncertain"),  # "below" does not hold at the limit itself
        (0.5, "uncertain"),
        (0.6999, "uncertain"),
        (0.7, "fake"),  # the limit belongs to fake
        (1.0, "fake"),
        (math.nan, "uncertain"),  # a broken number is never a verdict
    ],
)
def test_verdict_of(probability, expected):
    assert verdict_of(probability, LIMITS) == expected


def test_equal_thresholds_leave_no_uncertain():
    one = FakeThresholds(0.5, 0.5)
    assert [verdict_of(p, one) for p in (0.49, 0.5, 0.51)] == ["real", "fake", "fake"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ()),
        ({"face_px": 39.9}, ("small",)),
        ({"face_px": 40.0}, ()),  # at the limit it passes
        ({"sharpness": 4.9}, ("blurred",)),
        ({"sharpness": 5.0}, ()),
        ({"turn": 0.71}, ("turned",)),
        ({"turn": 0.7}, ()),
        ({"turn": None}, ()),  # no landmarks: nothing is held against the face
        ({"brightness": 29}, ("dark",)),
        ({"brightness": 30}, ()),
        ({"noise": 8.1}, ("noisy",)),
        ({"noise": 8.0}, ()),
        ({"noise": None}, ()),  # a record from before it was measured
        ({"quantiser": 38.1}, ("compressed",)),
        ({"quantiser": 38.0}, ()),
        ({"tilt": 45.1}, ("tilted",)),
        ({"tilt": 45.0}, ()),
        ({"tilt": None}, ()),
        ({"quantiser": None}, ()),  # a picture, or a film whose decoder does not tell
        (
            {"face_px": 10, "sharpness": 0, "turn": 1.0, "brightness": 0, "noise": 20},
            ("small", "blurred", "turned", "dark", "noisy"),
        ),
    ],
)
def test_failed_gates(changed, expected):
    assert failed_gates(Quality(**{**vars(GOOD), **changed}), GATES) == expected


@pytest.mark.parametrize(
    ("probability", "changed", "verdict", "reasons"),
    [
        (0.05, {}, "real", []),
        (0.95, {}, "fake", []),
        (0.52, {}, "uncertain", ["The fake probability of 52 % lies between 30 % and 70 %: too close to call."]),
        (
            0.99,  # whatever the network says
            {"face_px": 28.7},
            "uncertain",
            ["The face is only 28 pixels high; below 40 nothing reliable can be said."],
        ),
        (0.01, {"sharpness": 3.14}, "uncertain", ["The face is too blurred: sharpness 3.1, at least 5 is needed."]),
        (
            0.01,
            {"turn": 0.9},
            "uncertain",
            [
                "The head is turned too far to the side: 0.90, where 0 is frontal and 1 is a profile; "
                "above 0.7 nothing reliable can be said."
            ],
        ),
        (0.01, {"brightness": 12.0}, "uncertain", ["The face is too dark: brightness 12 of 255, at least 30."]),
        (
            0.01,
            {"noise": 17.2},
            "uncertain",
            ["The face is too noisy: noise of 17.2 grey levels; above 8 nothing reliable can be said."],
        ),
        (
            0.99,
            {"quantiser": 41.3},
            "uncertain",
            [
                "The film is compressed too strongly here: quantiser 41; above 38 nothing reliable can be said. "
                "Look for a better copy."
            ],
        ),
        (
            0.99,
            {"tilt": 90.4},
            "uncertain",
            ["The face is tilted by 90 degrees; above 45 nothing reliable can be said. Turn the picture upright."],
        ),
        # a figure just beyond its limit is never rounded onto it
        (0.01, {"sharpness": 4.97}, "uncertain", ["The face is too blurred: sharpness 4.97, at least 5 is needed."]),
        (
            0.01,
            {"noise": 8.01},
            "uncertain",
            ["The face is too noisy: noise of 8.01 grey levels; above 8 nothing reliable can be said."],
        ),
        (0.01, {"brightness": 29.8}, "uncertain", ["The face is too dark: brightness 29.8 of 255, at least 30."]),
    ],
)
def test_judge_face(probability, changed, verdict, reasons):
    assert judge_face(probability, Quality(**{**vars(GOOD), **changed}), LIMITS, GATES) == (verdict, tuple(reasons))


@pytest.mark.parametrize(
    ("probability", "thresholds", "told"),
    [
        (0.2, (0.16440860143935765, 0.7437089321564365), "of 20 % lies between 16 % and 74 %"),
        (0.1648, (0.16440860143935765, 0.7437089321564365), "of 16.5 % lies between 16.4 % and 74.4 %"),  # not "16 %"
        (0.743, (0.16440860143935765, 0.7437089321564365), "of 74.3 % lies between 16.4 % and 74.4 %"),
        (0.3, (0.3, 0.7), "of 30 % lies between 30 % and 70 %"),  # at the limit itself, which is uncertain
    ],
)
def test_between_sentence_is_round_but_keeps_the_side(probability, thresholds, told):
    sentence = between_sentence(probability, FakeThresholds(*thresholds))
    assert sentence == f"The fake probability {told}: too close to call."


@pytest.mark.parametrize(
    ("probability", "changed", "expected"),
    [
        (0.9, {}, True),
        (0.1, {}, True),
        (0.5, {}, True),  # judged, and too close to call
        (0.9, {"face_px": 20}, False),
        (0.5, {"sharpness": 1, "brightness": 0}, False),
    ],
)
def test_passed_gates(probability, changed, expected):
    quality = Quality(**{**vars(GOOD), **changed})
    verdict, reasons = judge_face(probability, quality, LIMITS, GATES)
    score = FaceScore(Face((0, 0, 9, 9), 0.9), probability, 0.0, {}, verdict, quality, reasons)
    assert passed_gates(score) is expected


def test_told_apart_gives_up_where_there_is_no_difference():
    assert told_apart(0.5, 0.5000000001, digits=2) == ["0.50", "0.50"]


def face(verdict, probability, *reasons):
    return FaceScore(Face((0, 0, 9, 9), 0.9), probability, 0.0, {}, verdict, GOOD, reasons)


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ([], ("no_face", None, (NO_FACE_IMAGE,))),
        ([face("real", 0.1)], ("real", 0.1, ())),
        ([face("real", 0.1), face("fake", 0.8), face("uncertain", 0.5)], ("fake", 0.8, ())),  # one fake is enough
        ([face("real", 0.1), face("uncertain", 0.4, "A.")], ("uncertain", 0.4, ("Face 2: A.",))),
        # the number belongs to the face that decides: a small face that the network calls 0.99 decides nothing
        ([face("uncertain", 0.99, "Small."), face("fake", 0.8)], ("fake", 0.8, ("Face 1: Small.",))),
        ([face("uncertain", 0.02, "Small."), face("real", 0.1)], ("uncertain", 0.02, ("Face 1: Small.",))),
        ([face("uncertain", 0.5, "One.")], ("uncertain", 0.5, ("One.",))),  # a single face needs no number
        ([face("fake", 0.8), face("fake", 0.9)], ("fake", 0.9, ())),
        # what is said of the face that decides comes first: in a crowd few read further
        (
            [face("uncertain", 0.3, "A."), face("uncertain", 0.5, "B."), face("uncertain", 0.4, "C.")],
            ("uncertain", 0.5, ("Face 2: B.", "Face 1: A.", "Face 3: C.")),
        ),
    ],
)
def test_judge_image(faces, expected):
    assert judge_image(faces) == expected


def test_worst_face_is_an_index():
    assert worst_face([face("real", 0.1), face("fake", 0.8), face("fake", 0.75)]) == 1
    assert worst_face([]) is None


def person(number, verdict, probability, *reasons, faces=100):
    return TrackReport(number, 0.0, 4.0, verdict, probability, (), reasons, faces)


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([], ("no_face", None, (NO_FACE_VIDEO,))),
        ([person(1, "real", 0.1), person(2, "real", 0.2)], ("real", 0.2, ())),
        ([person(1, "real", 0.1), person(2, "fake", 0.9)], ("fake", 0.9, ())),
        ([person(1, "uncertain", 0.6, "U."), person(2, "real", 0.1)], ("uncertain", 0.6, ("Person 1: U.",))),
        ([person(1, "uncertain", 0.6, "U."), person(2, "fake", 0.8)], ("fake", 0.8, ("Person 1: U.",))),
        # somebody seen in two frames does not make a judged video uncertain ...
        (
            [person(1, "real", 0.1), person(2, "uncertain", 0.4, "Brief.", faces=2)],
            ("real", 0.1, ("Person 2: Brief.",)),
        ),
        # ... unless those two look fake: that is no proof, and no "nothing found" either
        (
            [person(1, "real", 0.1), person(2, "uncertain", 0.9, "Brief.", faces=2)],
            ("uncertain", 0.9, ("Person 2: Brief.",)),
        ),
        # ... or there is nobody else
        ([person(1, "uncertain", 0.1, "Brief.", faces=2)], ("uncertain", 0.1, ("Brief.",))),
    ],
)
def test_judge_video(tracks, expected):
    assert judge_video(tracks, LIMITS) == expected


def test_no_screen_says_more_than_no_manipulation_found():
    assert VERDICT_WORDS["real"] == "no manipulation found"
    assert set(VERDICT_WORDS) == {"real", "fake", "uncertain", "no_face", "error"}
    assert set(GATE_WORDS) == {"small", "blurred", "turned", "dark", "noisy", "compressed", "tilted"}

"""core.explain.frame_marks: quick drawing in place, held to the slow drawing of core.explain.overlay."""

import numpy as np
import pytest

from core.analysis.types import FaceScore, Quality
from core.explain.frame_marks import lay_evidence, mark_faces, paste
from core.explain.overlay import VERDICT_RGB, draw_overlay
from core.explain.shown_faces import ShownFace
from core.faces import Face
from core.faces.crop import crop_pixels


@pytest.mark.parametrize(
    "box",
    [
        (60.0, 40.0, 120.0, 110.0),
        (-30.0, -20.0, 50.0, 80.0),  # reaches out at the top left
        (150.0, 100.0, 260.0, 220.0),  # and at the bottom right
        (500.0, 500.0, 560.0, 580.0),  # outside
        (90.2, 70.7, 91.1, 71.4),  # a pixel
        None,  # all of the picture
    ],
)
def test_evidence_lies_and_looks_as_on_stills(box):
    rng = np.random.default_rng(3)
    frame = rng.integers(0, 256, (160, 200, 3)).astype(np.uint8)
    evidence = rng.normal(0, 5, (5, 5)).astype(np.float32)
    pixels = box and crop_pixels(Face(box, 1.0), 0.88)
    expected = draw_overlay(frame, evidence, pixels=pixels)
    lay_evidence(frame, evidence, pixels)
    assert np.abs(frame.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("evidence", [np.full((2, 2), np.nan, np.float32), np.zeros((3, 3), np.float32)])
def test_no_evidence_changes_nothing(evidence):
    frame = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    before = frame.copy()
    lay_evidence(frame, evidence)
    assert np.abs(frame.astype(int) - before).max() <= 1


def shown(box, verdict="fake"):
    return ShownFace(FaceScore(Face(box, 0.9, track_id=3), 0.9, 0.0, {}, verdict, Quality(50, 30, 100)), box)


@pytest.mark.parametrize("verdict", ["real", "fake", "uncertain"])
def test_a_box_in_the_colour_of_its_verdict(verdict):
    frame = np.zeros((200, 300, 3), np.uint8)
    mark_faces(frame, [shown((100.0, 80.0, 200.0, 180.0), verdict)])
    assert tuple(frame[180, 150]) == VERDICT_RGB[verdict]
    assert tuple(frame[130, 150]) == (0, 0, 0)  # nothing inside


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((20, 30), (5.0, 5.0, 15.0, 15.0)),  # no room for the words
        ((200, 300), (-50.0, -50.0, 900.0, 900.0)),  # larger than the frame
        ((200, 300), (280.0, 2.0, 299.0, 40.0)),  # in a corner
    ],
)
def test_boxes_where_there_is_no_room(size, box):
    frame = np.zeros((*size, 3), np.uint8)
    mark_faces(frame, [shown(box)])
    assert frame.any()


def test_a_plate_is_moved_inside_and_cut():
    frame = np.zeros((10, 10, 3), np.uint8)
    paste(frame, np.full((4, 4, 3), 9, np.uint8), 8, -3)
    assert frame[:4, 6:].all()
    assert frame.sum() == 9 * 4 * 4 * 3
    paste(frame, np.full((30, 30, 3), 5, np.uint8), 3, 3)
    assert (frame == 5).all()

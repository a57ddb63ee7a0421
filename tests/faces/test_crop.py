"""The crop's geometry, its border, and pictures that already are crops."""

import numpy as np
import pytest

from core.faces import Face, crop_face, crop_square, find_faces_or_tight
from core.faces.crop import crop_pixels, cut_face, middle, resize_crop


class StubFinder:
    """Answers with the faces it was given; `scales` and `score_min` are of no interest here."""

    def __init__(self, faces):
        self.faces = faces

    def find(self, rgb, **_):
        return self.faces


def ramp(height, width):
    """Each pixel tells its place: red its column, green its row."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "scale", "expected"),
    [
        ((10, 20, 50, 70), 1.0, (5, 20, 50)),  # as wide as it is high, around the same centre
        ((10, 20, 50, 70), 0.88, (8, 23, 44)),  # the default crop
        ((10, 20, 50, 70), 2.0, (-20, -5, 100)),  # larger than the box
    ],
)
def test_crop_square(box, scale, expected):
    assert crop_square(Face(box, 1.0), scale) == pytest.approx(expected)


def test_a_crop_inside_is_the_picture_itself():
    crop = cut_face(ramp(100, 100), Face((30, 20, 70, 60), 1.0), 1.0)
    assert crop.shape == (40, 40, 3)
    assert (crop[0, 0] == [30, 20, 0]).all()
    assert (crop[-1, -1] == [69, 59, 0]).all()


def test_what_lies_outside_is_reflected():
    crop = cut_face(ramp(100, 100), Face((-10, 0, 30, 40), 1.0), 1.0)
    assert crop.shape == (40, 40, 3)
    # columns -10..29 become 10 9 … 1 0 1 … 29: the border pixel itself is not repeated
    assert crop[5, :, 0].tolist() == [*range(10, 0, -1), *range(30)]


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),  # one pixel
        ((1, 50), (10, -20, 20, 20)),  # one row: nothing to reflect
        ((60, 60), (-500, -500, -400, -400)),  # a box that misses the picture
        ((60, 60), (10, 10, 10, 10)),  # a box without area
        ((60, 60), (-1e6, -1e6, 1e6, 1e6)),  # a box beyond all measure must not cost memory
    ],
)
def test_odd_boxes_still_give_a_crop(shape, box):
    crop = crop_face(ramp(*shape), Face(box, 1.0), scale=0.88, size=32)
    assert crop.shape == (32, 32, 3)
    assert crop.dtype == np.uint8


def test_a_tight_face_is_the_whole_picture():
    picture = ramp(64, 64)
    face = Face((0, 0, 64, 64), 1.0, tight=True)
    assert (crop_face(picture, face, scale=0.88, size=64) == picture).all()
    assert (crop_face(picture, face, scale=0.88, size=32) == resize_crop(picture, 32)).all()


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (0.88, (0, 0, 64, 80)),  # what tight crops hold: the whole picture
        (1.3, (0, 0, 64, 80)),  # more than it holds
        (0.66, (8, 10, 56, 70)),  # three quarters of it
    ],
)
def test_a_smaller_crop_of_a_tight_face_is_its_middle(scale, expected):
    face = Face((0, 0, 64, 80), 1.0, tight=True)
    assert crop_pixels(face, scale) == expected
    crop = cut_face(ramp(80, 64), face, scale)
    assert (*crop[0, 0, :2], *(crop[-1, -1, :2] + 1)) == expected


@pytest.mark.parametrize("share", [1.0, 0.92, 0.5])
def test_middle(share):
    crop = middle(ramp(100, 100), share)
    assert crop.shape[:2] == (round(100 * share),) * 2
    assert crop[0, 0, 0] == 99 - crop[-1, -1, 0]  # as much is lost on the left as on the right


def test_pixels_of_a_crop_are_those_that_are_cut_out():
    face = Face((30, 20, 70, 60), 1.0)
    x0, y0, x1, y1 = crop_pixels(face, 0.8)
    assert (cut_face(ramp(100, 100), face, 0.8) == ramp(100, 100)[y0:y1, x0:x1]).all()


def tight_answer(side, box_share, eyes_to_mouth):
    """What a finder answers for a face of these shares in a `side` px picture framed by 40 %."""
    margin, centre, half = round(side * 0.4), side / 2 + round(side * 0.4), side * box_share / 2
    eye_y, mouth_y = centre - side * eyes_to_mouth / 2, centre + side * eyes_to_mouth / 2
    marks = [
        [centre - 20, eye_y],
        [centre + 20, eye_y],
        [centre, centre],
        [centre - 15, mouth_y],
        [centre + 15, mouth_y],
    ]
    assert margin
    return Face((centre - half, centre - half, centre + half, centre + half), 0.9, np.array(marks, np.float32))


@pytest.mark.parametrize(
    ("box_share", "eyes_to_mouth", "height", "tight"),
    [
        (0.96, 0.38, 200, True),  # the median of DFDC's crops
        (0.75, 0.27, 200, False),  # the median of FFHQ: the whole head is in the frame
        (0.92, 0.30, 200, False),  # a large face, but whole
        (0.96, 0.38, 300, False),  # not square
    ],
)
def test_tight_crops_are_told_by_how_the_face_fills_them(box_share, eyes_to_mouth, height, tight):
    finder = StubFinder([tight_answer(200, box_share, eyes_to_mouth)])
    faces = find_faces_or_tight(ramp(height, 200), finder)
    assert [face.tight for face in faces] == [tight]
    if tight:
        assert faces[0].box_xyxy == (0, 0, 200, 200)


def test_a_data_set_may_know_better_than_one_look():
    picture = ramp(200, 200)
    assert find_faces_or_tight(picture, StubFinder([]), tight=True)[0].tight
    assert find_faces_or_tight(picture, StubFinder([]), tight=False) == []

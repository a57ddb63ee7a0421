"""The face finder on the public-domain astronaut portrait, whose face stands where it stands."""

import threading

import cv2
import numpy as np
import pytest
import skimage.data

from core.faces import FaceFinder, default_finder, find_faces_or_tight
from core.faces.finder import working_scales
from core.faces.landmarks import default_mesh

ASTRONAUT_FACE = (176, 67, 264, 185)  # read off the picture by eye, to some pixels


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(0, width) * max(0, height)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


@pytest.mark.parametrize(
    ("size_wh", "expected"),
    [
        ((320, 240), [1.0]),  # small pictures as they are
        ((640, 480), [1.0]),
        ((1280, 720), [0.5]),  # the coarse pass is the finer one
        ((1920, 1080), [0.5]),  # one pass is near enough to the coarse one
        ((3840, 2160), [0.69, 640 / 3840]),  # small faces need the fine pass, large ones the coarse
        ((12000, 8000), [(4e6 / 96e6) ** 0.5, 640 / 12000]),  # bounded by what is affordable
    ],
)
def test_working_scales(size_wh, expected):
    assert working_scales(size_wh) == pytest.approx(expected)


def test_finds_the_astronaut(astronaut):
    faces = default_finder().find(astronaut)
    assert len(faces) == 1
    assert overlap(faces[0].box_xyxy, ASTRONAUT_FACE) > 0.6
    left_eye, right_eye, nose, *mouth = faces[0].landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < min(corner[1] for corner in mouth)


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0, 8.0])
def test_boxes_are_in_the_picture_s_own_pixels(astronaut, factor):
    picture = cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (face,) = default_finder().find(picture)
    assert overlap([edge / factor for edge in face.box_xyxy], ASTRONAUT_FACE) > 0.6


def test_a_40_px_face_in_a_4k_frame_is_found(astronaut):
    small = cv2.resize(astronaut, None, fx=40 / 118, fy=40 / 118, interpolation=cv2.INTER_AREA)
    frame = np.full((2160, 3840, 3), 120, np.uint8)
    frame[1500 : 1500 + small.shape[0], 2900 : 2900 + small.shape[1]] = small
    (face,) = default_finder().find(frame)
    assert 2900 < face.box_xyxy[0] < 3100
    assert 30 < face.box_xyxy[3] - face.box_xyxy[1] < 50


def test_finds_several(astronaut):
    faces = default_finder().find(np.hstack([astronaut, astronaut[:, ::-1]]))
    assert len(faces) == 2


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((1, 1, 3), np.uint8),  # one pixel
        np.full((300, 400, 3), 128, np.uint8),  # nothing to see
        np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8),  # noise
    ],
)
def test_no_face(rgb):
    assert find_faces_or_tight(rgb, default_finder()) == []


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((10, 10), np.uint8),  # grey
        np.zeros((10, 10, 4), np.uint8),  # with alpha
        np.zeros((10, 10, 3), np.float32),  # not uint8
    ],
)
def test_other_arrays_are_refused(rgb):
    with pytest.raises(ValueError, match="uint8 with shape"):
        default_finder().find(rgb)


def test_threads_share_one_finder(astronaut):
    finder, expected = FaceFinder(threads=1), None
    expected = finder.find(astronaut)[0].box_xyxy
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(finder.find(astronaut)[0].box_xyxy)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 4


def test_the_astronaut_s_own_tight_crop_is_judged_whole(astronaut):
    (face,) = default_finder().find(astronaut)
    left, top, right, bottom = face.box_xyxy
    side = round((bottom - top) * 0.88)
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    crop = cv2.resize(astronaut[y : y + side, x : x + side], (224, 224), interpolation=cv2.INTER_CUBIC)
    assert [found.tight for found in find_faces_or_tight(crop, default_finder())] == [True]
    assert [found.tight for found in find_faces_or_tight(astronaut, default_finder())] == [False]


def test_the_mesh_lies_on_the_face(astronaut):
    crop = astronaut[60:190, 155:285]
    points, confidence = default_mesh().points(crop)
    assert points.shape == (468, 2)
    assert confidence > 0.9
    assert default_mesh().points(np.full_like(crop, 128))[1] < 0.5
    # 13 and 14 are the inner lips, 159 and 386 the upper lids: eyes above mouth, left one left
    assert points[159, 1] < points[13, 1]
    assert points[159, 0] < points[13, 0] < points[386, 0]

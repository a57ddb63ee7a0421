"""Faces that lie: found, set upright by quarter turns, cut and drawn as if the picture stood."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data

from core.analysis.quality import measure_quality
from core.explain.overlay import draw_overlay, in_picture
from core.faces import Face, crop_square, default_finder, find_faces_or_tight
from core.faces.crop import crop_pixels, cut_face
from core.faces.upright import find_turned, lean, set_upright, turned
from tests.explain.test_overlay import score
from tests.faces.lying import BOX, TURNS, UPRIGHT_MARKS, at, by_turn, lying, lying_marks, marked, only


def ramp(height=60, width=50):
    """Each pixel tells its place: red its column, green its row."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


@pytest.mark.parametrize(("chin", "degrees"), [((0, 1), 0), ((1, 0), 90), ((-1, 0), -90), ((0, -1), 180), ((1, 1), 45)])
def test_lean(chin, degrees):
    marks = np.zeros((5, 2), np.float32)
    marks[3:] = chin
    assert lean(marks) == pytest.approx(degrees)


def test_a_lean_that_cannot_be_told():
    assert lean(np.zeros((5, 2), np.float32)) is None
    assert lean(np.full((5, 2), np.nan, np.float32)) is None


@pytest.mark.parametrize("rotation_deg", (0, *TURNS))
def test_faces_of_a_turned_copy_are_where_they_are_in_the_picture(rotation_deg):
    upright = ramp()
    picture = lying(upright, rotation_deg)
    seen = []

    def find(copy):
        seen.append(copy)
        return [Face(BOX, 0.9, UPRIGHT_MARKS)]

    (face,) = find_turned(picture, rotation_deg, find)
    assert (seen[0] == upright).all()
    assert face.rotation_deg == rotation_deg
    assert face.height == 36
    assert (cut_face(picture, face, 1.0) == cut_face(upright, Face(BOX, 0.9), 1.0)).all()
    for (x, y), (back_x, back_y) in zip(UPRIGHT_MARKS, face.landmarks, strict=True):
        # the pixel at a landmark is the same one, but for half a pixel of the edges' coordinates
        told = picture[round(float(back_y) - 0.5), round(float(back_x) - 0.5)]
        assert np.abs(told[:2].astype(int) - [x, y]).max() <= 1


def test_what_does_not_stand_in_the_turned_copy_is_left_out():
    leaning = Face(BOX, 0.9, lying_marks(40))
    assert find_turned(ramp(), 90, only(leaning)) == []
    assert find_turned(ramp(), 90, only(Face(BOX, 0.9))) == []  # without landmarks nobody knows
    assert find_turned(ramp(), 90, only(Face(BOX, 0.9, UPRIGHT_MARKS, rotation_deg=90))) == []


def test_the_helper_leans_as_it_says():
    assert lean(lying_marks(30)) == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("degrees", [0, 30, 44, -44])
def test_a_head_that_only_leans_is_left_as_it_is(degrees):
    face = Face(BOX, 0.9, lying_marks(degrees))
    assert set_upright(ramp(), face, lambda _: pytest.fail("nobody was to be looked for")) is face


@pytest.mark.parametrize("found", [[], [Face((0, 0, 4, 4), 0.99, UPRIGHT_MARKS / 10)]])
def test_a_face_that_is_not_found_standing_stays_as_it_was(found):
    face = Face((20, 20, 44, 44), 0.9, lying_marks(90))
    assert set_upright(ramp(200, 200), face, only(*found)) is face


def test_a_box_far_outside_of_the_picture_does_no_harm():
    face = Face((500, 500, 540, 540), 0.9, lying_marks(90) + 500)
    assert set_upright(ramp(), face, only()) is face


@pytest.mark.parametrize("rotation_deg", TURNS)
def test_the_finder_sets_a_lying_face_upright(astronaut, rotation_deg):
    (expected,) = default_finder().find(astronaut)
    (face,) = default_finder().find(lying(astronaut, rotation_deg))
    assert face.rotation_deg == rotation_deg
    assert face.height == pytest.approx(expected.height, rel=0.05)
    (again,) = find_turned(lying(astronaut, rotation_deg), rotation_deg, only(expected))
    assert face.box_xyxy == pytest.approx(again.box_xyxy, abs=6)
    assert face.landmarks == pytest.approx(again.landmarks, abs=5)


def test_a_standing_face_is_found_as_ever(astronaut):
    (face,) = default_finder().find(astronaut)
    assert face.rotation_deg == 0


def test_no_face_stays_no_face():
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    assert find_faces_or_tight(noise, default_finder()) == []


@pytest.mark.parametrize("rotation_deg", TURNS)
def test_a_tight_crop_that_lies_is_judged_upright(astronaut, rotation_deg):
    face = max(default_finder().find(astronaut), key=lambda one: one.height)
    tight = np.ascontiguousarray(cut_face(astronaut, face, 0.88))
    (found,) = find_faces_or_tight(lying(tight, rotation_deg), default_finder())
    assert found.tight and found.rotation_deg == rotation_deg
    assert (cut_face(lying(tight, rotation_deg), found, 0.88) == tight).all()


@pytest.mark.parametrize("rotation_deg", TURNS)
def test_a_map_lies_over_the_picture_as_the_face_does(rotation_deg):
    upright = np.full((90, 120, 3), 128, np.uint8)
    heat = np.linspace(-6, 8, 49, dtype=np.float32).reshape(7, 7)
    standing = Face((40, 20, 68, 60), 0.9, UPRIGHT_MARKS)
    picture = lying(upright, rotation_deg)
    (face,) = find_turned(picture, rotation_deg, only(standing))
    expected = draw_overlay(upright, heat, pixels=crop_pixels(standing, 0.9))
    told = replace(score("fake"), face=face, activation_map=heat)
    drawn = draw_overlay(picture, in_picture(told), pixels=crop_pixels(face, 0.9))
    assert np.abs(turned(drawn, rotation_deg).astype(int) - expected).max() <= 1


def test_a_lying_face_s_crop_is_as_high_as_the_face():
    face = Face((10, 20, 60, 55), 1.0, rotation_deg=90)
    assert crop_square(face, 1.0) == pytest.approx((10, 12.5, 50))


def test_shifted():
    face = Face(BOX, 0.9, UPRIGHT_MARKS, rotation_deg=180).shifted(3, -2)
    assert face.box_xyxy == (11, 4, 35, 40)
    assert face.landmarks[0].tolist() == [17, 18]
    assert face.rotation_deg == 180


def test_of_several_turns_the_clearest_counts():
    face = Face((88, 88, 112, 112), 0.5, lying_marks(90) + 75)
    # the part that is looked at ends at the picture's border, so the marked pixel is in it
    face = replace(face, box_xyxy=(10.0, 10.0, 190.0, 190.0))
    find = by_turn({90: [at((100, 100), score=0.8)], 180: [at((100, 100), score=0.91)]})
    assert set_upright(marked(), face, find).rotation_deg == 180


@pytest.mark.parametrize(("score", "turned_to"), [(0.55, 0), (0.65, 90)])
def test_a_weak_find_in_a_turned_copy_is_none(score, turned_to):
    face = Face((10, 10, 190, 190), 0.5, lying_marks(90) + 75)
    assert set_upright(marked(), face, by_turn({90: [at((100, 100), score=score)]})).rotation_deg == turned_to


@pytest.mark.parametrize(("score", "turned_to"), [(0.7, 0), (0.8, 180)])
def test_who_hardly_seems_to_stand_may_stand_on_his_head(score, turned_to):
    face = Face((10, 10, 190, 190), 0.6, lying_marks(10) + 75)
    assert set_upright(marked(), face, by_turn({180: [at((100, 100), score=score)]})).rotation_deg == turned_to


def test_a_lying_face_is_measured_as_it_stands():
    face = Face((0, 0, 50, 30), 0.9, lying_marks(95), rotation_deg=90)
    quality = measure_quality(np.full((64, 64, 3), 128, np.uint8), face)
    assert quality.face_px == 50
    assert quality.tilt == pytest.approx(5, abs=0.1)

"""Faces that lie: found, set upright by quarter turns, cut and drawn as if the picture stood."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data

from core.analysis.quality import measure_quality
from core.explain.overlay import draw_overlay, in_picture
from core.faces import Face, crop_square, default_finder, find_faces_or_tight
from core.faces.any_way_up import FilmFinder, find_any_way_up
from core.faces.crop import crop_pixels, cut_face
from core.faces.upright import find_turned, lean, set_upright, turned
from tests.explain.test_overlay import score

TURNS = (90, 180, 270)
UPRIGHT_MARKS = np.array([[14, 20], [26, 20], [20, 27], [15, 34], [25, 34]], np.float32)
BOX = (8.0, 6.0, 32.0, 42.0)


def lying(rgb, rotation_deg):
    """A copy whose face stands once it is turned clockwise by `rotation_deg`."""
    return np.ascontiguousarray(turned(rgb, -rotation_deg))


def ramp(height=60, width=50):
    """Each pixel tells its place: red its column, green its row."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


def only(*faces):
    return lambda _: list(faces)


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


def lying_marks(degrees):
    """Landmarks of a face that leans by so much, its chin to the right."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((UPRIGHT_MARKS - 25) @ turn + 25).astype(np.float32)


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


def test_where_nobody_is_found_the_turned_copies_are_looked_at(astronaut):
    class OnlyStanding:
        """As blind for faces that lie as some finders are."""

        def find(self, rgb, **options):
            return [face for face in default_finder().find(rgb, **options) if not face.rotation_deg]

    for rotation_deg in TURNS:
        (face,) = find_faces_or_tight(lying(astronaut, rotation_deg), OnlyStanding())
        assert face.rotation_deg == rotation_deg


@pytest.mark.parametrize("size", [(4, 20_000), (20_000, 4), (1, 1), (1, 1700)])
def test_a_rule_or_a_spacer_of_a_page_has_no_face(size):
    assert find_any_way_up(np.full((*size, 3), 90, np.uint8), default_finder()) == []


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


def at(middle_xy, degrees=0.0, score=0.9):
    """A face of 20 × 30 px around a point, leaning."""
    x, y = middle_xy
    marks = lying_marks(degrees)
    return Face((x - 10, y - 15, x + 10, y + 15), score, (marks - marks.mean(axis=0) + [x, y]).astype(np.float32))


def by_turn(found):
    """A `find` for a square picture of one bright pixel, by where that pixel is: top left, or turned to elsewhere."""

    def find(copy):
        corner = tuple(int(place[0]) > 0 for place in np.nonzero(copy[..., 0])[:2])
        return found.get({(False, False): 0, (False, True): 90, (True, True): 180, (True, False): 270}[corner], [])

    return find


def marked(side=200):
    rgb = np.zeros((side, side, 3), np.uint8)
    rgb[0, 0] = 255
    return rgb


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


class ByTurn:
    """A finder that sees the faces of `by_turn`, and counts."""

    def __init__(self, found):
        self._find, self.calls = by_turn(found), 0

    def find(self, rgb, **_):
        self.calls += 1
        return self._find(rgb)


def test_among_standing_faces_those_that_lie_are_found_where_one_is_doubtful():
    standing, other = at((50, 50), score=0.7), at((60, 150), score=0.9)
    found = find_any_way_up(marked(), ByTurn({0: [standing], 90: [other]}))
    assert [face.rotation_deg for face in found] == [90, 0]
    again = find_any_way_up(marked(), ByTurn({0: [standing], 180: [at((150, 150), score=0.95)]}))
    assert [face.rotation_deg for face in again] == [0]  # the same place: it is one face


def test_where_all_stand_clearly_nothing_else_is_looked_at():
    finder = ByTurn({0: [at((50, 50), score=0.9)], 90: [at((60, 150))]})
    assert len(find_any_way_up(marked(), finder)) == 1
    assert finder.calls == 1


def test_a_film_that_lies_is_known_to_lie():
    upright = ByTurn({0: [at((50, 50))]})
    film = FilmFinder(upright)
    assert [face.rotation_deg for face in film.find(marked())] == [0]
    assert upright.calls == 1
    hands = at((150, 50), score=0.55)
    lies = ByTurn({90: [at((50, 50))]})
    film = FilmFinder(lies)
    assert [face.rotation_deg for face in film.find(marked())] == [90]
    assert lies.calls == 4
    lies._find = by_turn({0: [hands], 90: [at((50, 50))]})
    assert [face.rotation_deg for face in film.find(marked())] == [90]  # hands are not people
    assert lies.calls == 6  # the turn is known
    lies._find = by_turn({0: [at((50, 50))]})
    film.find(marked())
    assert film.find(marked())[0].rotation_deg == 0
    assert lies.calls == 9  # and known to be over


def test_a_film_without_faces_costs_little():
    nobody = ByTurn({})
    film = FilmFinder(nobody)
    for _ in range(10):
        assert film.find(marked()) == []
    assert nobody.calls == 10 + 2 * 3


def test_a_lying_face_is_measured_as_it_stands():
    face = Face((0, 0, 50, 30), 0.9, lying_marks(95), rotation_deg=90)
    quality = measure_quality(np.full((64, 64, 3), 128, np.uint8), face)
    assert quality.face_px == 50
    assert quality.tilt == pytest.approx(5, abs=0.1)


def test_in_a_large_picture_turned_copies_are_small(astronaut):
    large = cv2.resize(astronaut, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    (expected,) = default_finder().find(large)
    seen = []

    class Blind:
        """Finds nobody in a picture as it is."""

        def find(self, rgb, *, upright=True, **options):
            seen.append(max(rgb.shape))
            return [] if upright else default_finder().find(rgb, upright=False, **options)

    (face,) = find_any_way_up(lying(large, 180), Blind())
    assert seen == [2048, 480, 480, 480]
    (again,) = find_turned(lying(large, 180), 180, only(expected))
    assert face.box_xyxy == pytest.approx(again.box_xyxy, abs=0.06 * expected.height)
    assert face.landmarks == pytest.approx(again.landmarks, abs=0.06 * expected.height)

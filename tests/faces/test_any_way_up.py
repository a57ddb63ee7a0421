"""core.faces.any_way_up: who lies is found in pictures and films, and who stands costs nothing more."""

import cv2
import numpy as np
import pytest
import skimage.data

from core.faces import default_finder, find_faces_or_tight
from core.faces.any_way_up import FilmFinder, find_any_way_up
from core.faces.upright import find_turned
from tests.faces.lying import TURNS, at, by_turn, lying, marked, only


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()


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

"""Faces that lie: made by turning, and finders that see them in one turn alone."""

import numpy as np

from core.faces import Face
from core.faces.upright import turned

TURNS = (90, 180, 270)
UPRIGHT_MARKS = np.array([[14, 20], [26, 20], [20, 27], [15, 34], [25, 34]], np.float32)
BOX = (8.0, 6.0, 32.0, 42.0)


def lying(rgb, rotation_deg):
    """A copy whose face stands once it is turned clockwise by `rotation_deg`."""
    return np.ascontiguousarray(turned(rgb, -rotation_deg))


def only(*faces):
    return lambda _: list(faces)


def lying_marks(degrees):
    """Landmarks of a face that leans by so much, its chin to the right."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((UPRIGHT_MARKS - 25) @ turn + 25).astype(np.float32)


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

"""core.data.crops: one face is followed through a video that is trained on."""

import cv2
import numpy as np
import pytest

from core.data.crops import followed_face
from core.faces import Face


class SquareFinder:
    """Finds the white squares of a picture, large or small, and counts the pixels that it had to look at."""

    def __init__(self):
        self.looked_at = 0

    def find(self, rgb, **_):
        self.looked_at += rgb.shape[0] * rgb.shape[1]
        count, _, stats, _ = cv2.connectedComponentsWithStats((rgb[..., 0] > 200).astype(np.uint8))
        return [Face((x, y, x + w, y + h), 0.9) for x, y, w, h, _ in stats[1:count].astype(float)]


def squares(*places, size=(480, 640)):
    rgb = np.zeros((*size, 3), np.uint8)
    for x, y, side in places:
        rgb[y : y + side, x : x + side] = 255
    return rgb


@pytest.mark.parametrize(
    ("before", "now", "expected", "everywhere"),
    [
        ((300, 200, 60), [(310, 190, 62)], (310, 190, 62), False),  # moved a little
        ((300, 200, 60), [(310, 190, 62), (20, 20, 100)], (310, 190, 62), False),  # the same person, not the largest
        ((300, 200, 60), [(20, 20, 40)], (20, 20, 40), True),  # gone: another one
        ((300, 200, 60), [(370, 200, 60)], (370, 200, 60), True),  # half out of the part that is looked at
        ((5, 5, 60), [(8, 3, 60)], (8, 3, 60), False),  # in a corner
        ((300, 200, 60), [], None, True),  # nobody
        (None, [(20, 20, 40), (200, 200, 90)], (200, 200, 90), True),  # the first frame: the largest
    ],
)
def test_a_face_is_followed_through_a_video(before, now, expected, everywhere):
    def face(x, y, side):
        return Face((x, y, x + side, y + side), 0.9)

    finder = SquareFinder()
    found = followed_face(squares(*now), finder, None if before is None else face(*before))
    assert (found and found.box_xyxy) == (expected and face(*expected).box_xyxy)
    assert (finder.looked_at >= 480 * 640) == everywhere


def test_a_face_that_lies_in_a_video_is_followed_too():
    marks = np.array([[4, 10], [16, 10], [10, 16], [6, 22], [14, 22]], np.float32)

    class OnlyTurned:
        """Blind for the frame as it is: sees a standing face in the copy that is turned by 90 degrees."""

        def find(self, rgb, *, upright=True, **_):
            stands = not upright and rgb[:, -1].all()
            return [Face((0, 0, 20, 30), 0.9, marks)] if stands else []

    frame = np.zeros((100, 160, 3), np.uint8)
    frame[0] = 255  # the last column of the copy that is turned clockwise
    found = followed_face(frame, OnlyTurned(), None)
    assert found is not None and found.rotation_deg == 90

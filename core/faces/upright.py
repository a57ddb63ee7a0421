"""Faces that lie on their side or stand on their head: set upright by quarter turns, which change no pixel.

Detectors are trained on upright faces. Heads that lean by less are judged as they are: a picture that is turned by
other than a quarter is resampled, which takes away what generators leave and makes real faces look fake.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.faces.types import Face

LIES_FROM = 45.0
"""Degrees of lean above which a face is looked for in a turned copy."""
LEFT_MAX = 30.0
"""Degrees that it may still lean there."""
TURNS = (90, 270, 180)
DOUBTED = 0.8
"""Score below which a face that seems to stand is looked for in turned copies as well."""
CLEARER = 0.15
"""By how much its score must be better there."""
SURE = 0.6
"""Score that a face needs in a turned copy: there are three of them, and each has its own false finds."""
_AROUND = 1.2  # half the side of the copy, in the longer sides of the face's box

Rgb = NDArray[np.uint8]
Find = Callable[[Rgb], list[Face]]


def lean(landmarks: NDArray[np.float32]) -> float | None:
    """How far a face leans: the angle between the line from its eyes to its mouth and straight down.

    Args:
        landmarks: (5, 2) x, y: left eye, right eye, nose, both mouth corners.

    Returns:
        Degrees in -180..180, positive when the chin is to the right; None when eyes and mouth coincide and nothing
        can be measured.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    right, down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    length = float(np.hypot(right, down))
    if not np.isfinite(length) or length < 1e-3:
        return None
    return float(np.degrees(np.arctan2(right, down)))


def turned(picture: NDArray[np.generic], rotation_deg: int) -> NDArray[np.generic]:
    """A picture or map (h, w, ...), turned clockwise by 0, 90, 180 or 270 degrees; a view, no pixel changes."""
    return np.rot90(picture, -rotation_deg // 90)


def set_upright(rgb: Rgb, face: Face, find: Find) -> Face:
    """A face that lies, as it is found in a copy of its surroundings that is turned until it stands.

    Of a face that lies neither landmarks nor score can be trusted: all turns are looked at, and the clearest face
    counts. So are those of a face that stands, but was hardly found.

    Args:
        rgb: The picture, uint8 (H, W, 3).
        face: Found in it.
        find: Finds faces in a picture.

    Returns:
        The face with its `rotation_deg`, its box and landmarks as found in that copy, in pixels of `rgb`; the very
        face if it stands, or is not found again leaning by at most 30 degrees.
    """
    leans = None if face.landmarks is None else lean(face.landmarks)
    stands = leans is None or abs(leans) <= LIES_FROM
    if stands and face.score >= DOUBTED:
        return face
    x0, y0, x1, y1 = face.box_xyxy
    reach = _AROUND * max(x1 - x0, y1 - y0)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = max(0, int(middle_x - reach)), max(0, int(middle_y - reach))
    part = rgb[top : max(top, round(middle_y + reach)), left : max(left, round(middle_x + reach))]
    if not part.size:
        return face
    here = middle_x - left, middle_y - top
    found = [other for rotation_deg in TURNS for other in find_turned(part, rotation_deg, find)]
    near = [other for other in found if np.hypot(*np.subtract(_middle(other), here)) <= reach / 2]
    best = max(near, key=lambda other: other.score, default=None)
    if best is None or best.score < (face.score + CLEARER if stands else SURE):
        return face
    return best.shifted(left, top)


def find_turned(rgb: Rgb, rotation_deg: int, find: Find) -> list[Face]:
    """The faces that stand upright once a picture is turned clockwise by 0, 90, 180 or 270 degrees.

    Returns:
        Faces in pixels of the picture as it is, with their `rotation_deg`; those that lean by more than 30 degrees in
        the turned copy are left out.
    """
    copy = np.ascontiguousarray(turned(rgb, rotation_deg)).astype(np.uint8, copy=False)
    found = [face for face in find(copy) if not face.rotation_deg and _stands(face)]
    return [_turned_back(face, rotation_deg, rgb.shape[1], rgb.shape[0]) for face in found]


def _stands(face: Face) -> bool:
    leans = None if face.landmarks is None else lean(face.landmarks)
    return leans is not None and abs(leans) <= LEFT_MAX


def _middle(face: Face) -> tuple[float, float]:
    x0, y0, x1, y1 = face.box_xyxy
    return (x0 + x1) / 2, (y0 + y1) / 2


def _turned_back(face: Face, rotation_deg: int, width: int, height: int) -> Face:
    """From pixels of the turned copy to those of the picture of this size."""

    def back(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = xy[:, 0], xy[:, 1]
        return np.stack(
            {0: (x, y), 90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[rotation_deg], axis=1
        )

    assert face.landmarks is not None
    corners = back(np.array(face.box_xyxy, np.float64).reshape(2, 2))
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    marks = back(face.landmarks.astype(np.float64)).astype(np.float32)
    return replace(face, box_xyxy=(x0, y0, x1, y1), landmarks=marks, rotation_deg=rotation_deg)

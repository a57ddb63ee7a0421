"""Faces in pictures and films that lie on their side or stand on their head as a whole, or in part.

The finder misses some of those. Where it finds nobody, or somebody who lies or is hardly to be seen, copies that are
turned by a quarter and a half are looked at too: in small, since pictures without any face are many.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.finder import OVERLAP_MAX, FaceFinder
from core.faces.identity import iou
from core.faces.types import Face
from core.faces.upright import DOUBTED, SURE, TURNS, find_turned

SMALL_SIDE = 480
"""Long side of the turned copies: faces of a tenth of that are found."""
LOOKED_EVERY = 5
"""One in so many of a film's faceless key frames is looked at in every turn."""

Rgb = NDArray[np.uint8]


def find_any_way_up(rgb: Rgb, finder: FaceFinder) -> list[Face]:
    """All faces of a picture, those that lie among them, best score first; uint8 (H, W, 3)."""
    faces = finder.find(rgb)
    if faces and all(_is_clear(face) for face in faces):
        return faces
    return _with_turned(rgb, faces, finder, TURNS)


class FilmFinder:
    """FaceFinder faces in the frames of one film, in their order: what way up it is need not be found out each time.

    Args:
        finder: FaceFinder faces in one picture.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._turn: int | None = None  # of the last clear face, if it lay
        self._faceless = 0

    def find(self, rgb: Rgb, /) -> list[Face]:
        """All faces of the next frame, best score first; uint8 (H, W, 3)."""
        faces = self._finder.find(rgb)
        if self._turn is not None and not any(face.rotation_deg for face in faces):
            faces = _with_turned(rgb, faces, self._finder, (self._turn,))
        elif not faces:
            if self._faceless % LOOKED_EVERY == 0:
                faces = _with_turned(rgb, faces, self._finder, TURNS)
            self._faceless += 1
        clear = next((face for face in faces if face.score >= DOUBTED), None)
        if clear is not None:
            self._turn = clear.rotation_deg or None
        if self._turn is not None:  # where people lie, hands and folds are taken for faces that stand
            faces = [face for face in faces if face.rotation_deg or face.score >= SURE]
        return faces


def _is_clear(face: Face) -> bool:
    return face.score >= DOUBTED and not face.rotation_deg


def _with_turned(rgb: Rgb, faces: list[Face], finder: FaceFinder, turns: tuple[int, ...]) -> list[Face]:
    """And the faces of turned copies that are found nowhere else."""
    height, width = rgb.shape[:2]
    factor = min(1.0, SMALL_SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))  # of a page's rule next to nothing is left
    small = rgb if factor == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)

    def find(copy: Rgb) -> list[Face]:
        return finder.find(copy, scales=[1.0], upright=False)

    seen = [face for turn in turns for face in find_turned(small.astype(np.uint8, copy=False), turn, find)]
    found = [face.scaled(width / size[0], height / size[1]) for face in seen]
    kept = list(faces)
    for face in sorted(found, key=lambda one: -one.score):
        if face.score >= SURE and all(iou(face.box_xyxy, other.box_xyxy) <= OVERLAP_MAX for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda one: -one.score)

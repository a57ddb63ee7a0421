"""Square crops of faces: one geometry for training, images and videos. A detector is only right on its own crop."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces.any_way_up import find_any_way_up
from core.faces.finder import FaceFinder
from core.faces.types import Face
from core.faces.upright import turned

# What a tight crop looks like, in shares of the picture's side: nearly all of ../shared/data/dfdc passes (98 %), no
# whole head does. The distance from eyes to mouth tells more than the box, which ends where the picture ends.
TIGHT_BOX_SHARE = 0.85
TIGHT_EYES_TO_MOUTH = 0.335
TIGHT_MAX_ASPECT = 1.25
TIGHT_MARGIN = 0.4
TIGHT_SCALE = 0.88
"""Side of a tight crop in face-box heights, as far as crops tell: that of ../shared/data/dfdc."""

Pixels = tuple[int, int, int, int]
"""Left, top, right, bottom of a part of a picture; it may reach beyond it."""


def crop_square(face: Face, scale: float) -> tuple[float, float, float]:
    """Left, top and side of the square crop: `scale` × the face's height, around the box's centre."""
    left, top, right, bottom = face.box_xyxy
    side = face.height * scale
    return (left + right - side) / 2, (top + bottom - side) / 2, side


def crop_pixels(face: Face, scale: float) -> Pixels:
    """The very pixels that a crop of this scale holds: a square around the face, or the middle of a tight crop.

    Args:
        face: A tight one's box is its whole picture.
        scale: Side of the crop in face-box heights (a detector's `crop.scale`). A tight crop cannot become wider than
            it is.
    """
    if not face.tight:
        left, top, side = crop_square(face, scale)
        x, y, whole = round(left), round(top), max(1, round(side))
        return x, y, x + whole, y + whole
    width, height = (max(1, round(edge)) for edge in face.box_xyxy[2:])
    share = min(1.0, scale / TIGHT_SCALE)
    wide, high = max(1, round(share * width)), max(1, round(share * height))
    x, y = (width - wide) // 2, (height - high) // 2
    return x, y, x + wide, y + high


def middle(crop: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """The middle of a crop (h, w, 3), its sides `share` of the crop's, 0..1."""
    height, width = crop.shape[:2]
    x0, y0, x1, y1 = crop_pixels(Face((0, 0, width, height), 1.0, tight=True), share * TIGHT_SCALE)
    return crop[y0:y1, x0:x1]


def corners(crop: NDArray[np.uint8], share: float) -> list[NDArray[np.uint8]]:
    """The four corners of a crop (h, w, 3), their sides `share` of the crop's: top left, top right, then below."""
    height, width = crop.shape[:2]
    high, wide = max(1, round(share * height)), max(1, round(share * width))
    return [crop[top : top + high, left : left + wide] for top in (0, height - high) for left in (0, width - wide)]


def crop_face(rgb: NDArray[np.uint8], face: Face, *, scale: float, size: int) -> NDArray[np.uint8]:
    """The face as a detector sees it.

    Args:
        rgb: Picture, uint8 (H, W, 3).
        face: Whose crop. Of a tight face it is the picture, or the middle of it where the scale is smaller than that
            of tight crops.
        scale: Side of the crop in face-box heights (a detector's `crop.scale`).
        size: Side of the result in pixels.

    Returns:
        uint8 (size, size, 3). What lies outside the picture is its reflection.
    """
    return resize_crop(cut_face(rgb, face, scale), size)


def cut_face(rgb: NDArray[np.uint8], face: Face, scale: float) -> NDArray[np.uint8]:
    """The crop in the picture's own pixels, upright, uint8 (side, side, 3); training data are kept like this."""
    return turned(_cut(rgb, crop_pixels(face, scale), face.tight), face.rotation_deg).astype(np.uint8, copy=False)


def _cut(rgb: NDArray[np.uint8], pixels: Pixels, tight: bool) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = pixels
    if tight:
        return rgb[y0:y1, x0:x1]
    height, width = rgb.shape[:2]
    whole = min(x1 - x0, 4 * max(height, width))  # bounded, whatever a broken box says
    inner = rgb[max(0, y0) : max(0, y0 + whole), max(0, x0) : max(0, x0 + whole)]
    if inner.size == 0:
        return rgb
    over = (max(0, -y0), max(0, y0 + whole - height), max(0, -x0), max(0, x0 + whole - width))
    if any(over):
        # a single row or column has nothing to reflect: repeat it
        border = cv2.BORDER_REFLECT_101 if min(inner.shape[:2]) > 1 else cv2.BORDER_REPLICATE
        inner = cv2.copyMakeBorder(inner, *over, border)
    return inner


def resize_crop(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Any picture as a square of `size` pixels: area averaging down, bicubic up."""
    if rgb.shape[:2] == (size, size):
        return np.ascontiguousarray(rgb)
    shrink = max(rgb.shape[:2]) > size
    return cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)


def find_faces_or_tight(rgb: NDArray[np.uint8], finder: FaceFinder, *, tight: bool | None = None) -> list[Face]:
    """All faces of a single picture, or one tight face when the picture already is a face crop.

    Face data sets come as tight crops. Finding the face in one and cutting it out again would lose many and shift the
    rest, so training, evaluation and detection all pass pictures through this function.

    Args:
        rgb: Picture, uint8 (H, W, 3).
        finder: Finds faces.
        tight: Whether the picture is a tight crop; None looks. A data set knows it for all its pictures at once.

    Returns:
        Faces, best score first; for a tight crop one `Face(tight=True)` whose box is the whole picture.
    """
    if tight is False:
        return find_any_way_up(rgb, finder)
    face = tight_face(rgb, finder)
    if tight and face is None:
        face = Face((0.0, 0.0, float(rgb.shape[1]), float(rgb.shape[0])), 1.0, tight=True)
    return [face] if face else find_any_way_up(rgb, finder)


def tight_face(rgb: NDArray[np.uint8], finder: FaceFinder) -> Face | None:
    """The whole picture as one face if it is a tight crop: about square, and one face fills it; else None."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    if side > TIGHT_MAX_ASPECT * min(height, width):
        return None
    # the finder needs to see an outline: give the crop surroundings, at a size it likes
    small = rgb if side <= 256 else cv2.resize(rgb, None, fx=256 / side, fy=256 / side, interpolation=cv2.INTER_AREA)
    margin = round(max(small.shape) * TIGHT_MARGIN)
    framed = cv2.copyMakeBorder(small, *[margin] * 4, cv2.BORDER_CONSTANT, value=(127, 127, 127))
    for face in finder.find(framed, scales=[min(1.0, 256 / max(framed.shape[:2]))]):
        if face.landmarks is not None and _fills(face, margin, small.shape[0], small.shape[1]):
            landmarks = (face.landmarks - margin) * (side / max(small.shape))
            whole = (0.0, 0.0, float(width), float(height))
            return Face(whole, face.score, landmarks, tight=True, rotation_deg=face.rotation_deg)
    return None


def _fills(face: Face, margin: int, height: int, width: int) -> bool:
    assert face.landmarks is not None
    left, top, right, bottom = face.box_xyxy
    eyes, mouth = face.landmarks[:2].mean(axis=0), face.landmarks[3:].mean(axis=0)
    off_centre = max(abs((left + right) / 2 - margin - width / 2), abs((top + bottom) / 2 - margin - height / 2))
    return (
        face.height >= TIGHT_BOX_SHARE * (width if face.rotation_deg % 180 else height)
        and float(np.linalg.norm(eyes - mouth)) >= TIGHT_EYES_TO_MOUTH * min(height, width)
        and off_centre <= 0.25 * max(height, width)
    )

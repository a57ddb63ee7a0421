"""Where on a face evidence lies, in words: the parts of a face from MediaPipe's 468-point mesh.

Left and right are the upright crop's, and so the picture's unless the face lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.explain.overlay import at_size

Points = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Points of MediaPipe's 468-point mesh, by its published map
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
LEFT_EYE = (70, 63, 105, 66, 107, 55, 133, 243, 112, 26, 22, 23, 24, 110, 25, 33, 130, 226, 156)
RIGHT_EYE = (300, 293, 334, 296, 336, 285, 362, 463, 341, 256, 252, 253, 254, 339, 255, 263, 359, 446, 383)
NOSE = (168, 193, 417, 122, 351, 49, 279, 48, 278, 98, 327, 97, 326, 2)
MOUTH = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
BROWS, LIP, EYES, CORNERS = (105, 334), 17, (33, 263), (61, 291)
MOUTH_GROWTH, JAW_FROM = 1.15, 0.8

NAMES = (
    *("left eye", "right eye", "nose", "mouth", "forehead", "chin and jaw line", "left cheek", "right cheek"),
    "around the face",
)
MOST, LEAST_SHARE, ENOUGH_SHARE = 3, 0.12, 0.65
FAINT = 1 / 12
"""A map whose strongest place stays below this share of its full colour says nothing worth naming."""


@dataclass(frozen=True)
class RegionEvidence:
    """How much of a map's positive evidence lies in one part of the face.

    Attributes:
        name: One of `NAMES`.
        share: Of all positive evidence, 0..1.
        area: Share of the crop that it covers, 0..1.
    """

    name: str
    share: float
    area: float


def face_regions(points: Points, height: int, width: int) -> dict[str, Mask]:
    """The parts of a face: masks (height, width) that neither overlap nor leave anything out.

    Args:
        points: (468, 2) x, y of the mesh in pixels of the crop.
        height: Of the crop.
        width: Of the crop.
    """
    oval = _hull(points[list(OVAL)], height, width)
    inner = _hull(_grown(points[list(OVAL)], JAW_FROM), height, width)
    across, down = _upright(points, height, width)
    at = [_place(points, index, points) for index in (BROWS, (LIP,), CORNERS)]
    chosen: dict[str, Mask] = {
        "left eye": _hull(points[list(LEFT_EYE)], height, width),
        "right eye": _hull(points[list(RIGHT_EYE)], height, width),
        "nose": _hull(points[list(NOSE)], height, width),
        "mouth": _hull(_grown(points[list(MOUTH)], MOUTH_GROWTH), height, width),
        "forehead": oval & (down < at[0]),
        "chin and jaw line": oval & ((down > at[1]) | (~inner & (down > at[2]))),
        "left cheek": oval & (across < 0),
        "right cheek": oval,
        "around the face": np.ones((height, width), np.bool_),
    }
    taken = np.zeros((height, width), np.bool_)
    for name, mask in chosen.items():
        chosen[name] = mask & ~taken
        taken |= mask
    return chosen


def evidence_by_region(heat: NDArray[np.float32], regions: dict[str, Mask]) -> list[RegionEvidence]:
    """The positive evidence of a map (h, w), stretched over its crop, by region; the largest share first."""
    height, width = next(iter(regions.values())).shape
    positive = np.maximum(at_size(heat, height, width), 0)
    total = float(positive.sum())
    found = [
        RegionEvidence(name, float(positive[mask].sum()) / total if total else 0.0, float(mask.mean()))
        for name, mask in regions.items()
    ]
    return sorted(found, key=lambda one: -one.share)


def top_regions(heat: NDArray[np.float32], regions: dict[str, Mask], scale: float) -> list[RegionEvidence]:
    """The few parts that hold most of the evidence, and more of it than their size alone would give them.

    Args:
        heat: (h, w) map of the crop.
        regions: Of the same crop.
        scale: Value at which the map's colour is full; a map that is faint all over has no top regions.
    """
    if not heat.size or float(heat.max()) < FAINT * scale:
        return []
    found: list[RegionEvidence] = []
    for one in evidence_by_region(heat, regions):
        if one.share >= LEAST_SHARE and one.share > one.area and sum(r.share for r in found) < ENOUGH_SHARE:
            found.append(one)
    return found[:MOST]


def in_words(regions: Sequence[RegionEvidence]) -> str:
    """ "chin and jaw line, left cheek"; "no single part" for none."""
    return ", ".join(one.name for one in regions) or "no single part"


def _hull(points: Points, height: int, width: int) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    return mask.astype(np.bool_)


def _grown(points: Points, factor: float) -> Points:
    middle = points.mean(axis=0)
    return np.asarray(middle + (points - middle) * np.float32(factor), np.float32)


def _axes(points: Points) -> tuple[Points, Points]:
    """The nose's bridge, and the unit vector down the face: from between the eyes to between the mouth's corners."""
    eyes, mouth = points[list(EYES)].mean(axis=0), points[list(CORNERS)].mean(axis=0)
    length = max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    return eyes, ((mouth - eyes) / length).astype(np.float32)


def _upright(points: Points, height: int, width: int) -> tuple[Points, Points]:
    """Each pixel's distance across (right is positive) and down the face from between the eyes, in pixels."""
    middle, down = _axes(points)
    rows, columns = np.indices((height, width), dtype=np.float32)
    x, y = columns - middle[0], rows - middle[1]
    return x * down[1] - y * down[0], x * down[0] + y * down[1]


def _place(points: Points, indices: Sequence[int], mesh: Points) -> float:
    """How far down the face some points lie."""
    middle, down = _axes(mesh)
    return float((points[list(indices)].mean(axis=0) - middle) @ down)

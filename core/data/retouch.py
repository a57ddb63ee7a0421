"""Pseudo-fakes from one real face: what a retoucher does by hand without a second photograph.

Parts are pushed about, enlarged or made smaller (the "liquify" brush, which Wang et al., ICCV 2019, script), skin is
stamped over from elsewhere, an eye is the other one mirrored, a part is put back larger, smaller or beside its place.
Colour and smoothness are left alone: make-up and the filters of cameras are no manipulation of who is shown.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.composite import LEFT_EYE, LIPS, LOWER, NOSE, RIGHT_EYE, aligned, hull, matched, misplaced
from core.data.self_blend import EYES, Blend, Points, Rgb

BRUSHED = (LEFT_EYE, RIGHT_EYE, EYES, NOSE, LIPS)
MOVABLE = (*BRUSHED, LOWER)
MATCHED_SHARE = 0.6  # of the parts that are set in have the colours of their new place
STROKES, REACH = (1, 4), (1.1, 1.9)  # of the brush, in the part's half width
PUSHED, SWOLLEN = (0.1, 0.32), (0.14, 0.38)  # shares of the brush's radius
SHOWN_MOVE = 1 / 128  # of the side: what has moved as far counts as wholly changed
STAMPS, STAMP_SIDE = (2, 7), (0.04, 0.13)  # radius in sides of the picture

Grid = NDArray[np.float32]


def retouch(face: Rgb, points: Points, rng: Generator) -> Blend:
    """Changes a real face by hand's means.

    Args:
        face: uint8 (h, w, 3).
        points: (468, 2) float32 x, y of the face mesh in its pixels.
        rng: Source of all chance.
    """
    kind = str(rng.choice(list(KINDS), p=[share for share, _ in KINDS.values()]))
    return KINDS[kind][1](face, points, rng)


def warped(face: Rgb, points: Points, rng: Generator) -> Blend:
    """Parts are pushed aside, swollen or shrunk by a soft brush."""
    grid_x, grid_y = _still(face)
    x, y = grid_x, grid_y
    for _ in range(rng.integers(*STROKES)):
        part = points[list(BRUSHED[rng.integers(len(BRUSHED))])]
        middle = part.mean(axis=0)
        radius = float(np.abs(part - middle).max()) * rng.uniform(*REACH)
        away_x, away_y = grid_x - np.float32(middle[0]), grid_y - np.float32(middle[1])
        inside = (np.maximum(0, 1 - (away_x**2 + away_y**2) / radius**2) ** 2).astype(np.float32)
        if rng.random() < 0.5:
            gain = np.float32(rng.choice([-1, 1]) * rng.uniform(*SWOLLEN)) * inside
            x, y = x - away_x * gain, y - away_y * gain
        else:
            angle, length = rng.uniform(0, 2 * np.pi), radius * rng.uniform(*PUSHED)
            x, y = x - np.float32(length * np.cos(angle)) * inside, y - np.float32(length * np.sin(angle)) * inside
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    fake = cv2.remap(face, x, y, way, borderMode=cv2.BORDER_REFLECT_101)
    moved = np.hypot(x - grid_x, y - grid_y) / np.float32(SHOWN_MOVE * max(face.shape))
    return Blend(np.asarray(fake, np.uint8), face, np.clip(moved, 0, 1).astype(np.float32))


def stamped(face: Rgb, points: Points, rng: Generator) -> Blend:
    """Round patches of the face are copied over others, with a soft edge (the clone stamp)."""
    side, picture = max(face.shape), face.astype(np.float32)
    changed = np.zeros(face.shape[:2], np.float32)
    for _ in range(rng.integers(*STAMPS)):
        taken, put = points[rng.integers(len(points), size=2)]
        radius = side * rng.uniform(*STAMP_SIDE)
        mask = np.zeros(face.shape[:2], np.float32)
        cv2.circle(mask, (round(float(put[0])), round(float(put[1]))), max(1, round(radius)), 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), radius * rng.uniform(0.08, 0.4)) * np.float32(rng.choice([0.7, 1, 1]))
        shift = np.array([[1, 0, put[0] - taken[0]], [0, 1, put[1] - taken[1]]], np.float32)
        size = face.shape[1], face.shape[0]
        patch = cv2.warpAffine(picture, shift, size, borderMode=cv2.BORDER_REFLECT_101)
        picture = mask[..., None] * patch + (1 - mask[..., None]) * picture
        changed = np.maximum(changed, mask)
    return Blend(np.clip(picture + 0.5, 0, 255).astype(np.uint8), face, np.minimum(changed, np.float32(1)))


def mirrored(face: Rgb, points: Points, rng: Generator) -> Blend:
    """One eye is the other's mirror image."""
    pair = (LEFT_EYE, RIGHT_EYE) if rng.random() < 0.5 else (RIGHT_EYE, LEFT_EYE)
    goal, other = (points[list(eye)] for eye in pair)
    turned = np.ascontiguousarray(face[:, ::-1])
    source = np.column_stack([face.shape[1] - 1 - other[:, 0], other[:, 1]]).astype(np.float32)
    return _set_in(face, aligned(turned, source, goal, face.shape[:2], False), goal, rng)


def put_back(face: Rgb, points: Points, rng: Generator) -> Blend:
    """A part is larger or smaller, turned or beside its place."""
    part = points[list(MOVABLE[rng.integers(len(MOVABLE))])]
    goal = misplaced(part, rng)
    return _set_in(face, aligned(face, part, goal, face.shape[:2], False), goal, rng)


def _set_in(face: Rgb, moved: Rgb, goal: Points, rng: Generator) -> Blend:
    unit = max(face.shape) / 256
    mask = hull(face.shape[:2], goal, rng)
    if rng.random() < MATCHED_SHARE:
        moved = matched(moved, face, mask, rng.uniform(0.4, 1.0))
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 6.0) * unit)
    mask = np.minimum(mask, np.float32(1))
    fake = mask[..., None] * moved.astype(np.float32) + (1 - mask[..., None]) * face.astype(np.float32)
    return Blend(np.clip(fake + 0.5, 0, 255).astype(np.uint8), face, mask)


def _still(face: Rgb) -> tuple[Grid, Grid]:
    rows, columns = np.mgrid[: face.shape[0], : face.shape[1]].astype(np.float32)
    return columns, rows


KINDS: dict[str, tuple[float, Callable[[Rgb, Points, Generator], Blend]]] = {
    "warped": (0.45, warped),
    "stamped": (0.2, stamped),
    "mirrored": (0.15, mirrored),
    "put back": (0.2, put_back),
}
"""What is done, and how often."""

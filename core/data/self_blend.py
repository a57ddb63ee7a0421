"""Pseudo-fakes from real faces: Self-Blended Images (Shiohara and Yamasaki, CVPR 2022), from the paper's description.

A face is blended with a slightly changed copy of itself, so that a network learns the traces of blending and not of
one generator. The real partner is the target of the blend, transformed or not: the transform alone is no clue.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Points = NDArray[np.float32]

# Points of MediaPipe's 468-point mesh, by its published map
FOREHEAD = (10, 109, 67, 103, 54, 21, 338, 297, 332, 284, 251, 151, 108, 69, 104, 68, 71, 337, 299, 333, 298, 301)
MOUTH = (61, 91, 181, 17, 405, 321, 291, 409, 269, 0, 39, 185, 164, 18)
INNER = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 340, 371, 411, 287, 321, 17, 91, 57, 187, 142, 111)
EYES = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 372, 340, 448, 449, 197, 229, 228, 111, 143)
CHIN = (152, 148, 176, 149, 150, 377, 400, 378, 379, 136, 365, 172, 397)


class Blend(NamedTuple):
    """A fake made of a real face.

    `fake` and its `real` partner are uint8 (h, w, 3); the blended `mask` is float32 (h, w) in 0..1.
    """

    fake: Rgb
    real: Rgb
    mask: NDArray[np.float32]


def self_blend(face: Rgb, points: Points, rng: Generator) -> Blend:
    """Blends a real face with itself.

    Args:
        face: uint8 (h, w, 3).
        points: (468, 2) float32 x, y of the face mesh in its pixels.
        rng: Source of all chance.
    """
    mask = _hull_mask(face.shape[:2], points, rng)
    source = target = face
    if rng.random() < 0.5:
        source = _transform(face, rng)
    else:
        target = _transform(face, rng)
    source, mask = _displace(source, mask, rng)
    mask = _soften(elastic(mask, rng), rng) * rng.choice([0.25, 0.5, 0.75, 1, 1, 1])
    weight = mask[..., None].astype(np.float32)
    fake = weight * source.astype(np.float32) + (1 - weight) * target.astype(np.float32)
    return Blend(np.clip(fake + 0.5, 0, 255).astype(np.uint8), target, mask.astype(np.float32))


def _hull_mask(shape: tuple[int, ...], points: Points, rng: Generator) -> NDArray[np.float32]:
    variant = rng.choice(
        ["face", "no_forehead", "no_chin", "inner", "mouth", "eyes"], p=[0.4, 0.2, 0.1, 0.15, 0.1, 0.05]
    )
    chosen = {
        "face": points,
        "no_forehead": np.delete(points, FOREHEAD, axis=0),
        "no_chin": np.delete(points, CHIN, axis=0),
        "inner": points[list(INNER)],
        "mouth": points[list(MOUTH)],
        "eyes": points[list(EYES)],
    }[str(variant)]
    mask = np.zeros(shape[:2], dtype=np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(chosen).astype(np.int32)), 1.0)
    return mask


def _transform(face: Rgb, rng: Generator) -> Rgb:
    """Colour and frequency changes of one partner (paper, section 3.2: source-target augmentation)."""
    picture = face.astype(np.float32)
    if rng.random() < 0.3:
        picture = picture + rng.uniform(-20, 20, 3).astype(np.float32)
    hsv = cv2.cvtColor(np.clip(picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-5, 5)) % 180
    hsv[..., 1:] *= rng.uniform(0.7, 1.3, 2).astype(np.float32)
    picture = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    picture = picture * np.float32(rng.uniform(0.9, 1.1)) + np.float32(rng.uniform(-0.1, 0.1) * 128)
    changed = np.clip(picture, 0, 255).astype(np.uint8)
    height, width = changed.shape[:2]
    if rng.random() < 0.5:
        factor = int(rng.choice([2, 4]))
        small = cv2.resize(changed, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(
        changed, 1 + (share := rng.uniform(0.2, 0.5)) * 2, cv2.GaussianBlur(changed, (0, 0), 2), -share * 2, 0
    )


def _displace(source: Rgb, mask: NDArray[np.float32], rng: Generator) -> tuple[Rgb, NDArray[np.float32]]:
    height, width = mask.shape
    scale = rng.uniform(0.95, 1.05)
    shift = rng.uniform(-0.03, 0.03) * width, rng.uniform(-0.015, 0.015) * height
    matrix = np.array([[scale, 0, (1 - scale) * width / 2 + shift[0]], [0, scale, (1 - scale) * height / 2 + shift[1]]])
    moved = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return moved, cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)


def elastic(mask: NDArray[np.float32], rng: Generator, alpha: float = 50, sigma: float = 7) -> NDArray[np.float32]:
    """Elastic deformation (Simard et al. 2003); figures are for a face of 256 px and scale with it."""
    height, width = mask.shape
    unit = max(height, width) / 256
    field = [
        cv2.GaussianBlur(rng.uniform(-1, 1, mask.shape).astype(np.float32), (0, 0), sigma * unit) for _ in range(2)
    ]
    grid_y, grid_x = np.mgrid[:height, :width].astype(np.float32)
    gain = np.float32(alpha * unit)
    return cv2.remap(mask, grid_x + field[0] * gain, grid_y + field[1] * gain, cv2.INTER_LINEAR)


def _soften(mask: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Blurred twice, with only the full part kept between, so that the edge is soft and lies inside."""
    unit = max(mask.shape) / 256
    first = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 5) * unit)
    core = (first > 0.95 * max(float(first.max()), 1e-6)).astype(np.float32)
    second = cv2.GaussianBlur(core, (0, 0), rng.uniform(1.5, 12) * unit)
    return second / max(float(second.max()), 1e-6)

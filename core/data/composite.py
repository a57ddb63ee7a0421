"""Pseudo-fakes from two real faces: a part of one person's face set into another's, as an editor does it by hand.

Self-blending leaves the person whole. Here eyes, nose, mouth, a half or the whole face come from a donor: aligned by
the face mesh, matched in colour, and blended with a soft edge or by Poisson's equation (Pérez et al., SIGGRAPH 2003).
That two faces of like pose are blended is Face X-ray's idea (Li et al., CVPR 2020), from its description.
"""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.self_blend import CHIN, EYES, FOREHEAD, INNER, MOUTH, Blend, Points, Rgb, elastic

# Points of MediaPipe's 468-point mesh, by its published map
LEFT_EYE = (70, 63, 105, 66, 107, 193, 245, 128, 121, 120, 119, 118, 117, 111, 143)
RIGHT_EYE = (300, 293, 334, 296, 336, 417, 465, 357, 350, 349, 348, 347, 346, 340, 372)
NOSE = (168, 193, 417, 122, 351, 49, 279, 48, 278, 98, 327, 97, 326, 2, 131, 360, 198, 420)
LIPS = (61, 291, 0, 17, 37, 267, 84, 314, 57, 287, 18, 200, 164, 92, 322, 43, 273)
LOWER = (116, 345, 123, 352, 187, 411, 4, 148, 377, 150, 379, 136, 365, 152, 172, 397, 58, 288)
PARTS: dict[str, float] = {
    "left_eye": 0.08,
    "right_eye": 0.08,
    "eyes": 0.14,
    "nose": 0.1,
    "lips": 0.12,
    "mouth": 0.08,
    "lower": 0.08,
    "half": 0.08,
    "inner": 0.12,
    "face": 0.12,
}
"""The parts that are set in, and how often."""


def composite(target: Rgb, target_points: Points, donor: Rgb, donor_points: Points, rng: Generator) -> Blend:
    """Sets a part of the donor's face into the target's.

    Args:
        target: A real face, uint8 (h, w, 3).
        target_points: (468, 2) float32 x, y of its mesh in its pixels.
        donor: Another real face, uint8, any size.
        donor_points: Its mesh.
        rng: Source of all chance.
    """
    part = str(rng.choice(list(PARTS), p=list(PARTS.values())))
    chosen = _points_of(part, target_points, rng)
    goal = target_points[chosen] if rng.random() < 0.5 else misplaced(target_points[chosen], rng)
    if rng.random() < 0.35:
        donor = _other_sharpness(donor, rng)
    moved = aligned(donor, donor_points[chosen], goal, target.shape[:2], rng.random() < 0.5)
    hard = hull(target.shape[:2], goal, rng)
    if rng.random() < 0.85:
        moved = matched(moved, target, hard, rng.uniform(0.4, 1.0))
    if rng.random() < 0.35:
        fake = _poisson(moved, target, hard)
        if fake is not None:
            return Blend(fake, target, hard)
    sharp = rng.random() < 0.25
    unit = max(target.shape) / 256
    mask = cv2.GaussianBlur(hard, (0, 0), (rng.uniform(0.4, 1.2) if sharp else rng.uniform(1.5, 9.0)) * unit)
    mask = mask * np.float32(rng.choice([0.75, 1, 1, 1]))
    fake = mask[..., None] * moved.astype(np.float32) + (1 - mask[..., None]) * target.astype(np.float32)
    return Blend(np.clip(fake + 0.5, 0, 255).astype(np.uint8), target, mask)


def likeness(points: Points, others: Points) -> float:
    """How far two meshes lie apart once each is centred and brought to unit size; 0 is the same pose and shape."""
    shapes = [mesh - mesh.mean(axis=0) for mesh in (points, others)]
    first, second = (shape / max(float(np.linalg.norm(shape)), 1e-6) for shape in shapes)
    return float(np.linalg.norm(first - second))


def misplaced(points: Points, rng: Generator) -> Points:
    """A little larger or smaller, turned and beside its place: hand and eye do not fit as least squares do."""
    middle = points.mean(axis=0)
    reach = float(np.abs(points - middle).max())
    turn, gain = rng.uniform(-0.1, 0.1), rng.uniform(0.88, 1.15)
    rotation = gain * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved: Points = ((points - middle) @ rotation.T + middle + rng.uniform(-0.12, 0.12, 2) * reach).astype(np.float32)
    return moved


def _other_sharpness(donor: Rgb, rng: Generator) -> Rgb:
    """The donor's photograph was smaller, or sharpened."""
    if rng.random() < 0.7:
        height, width = donor.shape[:2]
        part = rng.uniform(0.3, 0.8)
        small = (max(8, round(part * width)), max(8, round(part * height)))
        return cv2.resize(cv2.resize(donor, small, interpolation=cv2.INTER_AREA), (width, height))
    gain = rng.uniform(0.4, 1.2)
    return cv2.addWeighted(donor, 1 + gain, cv2.GaussianBlur(donor, (0, 0), rng.uniform(0.8, 2.0)), -gain, 0)


def _points_of(part: str, points: Points, rng: Generator) -> NDArray[np.intp]:
    everything = np.arange(len(points))
    if part == "half":
        middle = float(np.median(points[:, 0]))
        return np.flatnonzero(points[:, 0] < middle if rng.random() < 0.5 else points[:, 0] >= middle)
    if part == "face":
        lost = FOREHEAD if rng.random() < 0.5 else CHIN
        return everything if rng.random() < 0.5 else np.setdiff1d(everything, lost)
    named = {
        "left_eye": LEFT_EYE,
        "right_eye": RIGHT_EYE,
        "eyes": EYES,
        "nose": NOSE,
        "lips": LIPS,
        "mouth": MOUTH,
        "lower": LOWER,
        "inner": INNER,
    }
    return np.array(named[part])


def aligned(donor: Rgb, source: Points, goal: Points, shape: tuple[int, ...], free: bool) -> Rgb:
    """The donor moved by the least-squares map of its points onto the goal's: a similarity, or any affine map."""
    ones = np.ones(len(source))
    if free:
        matrix = np.linalg.lstsq(np.column_stack([source, ones]), goal, rcond=None)[0].T
    else:
        a = (source - source.mean(0)) @ np.array([1, 1j])
        b = (goal - goal.mean(0)) @ np.array([1, 1j])
        turn = np.vdot(a, b) / max(float(np.vdot(a, a).real), 1e-6)
        linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
        matrix = np.column_stack([linear, goal.mean(0) - linear @ source.mean(0)])
    size = shape[1], shape[0]
    return cv2.warpAffine(donor, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def hull(shape: tuple[int, ...], points: Points, rng: Generator) -> NDArray[np.float32]:
    """The filled hull, a little larger than the points, its edge bent by chance."""
    mask = np.zeros(shape[:2], dtype=np.float32)
    middle = points.mean(axis=0)
    grown = middle + (points - middle) * np.float32(rng.uniform(1.0, 1.3))
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(grown).astype(np.int32)), 1.0)
    return elastic(mask, rng)


def matched(moved: Rgb, target: Rgb, mask: NDArray[np.float32], strength: float) -> Rgb:
    """Mean and spread of each Lab channel under the mask brought to the target's (Reinhard et al. 2001), in part."""
    inside = mask > 0.5
    if inside.sum() < 16:
        return moved
    lab, goal = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32) for picture in (moved, target))
    mean, spread = lab[inside].mean(0), lab[inside].std(0) + 1e-3
    wanted, wanted_spread = goal[inside].mean(0), goal[inside].std(0) + 1e-3
    gain = np.clip(wanted_spread / spread, 0.5, 2.0)
    changed = lab + np.float32(strength) * ((lab - mean) * gain + wanted - lab)
    return cv2.cvtColor(np.clip(changed, 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)


def _poisson(moved: Rgb, target: Rgb, mask: NDArray[np.float32]) -> Rgb | None:
    """Gradient-domain blend; None where the mask is too small or reaches the border."""
    inside = np.zeros(mask.shape, dtype=np.uint8)
    inside[2:-2, 2:-2] = (mask[2:-2, 2:-2] > 0.5) * 255
    x, y, width, height = cv2.boundingRect(inside)
    if width < 8 or height < 8:
        return None
    return cv2.seamlessClone(moved, target, inside, (x + width // 2, y + height // 2), cv2.NORMAL_CLONE)

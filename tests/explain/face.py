"""A face mesh that stands upright in a square: points where MediaPipe's map has them, for what tests ask of it."""

import numpy as np

from core.explain import regions

PLACES = {
    "left eye": (0.3, 0.38),
    "right eye": (0.7, 0.38),
    "nose": (0.5, 0.52),
    "mouth": (0.5, 0.72),
    "forehead": (0.5, 0.2),
    "chin and jaw line": (0.5, 0.9),
    "left cheek": (0.2, 0.6),
    "right cheek": (0.8, 0.6),
    "around the face": (0.03, 0.03),
}
"""Where in the square the middle of each part lies."""


def mesh(side: float = 200, turn_degrees: float = 0) -> np.ndarray:
    """(468, 2) points; those that no part uses lie in the middle."""
    points = np.full((468, 2), 0.5)
    angles = np.linspace(0, 2 * np.pi, len(regions.OVAL), endpoint=False)
    points[list(regions.OVAL)] = 0.5 + np.stack([0.42 * np.sin(angles), -0.47 * np.cos(angles)], axis=1)
    for name, indices in (("left eye", regions.LEFT_EYE), ("right eye", regions.RIGHT_EYE)):
        points[list(indices)] = ring(PLACES[name], 0.11, 0.07, len(indices))
    points[list(regions.NOSE)] = ring(PLACES["nose"], 0.07, 0.11, len(regions.NOSE))
    points[list(regions.MOUTH)] = ring(PLACES["mouth"], 0.14, 0.06, len(regions.MOUTH))
    for indices, places in (
        (regions.BROWS, ((0.3, 0.31), (0.7, 0.31))),
        (regions.EYES, ((0.2, 0.38), (0.8, 0.38))),
        (regions.CORNERS, ((0.36, 0.72), (0.64, 0.72))),
        ((regions.LIP,), ((0.5, 0.78),)),
    ):
        points[list(indices)] = places
    turn = np.deg2rad(turn_degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (((points - 0.5) @ matrix + 0.5) * side).astype(np.float32)


def ring(middle: tuple[float, float], across: float, down: float, count: int) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.array(middle) + np.stack([across * np.cos(angles), down * np.sin(angles)], axis=1)

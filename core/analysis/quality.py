"""How well a face can be judged, measured on its crop and its landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.types import Quality
from core.faces.types import Face
from core.faces.upright import lean

MEASURED_SIDE = 112  # one side for all crops, so that a figure means the same whatever the detector's input size


def measure_quality(crop: NDArray[np.uint8], face: Face, quantiser: float | None = None) -> Quality:
    """The figures that the quality gates look at.

    Args:
        crop: The face's crop, uint8 (s, s, 3) RGB.
        face: Where it is in the original picture: gives its height and, by its landmarks, the turn of the head.
        quantiser: That of its frame, for a face of a film.

    Returns:
        Height in pixels, sharpness (standard deviation of the Laplacian at 112 px), brightness (mean grey level), turn,
        noise and tilt; see `Quality`.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if grey.shape != (MEASURED_SIDE, MEASURED_SIDE):
        grey = cv2.resize(grey, (MEASURED_SIDE, MEASURED_SIDE), interpolation=cv2.INTER_AREA)
    return Quality(
        face_px=float(face.height),
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).std()),
        brightness=float(grey.mean()),
        turn=None if face.landmarks is None else head_turn(face.landmarks),
        noise=noise_level(crop),
        quantiser=quantiser,
        tilt=None if face.landmarks is None else head_tilt(face.landmarks, face.rotation_deg),
    )


def noise_level(crop: NDArray[np.uint8]) -> float:
    """The standard deviation of what looks like noise in a crop (s, s, 3) at 112 px, in grey levels.

    The median size of the diagonal details of a Haar wavelet, over .6745 (Donoho and Johnstone, Biometrika 1994): edges
    and features, which few details lie on, hardly count. What averages out on the way to 112 px is no matter: it does
    so on the way to the network, too.
    """
    small = cv2.resize(crop, (MEASURED_SIDE, MEASURED_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = small @ np.array([0.299, 0.587, 0.114], np.float32)  # not rounded: in a clean face the details are tiny
    details = (grey[::2, ::2] - grey[::2, 1::2] - grey[1::2, ::2] + grey[1::2, 1::2]) / 2
    return float(np.median(np.abs(details)) / 0.6745)


def head_turn(landmarks: NDArray[np.float32]) -> float | None:
    """How far a head is turned sideways, from where its nose stands between its eyes.

    The nose is projected onto the line through both eyes, which makes the figure independent of a tilted head.

    Args:
        landmarks: (5, 2) x, y: left eye, right eye, nose, both mouth corners.

    Returns:
        0 when the nose stands midway (frontal), 1 when it stands at or beyond one eye (profile); None when the eyes
        coincide and nothing can be measured.
    """
    left_eye, right_eye, nose = (np.asarray(point, dtype=np.float64) for point in landmarks[:3])
    axis = right_eye - left_eye
    length_squared = float(axis @ axis)
    if not np.isfinite(length_squared) or length_squared < 1e-6:
        return None
    share = float((nose - left_eye) @ axis) / length_squared
    return min(1.0, abs(2.0 * share - 1.0))


def head_tilt(landmarks: NDArray[np.float32], rotation_deg: int = 0) -> float | None:
    """How far a face leans to a side in its crop: the angle between the line from eyes to mouth and straight down.

    Args:
        landmarks: (5, 2) x, y: left eye, right eye, nose, both mouth corners, in the picture.
        rotation_deg: By how much the crop was turned clockwise to stand upright.

    Returns:
        Degrees, 0 (upright) .. 180 (upside down); None when eyes and mouth coincide and nothing can be measured.
    """
    leans = lean(landmarks)
    return None if leans is None else abs((leans - rotation_deg + 180) % 360 - 180)

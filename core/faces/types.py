"""A face in a picture, as the detector of faces and the tracker hand it on."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        box_xyxy: Left, top, right, bottom in pixels of the picture; may reach over its border.
        score: Confidence of the face detector, 0..1. Interpolated faces carry the lower of their neighbours' scores.
        landmarks: (5, 2) float32 x, y in pixels: left eye, right eye, nose, left and right mouth corner as seen in
            the picture; None where the detector gave none.
        track_id: Number of the person within one video, from 1; None in single pictures.
        tight: The picture itself already is the crop: it is judged whole, nothing is cut out of it again.
        interpolated: The box stands between two detections and was not seen by the detector itself.
        rotation_deg: By how much its crop is turned clockwise to stand upright: 0, 90, 180 or 270.
    """

    box_xyxy: Box
    score: float
    landmarks: NDArray[np.float32] | None = field(default=None, compare=False)
    track_id: int | None = None
    tight: bool = False
    interpolated: bool = False
    rotation_deg: int = 0

    @property
    def height(self) -> float:
        """From forehead to chin in pixels: the box's height, or its width where the face lies on its side."""
        left, top, right, bottom = self.box_xyxy
        return right - left if self.rotation_deg % 180 else bottom - top

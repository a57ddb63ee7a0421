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
    """

    box_xyxy: Box
    score: float
    landmarks: NDArray[np.float32] | None = field(default=None, compare=False)
    track_id: int | None = None
    tight: bool = False
    interpolated: bool = False

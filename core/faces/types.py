"""A face in a picture, as the detector of faces and the tracker hand it on."""

from dataclasses import dataclass, field, replace
from typing import Self

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

    def shifted(self, right: float, down: float) -> Self:
        """The same face in a picture whose corner lies elsewhere."""
        x0, y0, x1, y1 = self.box_xyxy
        marks = None if self.landmarks is None else (self.landmarks + np.array([right, down])).astype(np.float32)
        return replace(self, box_xyxy=(x0 + right, y0 + down, x1 + right, y1 + down), landmarks=marks)

    def scaled(self, across: float, down: float) -> Self:
        """The same face in a picture that is larger by these factors."""
        x0, y0, x1, y1 = self.box_xyxy
        marks = None if self.landmarks is None else (self.landmarks * np.array([across, down])).astype(np.float32)
        return replace(self, box_xyxy=(x0 * across, y0 * down, x1 * across, y1 * down), landmarks=marks)

"""Where a fake was changed, on the coarse grid on which a network's evidence lies."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LEAST_CELLS = 0.2
"""Fewer cells changed, or left alone, say nothing of where evidence should lie."""


def contrast(mask: Floats | None, grid: int) -> Floats:
    """Weights of which the scalar product with a map of evidence is its mean in the mask less its mean outside.

    Args:
        mask: (h, w), how much of each pixel comes from elsewhere, 0..1, of a picture as the network sees it. None where
            it is not known.
        grid: Side of the map.

    Returns:
        (grid, grid); all 0 where the mask is None, or leaves too little inside or outside.
    """
    nothing = np.zeros((grid, grid), np.float32)
    if mask is None or mask.max() <= 0:
        return nothing
    inside = cv2.resize(mask / mask.max(), (grid, grid), interpolation=cv2.INTER_AREA)
    outside = 1 - inside
    if min(inside.sum(), outside.sum()) < LEAST_CELLS:
        return nothing
    weights: Floats = inside / inside.sum() - outside / outside.sum()
    return weights.astype(np.float32)

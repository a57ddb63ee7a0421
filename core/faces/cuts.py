"""Does a film go on in the same shot? Two small sketches of frames are compared; see `compare`."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Change = Literal["same", "relit", "other"]
Sketch = tuple[NDArray[np.float32], NDArray[np.float32]]  # (18, 32) lightness less its mean, (512,) colour shares

SKETCH_WH = (32, 18)
SAMPLED_SIDE = 120  # the short side is thinned out to about this before it is averaged: 0.4 ms for 1080p
DARK_VARIANCE = 25.0  # keeps the noise of a black picture from counting as structure
FAINT_LEVELS = 8.0  # a mean difference below this many grey levels is no cut, whatever its pattern
# Consecutive frames of the clips in ../shared: correlation >= 0.98, colours <= 0.07; a pan by a twentieth of the
# picture's width in each frame: >= 0.58 and <= 0.12; 600 cuts between photographs: <= 0.75 and >= 0.28.
SHOT_CORRELATION = 0.67
COLOUR_FLOOR, RELIT_COLOUR = 0.15, 0.35


def take_sketch(rgb: NDArray[np.uint8]) -> Sketch:
    """A frame in small, to be compared with others.

    Args:
        rgb: (H, W, 3) uint8.
    """
    step = max(1, min(rgb.shape[:2]) // SAMPLED_SIDE)
    thinned = np.ascontiguousarray(rgb[::step, ::step])
    small = cv2.cvtColor(cv2.resize(thinned, SKETCH_WH, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    lightness = small[..., 0].astype(np.float32)
    small[..., 1:] = small[..., 1:].clip(
        64, 191
    )  # stronger colours count as the strongest; uncounted they would vanish
    colours = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256, 64, 192, 64, 192]).ravel()
    return lightness - lightness.mean(), (colours / max(1.0, float(colours.sum()))).astype(np.float32)


def compare(before: Sketch, after: Sketch) -> Change:
    """What became of the picture between two frames.

    Returns:
        `same`: the shot goes on. `relit`: the same things stand in the same places in other light (a flash, a lamp).
        `other`: both the arrangement and the colours changed: a cut, when the two frames are neighbours. A fast pan
        changes the arrangement but keeps the colours, and is `same`.
    """
    shape, shape_after = before[0], after[0]
    strength = float(np.sqrt((shape**2).mean() * (shape_after**2).mean())) + DARK_VARIANCE
    correlation = float((shape * shape_after).mean()) / strength
    colours = 1.0 - float(np.minimum(before[1], after[1]).sum())
    faint = float(np.abs(shape - shape_after).mean()) < FAINT_LEVELS
    if not faint and colours > COLOUR_FLOOR and correlation < min(0.9, SHOT_CORRELATION + 0.4 * colours):
        return "other"
    return "relit" if colours > RELIT_COLOUR else "same"

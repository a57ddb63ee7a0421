"""Copies of val crops by which the short runs show what H.264, leaning pictures and marks in training are worth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.augment import recompress_video
from core.data.marks import laid_over, lines, screened, words
from core.faces.crop import resize_crop

CRF = 32
LEANING_BY = 20  # degrees

Crop = NDArray[np.uint8]


def filmed(crop: Crop) -> Crop:
    """Through H.264 and back."""
    side = crop.shape[0] // 2 * 2
    return resize_crop(recompress_video(resize_crop(crop, side), CRF), crop.shape[0])


def leaning(crop: Crop) -> Crop:
    """Turned one way or the other; what comes into view at corners is mirrored."""
    height, width = crop.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), LEANING_BY * (1 - 2 * (int(crop.sum()) % 2)), 1)
    turned = cv2.warpAffine(crop, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, np.uint8)


def marked(crop: Crop) -> Crop:
    """Under lines, under words, or from a screen; the same for the same crop."""
    rng = np.random.default_rng(int(crop.sum()))
    kind = rng.integers(3)
    return resize_crop(screened(crop, rng) if kind == 2 else laid_over(crop, (lines, words)[kind], rng), crop.shape[0])


CHANGED = {"films": filmed, "leaning": leaning, "marked": marked}

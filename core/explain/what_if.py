"""A face changed on purpose, to see what its verdict rests on: regions erased."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector.spec import CropSpec
from core.faces.crop import TIGHT_SCALE, corners, resize_crop

Rgb = NDArray[np.uint8]

BLUR_SHARE, EDGE_SHARE = 1 / 8, 1 / 64
"""Widths of the blur that fills, and of the soft edge, in shares of the picture's side."""


def blurred(rgb: Rgb) -> Rgb:
    """The picture with all its detail gone, colours and light left: what erased parts are filled with.

    Black or grey would be unlike anything that a detector has learnt from, and it would judge the hole
    (Chang et al. 2019; arXiv:2201.13291).
    """
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), max(1.0, BLUR_SHARE * max(rgb.shape[:2]))), np.uint8)


def erase(rgb: Rgb, mask: NDArray[np.bool_]) -> Rgb:
    """The picture with what the mask (h, w) covers blurred away, with a soft edge.

    Raises:
        ValueError: Mask and picture are of different size.
    """
    if mask.shape != rgb.shape[:2]:
        raise ValueError(f"mask must have shape {rgb.shape[:2]}, got {mask.shape}")
    if not mask.any():
        return rgb
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.5, EDGE_SHARE * max(rgb.shape[:2])))[..., None]
    filled = rgb * (1 - weight) + blurred(rgb) * weight
    return np.clip(filled + 0.5, 0, 255).astype(np.uint8)


def mask_views(mask: NDArray[np.bool_], crop: CropSpec, *, tight: bool = False) -> list[NDArray[np.bool_]]:
    """A mask (s, s) of a face's crop for each of its views (`core.analysis.scoring.cut_views`), all as large.

    What a wider view shows around the crop is covered as the crop's edge is; a tight face has nothing around it that a
    crop could show.
    """
    if not crop.wide:
        return [mask]
    side = len(mask)
    wide, scale = (min(one, TIGHT_SCALE) if tight else one for one in (crop.wide, crop.scale))
    margin = round(side * (wide / scale - 1) / 2)
    around = cv2.copyMakeBorder(mask.astype(np.uint8) * 255, *[margin] * 4, cv2.BORDER_REPLICATE)
    views = [around, *corners(around, crop.corner / crop.wide)]
    return [mask, *(resize_crop(one, side) > 127 for one in views)]

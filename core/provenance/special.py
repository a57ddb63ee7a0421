"""Two views for specialists, not evidence by themselves: the spectrum of frequencies and error levels.

Error-level analysis finds much and errs much: fine structure and text light up in untouched pictures. Spectra show the
grids of some generators (Frank et al., 2003.08685) and can be laundered (2003.01826).
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Rgb = NDArray[np.uint8]

SIDE = 512
ELA_QUALITY = 90
ELA_GAIN = 12.0
"""Grey levels of difference are shown so many times stronger; fixed, so that two pictures can be compared."""
SPECTRUM_LOG10 = (0.0, 5.0)
"""Decades of magnitude from black to white; fixed as well."""


def spectrum(rgb: Rgb) -> Rgb:
    """The magnitude of the two-dimensional Fourier transform of the brightness, zero frequency in the middle.

    Args:
        rgb: uint8 (H, W, 3); the middle square of at most 512 px is taken, unscaled, for scaling leaves traces.

    Returns:
        uint8 (s, s, 3), grey, s the side of that square.
    """
    height, width = rgb.shape[:2]
    side = min(SIDE, height, width)
    top, left = (height - side) // 2, (width - side) // 2
    grey = rgb[top : top + side, left : left + side].astype(np.float64) @ (0.299, 0.587, 0.114)
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])  # borders would draw a cross
    magnitude = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window)))
    low, high = SPECTRUM_LOG10
    share = (np.log10(magnitude + 1) - low) / (high - low)
    return np.repeat((255 * np.clip(share, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def error_levels(rgb: Rgb, quality: int = ELA_QUALITY) -> Rgb:
    """How much each pixel changes when the picture is saved as JPEG once more, twelve times stronger.

    Args:
        rgb: uint8 (H, W, 3); scaled down to 1024 px where it is larger, by leaving out pixels: averaging would hide it.
        quality: Of that JPEG.

    Returns:
        uint8 (h, w, 3).
    """
    step = -(-max(rgb.shape[:2]) // 1024)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    again = np.asarray(Image.open(buffer).convert("RGB"))
    difference = cv2.absdiff(rgb, again)[::step, ::step].astype(np.float32)
    return np.clip(difference * ELA_GAIN, 0, 255).astype(np.uint8)

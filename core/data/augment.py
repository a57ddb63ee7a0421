"""Random changes that say nothing about real or fake, the same for both classes; deterministic by generator.

They stand for what happens to media on the way to a user: other framing, other light, re-encoding, smaller copies.
"""

from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.faces.crop import resize_crop

Rgb = NDArray[np.uint8]
LEAST_PART = 0.84
MEAN_PART = (1 + LEAST_PART) / 2
"""Of a crop's side. A network is trained on parts of crops, and knows parts of this size best (measured: README)."""


def augment(crop: Rgb, size: int, rng: Generator) -> Rgb:
    """A face crop (h, w, 3) as a training picture uint8 (size, size, 3)."""
    return _restyle(_framed(crop, rng), size, rng)


def augment_both(crop: Rgb, mask: NDArray[np.float32], size: int, rng: Generator) -> tuple[Rgb, NDArray[np.float32]]:
    """`augment`, and the part of a mask (h, w), 0..1, that is in view: float32, as large as that part of the crop."""
    both = _framed(np.dstack([crop, np.round(mask * 255).astype(np.uint8)]), rng)
    return _restyle(both[..., :3], size, rng), both[..., 3].astype(np.float32) / np.float32(255)


def _framed(picture: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Mirrored by chance, and a part of it; of any channels."""
    return reframe(picture[:, ::-1] if rng.random() < 0.5 else picture, rng)


def _restyle(crop: Rgb, size: int, rng: Generator) -> Rgb:
    """All changes that leave every part in its place."""
    if max(crop.shape) > 2 * size:  # more pixels than any copy will keep: the rest goes quicker without
        crop = resize_crop(np.ascontiguousarray(crop), 2 * size)
    if rng.random() < 0.5:
        crop = recolour(crop, rng)
    return resize_crop(degrade(crop, size, rng), size)


def reframe(crop: Rgb, rng: Generator, least: float = LEAST_PART) -> Rgb:
    """A square part of the crop, its side drawn from `least` to 1, anywhere within."""
    side = min(crop.shape[:2])
    part = max(1, round(side * rng.uniform(least, 1.0)))
    top, left = rng.integers(0, crop.shape[0] - part + 1), rng.integers(0, crop.shape[1] - part + 1)
    return crop[top : top + part, left : left + part]


def recolour(crop: Rgb, rng: Generator) -> Rgb:
    """Other brightness, contrast, saturation and white balance."""
    picture = crop.astype(np.float32)
    grey = picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    saturation = 0.0 if rng.random() < 0.06 else rng.uniform(0.6, 1.4)
    picture = grey[..., None] + (picture - grey[..., None]) * np.float32(saturation)
    gain = np.float32(rng.uniform(0.7, 1.3)) * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    mean = np.float32(grey.mean())
    picture = (picture - mean) * np.float32(rng.uniform(0.75, 1.25)) + mean
    return np.clip(picture * gain + np.float32(rng.uniform(-15, 15)), 0, 255).astype(np.uint8)


def degrade(crop: Rgb, size: int, rng: Generator) -> Rgb:
    """Smaller, softer, noisier, re-encoded copies, each by chance."""
    crop = np.ascontiguousarray(crop)
    if rng.random() < 0.3:
        side = int(rng.uniform(0.35, 1.0) * size)
        ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
        crop = cv2.resize(crop, (max(24, side),) * 2, interpolation=ways[rng.integers(3)])
    if rng.random() < 0.12:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 1.6) * crop.shape[0] / size)
    if rng.random() < 0.12:
        noise = rng.normal(0, rng.uniform(1, 10), crop.shape).astype(np.float32)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        crop = recompress_video(crop, int(rng.uniform(20, 40)))
    for _ in range(rng.choice(3, p=[0.45, 0.45, 0.1])):
        crop = recompress(crop, int(rng.uniform(35, 97)), rng.random() < 0.7)
    return crop


def recompress(crop: Rgb, quality: int, subsample: bool = True) -> Rgb:
    """Through JPEG and back; `subsample` halves the colour resolution as most encoders do."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsample else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    encoded = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), options)[1]
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def recompress_video(crop: Rgb, crf: int, frames: int = 2) -> Rgb:
    """Through H.264 and back, the last of a few equal frames: what a still of a shared video has gone through.

    Args:
        crop: uint8 (h, w, 3).
        crf: Constant rate factor of libx264, 0 (lossless) to 51.
        frames: How many are encoded; all but the first are predicted from the one before.
    """
    height, width = (side // 2 * 2 for side in crop.shape[:2])  # 4:2:0 needs even sides
    encoder, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 25)
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    encoder.thread_count = decoder.thread_count = 1
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(crop[:height, :width]), format="rgb24")
    decoded = []
    for time in [*range(frames), None]:
        if time is not None:
            picture.pts = time
        for packet in encoder.encode(None if time is None else picture):
            decoded += decoder.decode(packet)
    decoded += decoder.decode(None)
    return np.asarray(decoded[-1].to_ndarray(format="rgb24"), dtype=np.uint8)

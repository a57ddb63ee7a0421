"""Random changes that say nothing about real or fake, the same for both classes; deterministic by generator.

They stand for what happens to media on the way to a user: other framing, other light, re-encoding, smaller copies.
"""

from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.marks import marked
from core.faces.crop import resize_crop

Rgb = NDArray[np.uint8]
LEAST_PART = 0.84
MEAN_PART = (1 + LEAST_PART) / 2
"""Of a crop's side. A network is trained on parts of crops, and knows parts of this size best (measured: README)."""
TURNED_SHARE = 0.3  # of the pictures lean, by angles of this standard deviation in degrees, at most `MOST_TURNED`
TURNED_BY, MOST_TURNED = 18.0, 50.0
FILMED_SHARE = 0.1  # of the pictures go through H.264
HIDDEN_SHARE = 0.25  # of the pictures: a part of the face is painted over in them
HIDDEN_SIDE = (0.15, 0.5)  # of the painted rectangle, in sides of the picture
MOST_HIDDEN = 0.5  # of what was changed in a made fake, which would be a real face without
PLACES = 4  # tried for a rectangle before nothing is hidden

Box = tuple[slice, slice]
"""Rows and columns."""


def augment(crop: Rgb, size: int, rng: Generator) -> Rgb:
    """A face crop (h, w, 3) as a training picture uint8 (size, size, 3)."""
    picture = _restyle(_framed(crop, rng), size, rng)
    return _painted(picture, hidden(size, rng), rng)


def augment_both(crop: Rgb, mask: NDArray[np.float32], size: int, rng: Generator) -> tuple[Rgb, NDArray[np.float32]]:
    """`augment`, and the part of a mask (h, w), 0..1, that is in view: float32, as large as that part of the crop."""
    both = _framed(np.dstack([crop, np.round(mask * 255).astype(np.uint8)]), rng)
    seen = both[..., 3].astype(np.float32) / np.float32(255)
    picture = _restyle(both[..., :3], size, rng)
    box = hidden(size, rng, seen)
    if box:
        seen = seen * (1 - cv2.resize(_inside(size, box), seen.shape[::-1], interpolation=cv2.INTER_AREA))
    return _painted(picture, box, rng), seen


def hidden(size: int, rng: Generator, changed: NDArray[np.float32] | None = None) -> Box | None:
    """The rectangle that is painted over, so that a face is not known by one trait alone; mostly none.

    Face cut-out keeps a detector from learning people by heart (Das et al., ICCV workshops 2021).

    Args:
        size: Side of the picture in pixels.
        rng: Source of all chance.
        changed: Where a made fake was changed, (h, w) 0..1: at most `MOST_HIDDEN` of it is hidden.
    """
    if rng.random() >= HIDDEN_SHARE:
        return None
    for _ in range(PLACES):
        height, width = np.round(rng.uniform(*HIDDEN_SIDE, 2) * size).astype(int)
        top, left = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
        box = slice(top, top + height), slice(left, left + width)
        if changed is None:
            return box
        where = cv2.resize(changed, (size, size), interpolation=cv2.INTER_AREA)
        if where[box].sum() <= MOST_HIDDEN * where.sum():
            return box
    return None


def _inside(size: int, box: Box) -> NDArray[np.float32]:
    mask = np.zeros((size, size), np.float32)
    mask[box] = 1
    return mask


def _painted(picture: Rgb, box: Box | None, rng: Generator) -> Rgb:
    if not box:
        return picture
    picture = picture.copy()
    picture[box] = rng.integers(0, 256, 3)
    return picture


def _framed(picture: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Mirrored and turned by chance, and a part of it; of any channels."""
    return reframe(turn(picture[:, ::-1] if rng.random() < 0.5 else picture, rng), rng)


def turn(picture: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Leaning by chance, as large as before; what comes into view at corners is mirrored.

    Pixels are resampled, as by the tools that straighten a photograph. None lies on its side or stands on its head:
    such faces are set upright before they are judged (`core.faces.upright`).
    """
    if rng.random() >= TURNED_SHARE:
        return picture
    height, width = picture.shape[:2]
    degrees = float(np.clip(rng.normal(0, TURNED_BY), -MOST_TURNED, MOST_TURNED))
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    whole = np.ascontiguousarray(picture)
    return cv2.warpAffine(whole, matrix, (width, height), flags=way, borderMode=cv2.BORDER_REFLECT_101)


def _restyle(crop: Rgb, size: int, rng: Generator) -> Rgb:
    """All changes that leave every part in its place."""
    if max(crop.shape) > 2 * size:  # more pixels than any copy will keep: the rest goes quicker without
        crop = resize_crop(np.ascontiguousarray(crop), 2 * size)
    crop = marked(crop, rng)
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
    if rng.random() < FILMED_SHARE:
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

"""What happens to pictures on their way to a user, in known strengths: for measuring how much a detector bears.

Levels of saturation, contrast, noise, blur and H.264 are those of DeeperForensics (Jiang et al. 2020); true JPEG, true
downscaling and brightness are added, which it lacks.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.media import H264Writer, VideoFrame, VideoReader

Rgb = NDArray[np.uint8]
CLIP_FRAMES, CLIP_FPS = 3, 25
FILM_SIDE = 256
"""Of the pictures put into films: a larger face is coded with less of its detail at the same quantiser."""


@dataclass(frozen=True)
class Kind:
    """One way in which pictures suffer.

    Attributes:
        title: For people.
        unit: How a level is written: "quality {}".
        levels: From mild to strong.
        function: Picture and level to picture, (H, W, 3) uint8.
    """

    title: str
    unit: str
    levels: tuple[float, ...]
    function: Callable[[Rgb, float], Rgb]


@dataclass(frozen=True)
class Change:
    """A kind at one level.

    Attributes:
        kind: A key of `KINDS`.
        level: How strong, in the kind's own unit.
        film: The changed picture is judged as a frame of a film is, not as a still; for H.264.
    """

    kind: str
    level: float
    film: bool = False

    @property
    def key(self) -> str:
        """Short, stable and unique, as for a cache."""
        return f"{self.kind}-{self.level:g}{'-film' if self.film else ''}"

    @property
    def label(self) -> str:
        """For people: "JPEG, quality 50"."""
        kind = KINDS[self.kind]
        return f"{'Film, ' if self.film else ''}{kind.title}, {kind.unit.format(f'{self.level:g}')}"

    def apply(self, rgb: Rgb) -> Rgb:
        """The picture after it, uint8 (H, W, 3); the same for the same picture each time."""
        return KINDS[self.kind].function(np.ascontiguousarray(rgb), self.level)


def all_changes(kinds: tuple[str, ...] = ()) -> list[Change]:
    """Every level of these kinds; of all of them when none is named."""
    return [Change(name, level) for name in kinds or tuple(KINDS) for level in KINDS[name].levels]


def jpeg(rgb: Rgb, quality: float) -> Rgb:
    """Through JPEG with halved colour resolution, as nearly all encoders write it."""
    half = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, half]
    encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)[1]
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(np.uint8)


def downscale(rgb: Rgb, factor: float) -> Rgb:
    """A smaller copy: it stays small, as a thumbnail or a preview does."""
    size_wh = (max(8, round(rgb.shape[1] * factor)), max(8, round(rgb.shape[0] * factor)))
    return cv2.resize(rgb, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8)


def blur(rgb: Rgb, kernel: float) -> Rgb:
    """Gaussian with a kernel of so many pixels, a sixth of it as sigma."""
    side = int(kernel)
    return cv2.GaussianBlur(rgb, (side, side), side / 6).astype(np.uint8)


def noise(rgb: Rgb, variance: float) -> Rgb:
    """Gaussian noise of this variance, where white is 1; drawn from the picture itself, so that it repeats."""
    rng = np.random.default_rng(zlib.crc32(rgb.tobytes()))
    grain = rng.normal(0, 255 * variance**0.5, rgb.shape).astype(np.float32)
    return np.clip(rgb + grain + 0.5, 0, 255).astype(np.uint8)


def brightness(rgb: Rgb, factor: float) -> Rgb:
    """Every level multiplied."""
    return cv2.convertScaleAbs(rgb, alpha=factor).astype(np.uint8)


def contrast(rgb: Rgb, factor: float) -> Rgb:
    """Every level drawn towards the picture's mean grey."""
    mean = float(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).mean())
    return np.clip(mean + (rgb.astype(np.float32) - mean) * factor + 0.5, 0, 255).astype(np.uint8)


def saturation(rgb: Rgb, factor: float) -> Rgb:
    """Every pixel drawn towards its own grey."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    return np.clip(grey + (rgb.astype(np.float32) - grey) * factor + 0.5, 0, 255).astype(np.uint8)


def h264(rgb: Rgb, crf: float) -> Rgb:
    """The last frame of a clip of a few equal ones, written at this constant rate factor and read again."""
    return _clip(rgb, crf)[-1].rgb


def film_frame(rgb: Rgb, crf: float) -> VideoFrame:
    """The first frame of such a clip, with its quantiser; pictures larger than 256 px are made smaller first."""
    factor = FILM_SIDE / max(rgb.shape[:2])
    return _clip(downscale(rgb, factor) if factor < 1 else np.ascontiguousarray(rgb), crf)[0]


def _clip(rgb: Rgb, crf: float) -> list[VideoFrame]:
    height, width = rgb.shape[:2]
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        path = Path(folder) / "still.mp4"
        with H264Writer(path, (width, height), CLIP_FPS, quality=int(crf)) as writer:
            for _ in range(CLIP_FRAMES):
                writer.write(rgb)
        with VideoReader(path) as reader:
            # sides of odd length got one more row or column
            return [replace(frame, rgb=np.ascontiguousarray(frame.rgb[:height, :width])) for frame in reader]


KINDS: dict[str, Kind] = {
    "jpeg": Kind("JPEG", "quality {}", (90, 70, 50, 40, 30), jpeg),
    "downscale": Kind("Downscaled", "× {}", (0.75, 0.5, 0.25), downscale),
    "blur": Kind("Blurred", "kernel {} px", (7, 9, 13, 17, 21), blur),
    "noise": Kind("Noise", "variance {}", (0.001, 0.002, 0.005, 0.01, 0.05), noise),
    "brightness": Kind("Brightness", "× {}", (1.5, 0.7, 0.5, 0.3, 0.2), brightness),
    "contrast": Kind("Contrast", "× {}", (0.85, 0.725, 0.6, 0.475, 0.35), contrast),
    "saturation": Kind("Saturation", "× {}", (0.4, 0.3, 0.2, 0.1, 0.0), saturation),
    "h264": Kind("H.264", "CRF {}", (23, 27, 30, 32, 35, 38, 40), h264),
}

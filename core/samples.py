"""Demo media that the project makes itself, so that there is always something to try and nothing to download.

From scikit-image's portrait of the astronaut Eileen Collins (NASA, public domain): a still, and a ten-second clip in
which the camera pans and zooms. In the manipulated still, and between known seconds of the clip, another face stands in
its place: its own mirror image, of other features and lit from the other side, as coarse as a generator of few pixels
makes it, and set in as face-swapping tools do, off in colour and place, soft-edged and flickering. Whoever knows of it
sees a second brow. Figures in source pixels are those of the portrait, 512 x 512.
"""

import filecmp
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import SetupError
from core.home import home_folder, make_folder
from core.media import H264Writer

Rgb = NDArray[np.uint8]

RECIPE = "2"
"""Part of the folder's name: samples made by an older recipe are not taken for those of this one."""
FPS, DURATION_S, SIZE_WH = 25, 10.0, (1280, 720)
FAKE_START_S, FAKE_END_S = 4.0, 7.0
TRUTHS = {
    "astronaut.png": "This portrait is untouched.",
    "astronaut-manipulated.png": "The face in this portrait was replaced by its own mirror image.",
    "astronaut-clip.mp4": f"The face is manipulated from second {FAKE_START_S:g} to {FAKE_END_S:g} only.",
}
MASTER_SCALE = 3  # the portrait is enlarged once, well, and every frame is a quick view of that
GRAIN_LEVELS = 1.6

PATCH_XYXY = (158, 54, 294, 206)
"""Room around the face in source pixels; all that the manipulation touches."""
OUTLINE_XY = (
    *((184, 96), (192, 87), (204, 83), (220, 84), (232, 85), (246, 84), (259, 88), (267, 98)),  # the brows
    *((269, 112), (268, 126), (264, 142), (252, 160), (237, 173), (222, 177)),  # her left cheek to the chin
    *((208, 172), (194, 159), (184, 141), (181, 124), (181, 108)),  # her right cheek
)
"""Brows to chin in source pixels, measured once with MediaPipe's face mesh."""

_lock = threading.Lock()


@dataclass(frozen=True)
class SampleVideo:
    """The clip, and the truth about it: its one face is manipulated from `fake_start_s` up to before `fake_end_s`."""

    path: Path
    fake_start_s: float
    fake_end_s: float


@dataclass(frozen=True)
class Manipulation:
    """How the face that is set in differs from the face's mirror image; in source pixels and levels of 0..255."""

    shift_xy: tuple[float, float] = (1.3, 1.6)
    zoom: float = 1.035
    rgb_offset: tuple[float, float, float] = (9.0, -1.0, -9.0)
    face_px: float = 60.0
    softness: float = 3.2


def sample_image() -> Path:
    """The portrait as it is, PNG, 512 x 512: a real face. Made on first use.

    Raises:
        SetupError: scikit-image is not installed, or the folder cannot be written to.
    """
    return sample_images()["original"]


def sample_images() -> dict[str, Path]:
    """The stills by name: "original" and "manipulated", PNG, 512 x 512. Made on first use.

    Raises:
        SetupError: scikit-image is not installed, or the folder cannot be written to.
    """
    return {
        "original": _made("astronaut.png", lambda path: _save(path, _portrait())),
        "manipulated": _made(
            "astronaut-manipulated.png", lambda path: _save(path, manipulate(_portrait(), Manipulation()))
        ),
    }


def sample_video() -> SampleVideo:
    """The clip: ten seconds, 1280 x 720, 25 frames a second, H.264. Made on first use, in some seconds.

    Raises:
        SetupError: scikit-image is not installed, or the folder cannot be written to.
    """
    return SampleVideo(_made("astronaut-clip.mp4", _film), FAKE_START_S, FAKE_END_S)


def truth_about(path: Path) -> str | None:
    """What is known of a sample, in a sentence; None for any other file. A detector can be held to it.

    A copy of a sample, such as an upload or what the history keeps, is one too.
    """
    for name, known in TRUTHS.items():
        sample = home_folder() / "samples" / RECIPE / name
        try:
            if filecmp.cmp(path, sample, shallow=False):  # of another size, it is not read
                return known
        except OSError:  # one of them is not there
            continue
    return None


def manipulate(picture: Rgb, how: Manipulation, scale: int = 1) -> Rgb:
    """Set a changed mirror image of the portrait's face in its place.

    Args:
        picture: The portrait, uint8 (512 * scale, 512 * scale, 3).
        how: What is changed, in source pixels.
        scale: Enlargement of `picture`.

    Returns:
        A new picture of the same shape, equal to `picture` outside of the patch around the face.
    """
    left, top, right, bottom = (edge * scale for edge in PATCH_XYXY)
    face = picture[top:bottom, left:right]
    weight = _soft_mask(how.softness, scale)
    result = picture.copy()
    result[top:bottom, left:right] = cv2.blendLinear(_other_face(face, how, scale), face, weight, 1 - weight)
    return result


def _other_face(face: Rgb, how: Manipulation, scale: int) -> Rgb:
    height, width = face.shape[:2]
    shift = np.array(how.shift_xy) * scale + (1 - how.zoom) * np.array([width, height]) / 2
    matrix = np.array([[how.zoom, 0, shift[0]], [0, how.zoom, shift[1]]])
    moved = cv2.warpAffine(
        cv2.flip(face, 1), matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    # A generator works at a size of its own, and its result is enlarged and sharpened to fit.
    low_wh = (round(how.face_px), round(how.face_px * height / width))
    low = cv2.resize(moved, low_wh, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(low, (width, height), interpolation=cv2.INTER_CUBIC)
    sharpened = cv2.addWeighted(enlarged, 1.6, cv2.GaussianBlur(enlarged, (0, 0), 1.6 * scale), -0.6, 0)
    return np.asarray(cv2.add(sharpened, (*how.rgb_offset, 0.0)), np.uint8)


def _soft_mask(softness: float, scale: int) -> NDArray[np.float32]:
    """Weight of the other face, float32 (h, w) of the patch: 1 in the face, falling to 0 around its outline."""
    left, top, right, bottom = PATCH_XYXY
    mask = np.zeros(((bottom - top) * scale, (right - left) * scale), np.float32)
    outline = (np.array(OUTLINE_XY) - (left, top)) * scale
    cv2.fillPoly(mask, [outline.astype(np.int32)], 1.0)
    return np.clip(cv2.GaussianBlur(mask, (0, 0), softness * scale), 0, 1)


def _film(path: Path) -> None:
    rng = np.random.default_rng(20260101)
    side = 512 * MASTER_SCALE
    master = cv2.resize(_portrait(), (side, side), interpolation=cv2.INTER_LANCZOS4)
    grain = [_grain(rng) for _ in range(4)]
    drift = _drift(rng, round(DURATION_S * FPS), 5)
    with H264Writer(path, SIZE_WH, FPS) as writer:
        for index, wobble in enumerate(drift):
            time_s = index / FPS
            fake = FAKE_START_S <= time_s < FAKE_END_S
            picture = manipulate(master, _flickering(wobble), MASTER_SCALE) if fake else master
            view = cv2.warpAffine(picture, _camera(time_s), SIZE_WH, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            rolled = np.roll(grain[index % len(grain)], rng.integers(0, 200, 2), axis=(0, 1))
            writer.write(cv2.add(view, rolled, dtype=cv2.CV_8U).astype(np.uint8))


def _camera(time_s: float) -> NDArray[np.float64]:
    """From pixels of the clip to pixels of the enlarged portrait, (2, 3): in on the face and out again, by hand."""
    closeness = (1 - np.cos(2 * np.pi * time_s / DURATION_S)) / 2  # 0 at both ends, 1 in the middle
    width = 490 - 170 * closeness
    sway = 6 * np.sin(2 * np.pi * time_s / 6.3), 4 * np.sin(2 * np.pi * time_s / 4.7 + 1)
    centre = 256 - 28 * closeness + sway[0], 146 - 24 * closeness + sway[1]
    step = width / SIZE_WH[0]
    corner = centre[0] - width / 2, centre[1] - step * SIZE_WH[1] / 2
    return MASTER_SCALE * np.array([[step, 0, corner[0]], [0, step, corner[1]]])


def _drift(rng: np.random.Generator, count: int, figures: int) -> NDArray[np.float64]:
    """(count, figures) numbers around 0, most within ±1: a slow drift with a little trembling on top."""
    noise = rng.normal(size=(count + 24, figures))
    kernel = np.hanning(25)
    slow = np.array([np.convolve(column, kernel / np.sqrt(np.sum(kernel**2)), mode="valid") for column in noise.T]).T
    return 0.5 * slow + 0.2 * rng.normal(size=(count, figures))


def _flickering(wobble: NDArray[np.float64]) -> Manipulation:
    """A frame's manipulation: every frame is generated on its own, and no two come out alike."""
    base, (x, y, zoom, colour, softness) = Manipulation(), wobble.tolist()
    return Manipulation(
        shift_xy=(base.shift_xy[0] + 0.6 * x, base.shift_xy[1] + 0.5 * y),
        zoom=base.zoom + 0.006 * zoom,
        rgb_offset=(base.rgb_offset[0] + 3 * colour, base.rgb_offset[1] + colour, base.rgb_offset[2] + 2 * colour),
        softness=max(1.5, base.softness + 0.5 * softness),
    )


def _grain(rng: np.random.Generator) -> NDArray[np.int8]:
    """Sensor noise of one frame, int8 (h, w, 3), the same in all channels."""
    noise = cv2.GaussianBlur(rng.normal(size=SIZE_WH[::-1]).astype(np.float32), (0, 0), 0.6)
    levels = np.round(noise * GRAIN_LEVELS / noise.std()).astype(np.int8)
    return np.repeat(levels[..., None], 3, axis=2)


def _portrait() -> Rgb:
    # Looked up and not imported: skimage.data takes a second to import, and may want to download.
    spec = find_spec("skimage")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    path = next((folder / "data" / "astronaut.png" for folder in folders), None)
    if path is None or not path.exists():
        raise SetupError("The samples need the package scikit-image. Run: pip install -r requirements.txt")
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _save(path: Path, rgb: Rgb) -> None:
    part = path.with_suffix(".part")
    Image.fromarray(rgb).save(part, format="PNG")
    part.replace(path)


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """The sample's path; made by `make`, which must put it there whole, when it is not there yet."""
    path = make_folder(home_folder() / "samples" / RECIPE) / name
    with _lock:  # two tabs may ask for the same sample at once
        if not path.exists():
            make(path)
    return path

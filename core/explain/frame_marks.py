"""Evidence maps and boxes drawn into frames of a film: in place and quickly, in the colours of `core.explain.overlay`.

`draw_overlay` and `draw_boxes` give new pictures, and take 19 and 7 ms for faces of 440 px in a 1080p frame; these
take 2 and under 1.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.explain.overlay import SCALE_LOGITS, VERDICT_RGB, Picture, colour_map, face_words
from core.explain.shown_faces import ShownFace
from core.faces.crop import Pixels

OPACITY = 0.6
_LEVELS = 255  # steps of evidence from one end of the scale to the other: finer than eight bits of colour can show
_MAX_ENLARGED = 2  # of a square that reaches out of the frame: no more of it is ever computed than this many frames


def lay_evidence(
    frame: Picture,
    activation_map: NDArray[np.float32],
    pixels: Pixels | None = None,
    *,
    opacity: float = OPACITY,
) -> None:
    """Lay a face's evidence over a frame, in place; what `draw_overlay` gives, to two levels of 255.

    Args:
        frame: uint8 (H, W, 3), changed.
        activation_map: (h, w) evidence in logits.
        pixels: Where in the frame the crop was cut (`core.faces.crop.crop_pixels`); None for all of it.
        opacity: Of a full colour, 0..1.
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = pixels or (0, 0, width, height)
    left, top, right, bottom = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    if right <= left or bottom <= top or max(x1 - x0, y1 - y0) > _MAX_ENLARGED * max(height, width):
        return
    place = np.nan_to_num(activation_map).astype(np.float32) * (_LEVELS / 2 / SCALE_LOGITS) + _LEVELS / 2
    stretched = cv2.resize(place, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    part_of_it = stretched[top - y0 : bottom - y0, left - x0 : right - x0]
    levels = np.rint(np.clip(part_of_it, 0, _LEVELS)).astype(np.uint8)
    colours, strength = _tables()
    weight = strength[levels] * np.float32(opacity)
    part = frame[top:bottom, left:right]
    part[:] = cv2.blendLinear(np.ascontiguousarray(part), colours[levels], 1 - weight, weight)


def mark_faces(frame: Picture, faces: Sequence[ShownFace]) -> None:
    """Box each face in place, with its track's number, verdict in words, and probability.

    Args:
        frame: uint8 (H, W, 3), changed.
        faces: With boxes in pixels of this frame.
    """
    height, width = frame.shape[:2]
    line = max(2, round(min(height, width) / 250))
    size = max(11, round(min(height, width) / 32))
    for place, face in enumerate(faces, start=1):
        colour = VERDICT_RGB[face.score.verdict]
        left, top, right, bottom = (round(edge) for edge in face.box_xyxy)
        cv2.rectangle(frame, (left, top), (right, bottom), colour, line)
        plate = text_plate(f"{face.score.face.track_id or place} {face_words(face.score)}", size, colour)
        above = top - plate.shape[0]
        paste(frame, plate, left, above if above >= 0 else top)


def paste(frame: Picture, plate: Picture, left: int, top: int) -> None:
    """Put a plate into a frame, in place, moved as little as needed to lie inside; what does not fit is cut."""
    height, width = frame.shape[:2]
    left, top = max(0, min(left, width - plate.shape[1])), max(0, min(top, height - plate.shape[0]))
    part = frame[top : top + plate.shape[0], left : left + plate.shape[1]]
    part[:] = plate[: part.shape[0], : part.shape[1]]


@lru_cache(maxsize=256)
def text_plate(text: str, size: int, colour: tuple[int, int, int], ink: tuple[int, int, int] | None = None) -> Picture:
    """Text on a filled plate, in `ink` or else in black or white, whatever can be read. Not to be changed."""
    font = ImageFont.load_default(size=size)
    _, _, wide, high = ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((0, 0), text, font=font)
    image = Image.new("RGB", (int(wide) + 6, int(high) + 5), colour)
    readable = (255, 255, 255) if sum(colour) < 380 else (0, 0, 0)
    ImageDraw.Draw(image).text((3, 1), text, ink or readable, font)
    return np.array(image)


@lru_cache(maxsize=1)
def _tables() -> tuple[Picture, NDArray[np.float32]]:
    """Colour (256, 3) and strength (256,) for each level of evidence, from one end of the scale to the other."""
    colours, strength = colour_map(np.linspace(-SCALE_LOGITS, SCALE_LOGITS, _LEVELS + 1, dtype=np.float32))
    return np.rint(colours).astype(np.uint8), strength[:, 0]

"""Evidence maps and boxes, drawn onto pictures.

Colours mean the same on every picture: the scale is in logits and fixed, never the map's own maximum, so that a face
without evidence looks like one. Red speaks for a fake. Blue speaks against it and is drawn a third as strong: it is
what a clean face is full of, and a clean face shall look calm. Where a map answers "why real", blue speaks for that
and is drawn in full, and red a third as strong.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.analysis.types import FaceScore, Verdict
from core.analysis.verdict import VERDICT_WORDS, percent
from core.faces.crop import Pixels
from core.faces.types import Box
from core.faces.upright import turned

SCALE_LOGITS = 8.0  # evidence at which a colour is full; the strongest cells of fakes reach 4 to 10
FAKE_RGB, REAL_RGB = (214, 20, 40), (30, 90, 220)
AGAINST_SHARE = 1 / 3
VERDICT_RGB: dict[Verdict, tuple[int, int, int]] = {
    "real": (0, 114, 178),
    "fake": (213, 40, 40),
    "uncertain": (230, 159, 0),
}  # told apart by the colour-blind as well; the label says the word anyway
LEGEND_HEIGHT = 44
LEGEND = "Red areas speak for a fake, blue ones against it; what stays clear says nothing either way."

Picture = NDArray[np.uint8]


def colour_map(
    evidence: NDArray[np.float32], scale_logits: float = SCALE_LOGITS, target: str = "fake"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours and strengths of evidence, on the fixed scale.

    Args:
        evidence: Any shape, in logits; what is not a number counts as none.
        scale_logits: Evidence at which the colour is full.
        target: What positive evidence speaks for: `real` is blue; `fake` and kinds of fakes are red.

    Returns:
        RGB 0..255 with shape (..., 3) and strength 0..1 with shape (..., 1).
    """
    if not scale_logits > 0:
        raise ValueError(f"scale_logits must be above 0, got {scale_logits}")
    share = np.clip(np.nan_to_num(evidence) / scale_logits, -1, 1)[..., None].astype(np.float32)
    pro, contra = (REAL_RGB, FAKE_RGB) if target == "real" else (FAKE_RGB, REAL_RGB)
    colours = np.where(share > 0, np.array(pro, np.float32), np.array(contra, np.float32))
    return colours, np.where(share > 0, share, -share * AGAINST_SHARE).astype(np.float32)


def draw_overlay(
    rgb: Picture,
    activation_map: NDArray[np.float32],
    *,
    pixels: Pixels | None = None,
    scale_logits: float = SCALE_LOGITS,
    opacity: float = 0.6,
    target: str = "fake",
) -> Picture:
    """Lay a face's evidence over a crop, or over the picture that the crop was cut from.

    Args:
        rgb: uint8 (H, W, 3).
        activation_map: (h, w) evidence in logits, of the face's crop.
        pixels: Where in `rgb` the crop was cut (`core.faces.crop.crop_pixels`); None when `rgb` is the crop itself.
        scale_logits: Evidence at which a colour is full. The same for all pictures that are compared.
        opacity: Of a full colour, 0..1.
        target: What positive evidence speaks for; see `colour_map`.

    Returns:
        A new picture of the same shape; only the crop's square differs.

    Raises:
        ValueError: The map is not two-dimensional.

    Example:
        >>> draw_overlay(np.zeros((8, 8, 3), np.uint8), np.full((2, 2), 99.0), opacity=1.0)[0, 0].tolist()
        [214, 20, 40]
    """
    if activation_map.ndim != 2:
        raise ValueError(f"activation_map must have shape (h, w), got {activation_map.shape}")
    height, width = rgb.shape[:2]
    result = rgb.copy()
    x0, y0, x1, y1 = pixels or (0, 0, width, height)
    inside = (slice(max(0, y0), max(0, min(height, y1))), slice(max(0, x0), max(0, min(width, x1))))
    if result[inside].size == 0:
        return result
    evidence = stretch(activation_map, (x0, y0, x1, y1), inside)
    colours, strength = colour_map(evidence, scale_logits, target)
    strength = strength * np.float32(np.clip(opacity, 0, 1))
    result[inside] = np.rint(result[inside] * (1 - strength) + colours * strength).astype(np.uint8)
    return result


def draw_face(crop: Picture, score: FaceScore, *, opacity: float = 0.6) -> Picture:
    """A crop, uint8 (h, w, 3), under its evidence map; the crop itself where no map was kept."""
    return crop if score.activation_map is None else draw_overlay(crop, score.activation_map, opacity=opacity)


def in_picture(score: FaceScore) -> NDArray[np.float32]:
    """A face's map, which must be there, as it lies in the picture: that of an upright crop, turned back."""
    assert score.activation_map is not None
    return turned(score.activation_map, -score.face.rotation_deg).astype(np.float32, copy=False)


def stretch(
    activation_map: NDArray[np.float32], square: tuple[int, int, int, int], inside: tuple[slice, slice]
) -> NDArray[np.float32]:
    """The map at each pixel of `inside`; its cells tile the square. Never larger than the picture itself."""
    x0, y0, x1, y1 = square
    rows, columns = activation_map.shape
    ys = (np.arange(inside[0].start, inside[0].stop) - y0 + 0.5) * rows / (y1 - y0) - 0.5
    xs = (np.arange(inside[1].start, inside[1].stop) - x0 + 0.5) * columns / (x1 - x0) - 0.5
    grid_x, grid_y = np.meshgrid(xs.astype(np.float32), ys.astype(np.float32))
    source = np.ascontiguousarray(activation_map, dtype=np.float32)
    stretched: NDArray[np.float32] = cv2.remap(
        source, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return stretched


def at_size(activation_map: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A map (h, w) at each pixel of the crop that it belongs to, (height, width)."""
    return stretch(activation_map, (0, 0, width, height), (slice(0, height), slice(0, width)))


def colour_bar(*, signed: bool, target: str = "fake", width: int = 240, height: int = 10) -> Picture:
    """The colours from the strongest against (or nothing) to the strongest for; uint8 (height, width, 4) RGBA."""
    values = np.linspace(-1 if signed else 0, 1, width, dtype=np.float32)
    colours, strength = colour_map(values, 1.0, target)
    row = np.concatenate([colours, 255 * strength], axis=1)
    return np.tile(np.rint(row).astype(np.uint8), (height, 1, 1))


def draw_boxes(
    rgb: Picture, faces: Sequence[FaceScore], *, labels: Sequence[str] | None = None, words: bool = True
) -> Picture:
    """Box each face, with its number, verdict in words, and probability; the number alone where the rest finds no room.

    Args:
        rgb: uint8 (H, W, 3).
        faces: Faces of this picture.
        labels: A name for each face: by default its track's number, or else its place from 1.
        words: More than the number.

    Returns:
        A new picture of the same shape.
    """
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    line = max(2, round(min(rgb.shape[:2]) / 250))
    font = ImageFont.load_default(size=max(11, round(min(rgb.shape[:2]) / 32)))
    boxes = [_within(score.face.box_xyxy, rgb.shape[1], rgb.shape[0]) for score in faces]
    for box, score in zip(boxes, faces, strict=True):
        draw.rectangle(box, outline=VERDICT_RGB[score.verdict], width=line)
    plates: list[Rectangle] = []
    for place, score in enumerate(faces):
        label = labels[place] if labels is not None else str(score.face.track_id or place + 1)
        taken = [*boxes[:place], *boxes[place + 1 :], *plates]
        texts = (f"{label} {face_words(score)}", label) if words else (label,)
        plates.append(_label(draw, boxes[place], texts, font, VERDICT_RGB[score.verdict], taken))
    return np.array(image)


def face_words(score: FaceScore) -> str:
    """The verdict on one face in a few words, such as "fake 93 %"."""
    return f"{VERDICT_WORDS[score.verdict]} {percent(score.fake_probability)}"


def add_legend(rgb: Picture, scale_logits: float = SCALE_LOGITS) -> Picture:
    """The picture with a strip below that says what the colours mean; at least 260 px wide."""
    width = max(260, rgb.shape[1])
    canvas = Image.new("RGB", (width, rgb.shape[0] + LEGEND_HEIGHT), "white")
    canvas.paste(Image.fromarray(rgb), (0, 0))
    bar_width, top = min(240, width - 20), rgb.shape[0] + 6
    evidence = np.tile(np.linspace(-scale_logits, scale_logits, bar_width, dtype=np.float32), (12, 1))
    colours, strength = colour_map(evidence, scale_logits)
    canvas.paste(Image.fromarray(np.rint(255 * (1 - strength) + colours * strength).astype(np.uint8)), (10, top))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=11)
    draw.text((10, top + 15), f"{-scale_logits:g}  real", "black", font, anchor="la")
    draw.text((10 + bar_width / 2, top + 15), "evidence in logits", "black", font, anchor="ma")
    draw.text((10 + bar_width, top + 15), f"fake  +{scale_logits:g}", "black", font, anchor="ra")
    return np.array(canvas)


def _within(box_xyxy: Box, width: int, height: int) -> tuple[int, int, int, int]:
    left, right = sorted(int(np.clip(x, 0, width - 1)) for x in box_xyxy[0::2])
    top, bottom = sorted(int(np.clip(y, 0, height - 1)) for y in box_xyxy[1::2])
    return left, top, right, bottom


Rectangle = tuple[int, int, int, int]


def _label(
    draw: ImageDraw.ImageDraw,
    box: Rectangle,
    texts: Sequence[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: tuple[int, int, int],
    taken: Sequence[Rectangle],
) -> Rectangle:
    """The first text that finds room at its box, on a filled plate; the last one within the box if none does.

    Args:
        texts: What to say, the most first.
        taken: Where nothing may be covered: the other faces and their labels.

    Returns:
        Where the plate lies.
    """
    plates = [_plates(draw.textbbox((0, 0), text, font=font), box, draw.im.size) for text in texts]
    free = ((text, plate) for text, some in zip(texts, plates) for plate in some if not _meets(plate, taken))
    text, plate = next(free, (texts[-1], _within_corner(draw.textbbox((0, 0), texts[-1], font=font), box)))
    draw.rectangle(plate, fill=colour)
    draw.text((plate[0] + 3, plate[1] + 1), text, "white" if sum(colour) < 380 else "black", font)
    return plate


def _within_corner(words: tuple[float, float, float, float], box: Rectangle) -> Rectangle:
    wide, high = int(words[2]) + 6, int(words[3]) + 5
    return box[0], box[1], box[0] + wide, box[1] + high


def _plates(words: tuple[float, float, float, float], box: Rectangle, size_wh: tuple[int, int]) -> list[Rectangle]:
    """Where words may stand within the picture: above the box, below it, or within it if they hide little of it."""
    wide, high = int(words[2]) + 6, int(words[3]) + 5
    left = max(0, min(box[0], size_wh[0] - wide))
    plates = [(left, top, left + wide, top + high) for top in (box[1] - high, box[3]) if 0 <= top <= size_wh[1] - high]
    inside = _within_corner(words, box)
    fits = inside[2] <= box[2] and inside[3] - inside[1] <= (box[3] - box[1]) / 4
    return [*plates, inside] if fits else plates


def _meets(one: Rectangle, others: Sequence[Rectangle]) -> bool:
    return any(one[0] < x1 and x0 < one[2] and one[1] < y1 and y0 < one[3] for x0, y0, x1, y1 in others)

"""The pictures of a report: faces and frames with their heatmaps, small enough to be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.types import FaceScore, ImageReport, VideoReport
from core.explain.heatmaps import strongest_scores, with_frames
from core.explain.overlay import draw_boxes, draw_overlay
from core.faces.crop import crop_face
from core.media import encode_image, load_image

WHOLE_SIDE, CROP_SIDE, FRAME_HEIGHT = 1000, 320, 300
MAX_FACES, MAX_FRAMES = 12, 9
GAP_PX = 6
OPACITY = 0.5

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """One picture.

    Attributes:
        jpeg: Encoded.
        size_wh: In pixels.
        number: Of the face or the person; None for the whole picture.
        score: What was said of that face; None for the whole picture.
        time_s: Moment in a video; None in a picture.
    """

    jpeg: bytes
    size_wh: tuple[int, int]
    number: int | None = None
    score: FaceScore | None = None
    time_s: float | None = None


def views(report: ImageReport | VideoReport, path: Path, crop_scale: float | None) -> Iterator[View]:
    """The pictures that show why.

    Args:
        report: Faces without a map are shown plain.
        path: The very file that was analysed.
        crop_scale: The detector's `crop.scale`; None when it is not known: then no map can be placed.

    Raises:
        MediaError: The file cannot be read any more.
    """
    if isinstance(report, ImageReport):
        yield from _of_picture(report, load_image(path).rgb, crop_scale)
    else:
        strongest = sorted(strongest_scores(report), key=lambda view: -view[1].fake_probability)[:MAX_FRAMES]
        found = [
            (score, _view(_frame_and_face(rgb, score, crop_scale), score.face.track_id or 1, score, time_s))
            for time_s, score, rgb in with_frames(path, strongest)
        ]
        yield from (view for _, view in sorted(found, key=lambda pair: -pair[0].fake_probability))


def _of_picture(report: ImageReport, rgb: Rgb, crop_scale: float | None) -> Iterator[View]:
    small, factor = _fit(rgb, WHOLE_SIDE)
    yield _view(_boxed(small, report.faces, factor))
    numbered = sorted(enumerate(report.faces, start=1), key=lambda pair: -pair[1].fake_probability)[:MAX_FACES]
    for number, score in sorted(numbered, key=lambda pair: pair[0]):
        yield _view(_crop(rgb, score, crop_scale, CROP_SIDE), number, score)


def _frame_and_face(rgb: Rgb, score: FaceScore, crop_scale: float | None) -> Rgb:
    """The frame with the face boxed, and beside it that face under its map."""
    height = FRAME_HEIGHT
    width = max(1, round(rgb.shape[1] * height / rgb.shape[0]))
    shrinks = rgb.shape[0] > height
    frame = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    boxed = _boxed(frame.astype(np.uint8), [score], height / rgb.shape[0])
    gap = np.full((height, GAP_PX, 3), 255, np.uint8)
    return np.hstack([boxed, gap, _crop(rgb, score, crop_scale, height)])


def _crop(rgb: Rgb, score: FaceScore, crop_scale: float | None, side: int) -> Rgb:
    crop = crop_face(rgb, score.face, scale=crop_scale or 1.0, size=side)
    if score.activation_map is None or crop_scale is None:
        return crop
    return draw_overlay(crop, score.activation_map, opacity=OPACITY)


def _boxed(rgb: Rgb, scores: Sequence[FaceScore], factor: float) -> Rgb:
    """Boxes with numbers alone: words would be of one language."""
    return draw_boxes(rgb, [replace(one, face=one.face.scaled(factor, factor)) for one in scores], words=False)


def _fit(rgb: Rgb, side: int) -> tuple[Rgb, float]:
    factor = min(1.0, side / max(rgb.shape[:2]))
    size_wh = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    return cv2.resize(rgb, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8), factor


def _view(rgb: Rgb, number: int | None = None, score: FaceScore | None = None, time_s: float | None = None) -> View:
    plain = replace(score, activation_map=None) if score else None  # drawn already, and large
    return View(encode_image(rgb, "jpeg", 85), (rgb.shape[1], rgb.shape[0]), number, plain, time_s)

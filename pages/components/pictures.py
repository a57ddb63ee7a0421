"""Pictures for the screen: boxed, cropped, overlaid; cached small, by digest, so that a rerun takes milliseconds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.types import FaceScore, FrameReport, ImageReport, VideoReport
from core.errors import MediaError
from core.explain import draw_boxes, draw_face, draw_overlay, in_picture
from core.faces import crop_face
from core.faces.crop import crop_pixels
from core.media import encode_image, load_image, read_frame_at, read_frames_at
from core.store import StoredMedia
from pages.components.text import count

SCREEN_SIDE = 1280
CROP_SIDE = 320
THUMBNAIL_SIDE = 320

Rgb = NDArray[np.uint8]


def fit(rgb: Rgb, side: int) -> tuple[Rgb, float]:
    """The picture with no side longer than `side` pixels, and the factor by which it shrank."""
    factor = min(1.0, side / max(rgb.shape[:2]))
    if factor == 1.0:
        return rgb, 1.0
    size_wh = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    return cv2.resize(rgb, size_wh, interpolation=cv2.INTER_AREA).astype(np.uint8), factor


def _scaled(scores: Sequence[FaceScore], factor: float) -> list[FaceScore]:
    """The same faces in a picture that shrank by `factor`."""
    return [replace(score, face=score.face.scaled(factor, factor)) for score in scores]


def shape_of(size_wh: tuple[int, int] | None, *, tallest: int) -> int | str:
    """Width to show something at: all there is, or less pixels for what would be taller than `tallest`."""
    if size_wh is None or size_wh[0] >= 1.5 * size_wh[1]:
        return "stretch"
    return max(120, round(tallest * size_wh[0] / size_wh[1]))


@st.cache_data(max_entries=32, show_spinner=False)
def _small(digest: str, _path: str) -> tuple[Rgb, float]:
    return fit(load_image(_path).rgb, SCREEN_SIDE)


@st.cache_data(max_entries=16, show_spinner=False)
def preview(path: str) -> bytes:
    """A sample as it looks, small."""
    return encode_image(fit(load_image(path).rgb, 480)[0], "jpeg")


def boxed(digest: str, path: str, report: ImageReport) -> Rgb:
    """The picture with its faces boxed and numbered, at screen size."""
    rgb, factor = _small(digest, path)
    return draw_boxes(rgb, _scaled(report.faces, factor))


def overlaid(digest: str, path: str, report: ImageReport, opacity: float, scale: float) -> Rgb:
    """The picture with its faces under their maps, boxed and numbered, at screen size."""
    rgb, factor = _small(digest, path)
    return _marked(rgb, _scaled(report.faces, factor), opacity, scale)


def _marked(rgb: Rgb, scores: Sequence[FaceScore], opacity: float, scale: float) -> Rgb:
    for score in scores:
        if score.activation_map is not None:
            pixels = crop_pixels(score.face, scale)
            rgb = draw_overlay(rgb, in_picture(score), pixels=pixels, opacity=opacity)
    return draw_boxes(rgb, scores)


def boxed_png(path: Path, report: ImageReport) -> bytes:
    """The picture in its own size with its faces boxed and numbered."""
    return encode_image(draw_boxes(load_image(path).rgb, report.faces), "png")


def describe(report: ImageReport) -> str:
    return f"The picture with {count(len(report.faces), 'face')} boxed" if report.faces else "The picture"


@st.cache_data(max_entries=64, show_spinner=False)
def _crops(digest: str, _path: str, key: str, _scores: Sequence[FaceScore], scale: float) -> list[Rgb]:
    rgb = load_image(_path).rgb
    return [crop_face(rgb, score.face, scale=scale, size=CROP_SIDE) for score in _scores]


def crops(digest: str, path: str, report: ImageReport, scale: float) -> list[Rgb]:
    """The faces as the detector sees them, 320 px, in the order of the report."""
    return _crops(digest, path, report.model_sha256, report.faces, scale)


def original(item: StoredMedia) -> Rgb:
    """A picture in its own size. Raises MediaError where it cannot be read any more."""
    return load_image(item.path).rgb


def still(item: StoredMedia, report: VideoReport) -> Rgb:
    """The frame with the strongest face, in its own size. Raises MediaError where it cannot be read any more."""
    return read_frame_at(item.path, _strongest(report).time_s).rgb


def thumbnail(path: Path) -> bytes:
    return encode_image(fit(load_image(path).rgb, THUMBNAIL_SIDE)[0], "jpeg", 85)


def video_thumbnail(path: Path, report: VideoReport) -> bytes | None:
    """The frame with the strongest face, or the first; None where it cannot be read any more."""
    try:
        rgb = read_frame_at(path, _strongest(report).time_s).rgb
    except MediaError:
        return None
    return encode_image(fit(rgb, THUMBNAIL_SIDE)[0], "jpeg", 85)


def _strongest(report: VideoReport) -> FrameReport:
    return max(report.frames, key=lambda frame: max((s.fake_probability for s in frame.faces), default=-1.0))


@st.cache_data(max_entries=24, show_spinner=False)
def _frame(digest: str, _path: str, time_s: float) -> tuple[Rgb, float]:
    return fit(read_frame_at(_path, time_s).rgb, SCREEN_SIDE)


@st.cache_resource(max_entries=4, show_spinner=False)
def _frames(digest: str, _path: str, times_s: tuple[float, ...]) -> dict[float, tuple[Rgb, float]]:
    """Frames by time, from one pass through the file; shared by all tabs, and therefore not to be written to."""
    small = {time_s: fit(frame.rgb, SCREEN_SIDE) for time_s, frame in read_frames_at(_path, times_s)}
    for rgb, _ in small.values():
        rgb.flags.writeable = False
    return small


def forget() -> None:
    """Nothing of anybody's files stays in memory."""
    st.cache_data.clear()
    _frames.clear()


def _seen(item: StoredMedia, time_s: float, together: Sequence[FrameReport]) -> tuple[Rgb, float]:
    times_s = tuple(sorted(one.time_s for one in together))
    if time_s in times_s:
        return _frames(item.digest, str(item.path), times_s)[time_s]
    return _frame(item.digest, str(item.path), time_s)


def frame(
    item: StoredMedia, report: FrameReport, opacity: float, scale: float, together: Sequence[FrameReport] = ()
) -> Rgb:
    """A frame of a video with its faces under their maps, boxed and numbered by person.

    `together` are the frames that the page shows in any case: they are read in one pass.
    """
    small, factor = _seen(item, report.time_s, together)
    return _marked(small, _scaled(report.faces, factor), opacity, scale)


def frame_face(
    item: StoredMedia,
    report: FrameReport,
    score: FaceScore,
    opacity: float,
    scale: float,
    together: Sequence[FrameReport] = (),
) -> Rgb:
    """One face of a frame under its map; `together` as for `frame`."""
    small, factor = _seen(item, report.time_s, together)
    (scaled,) = _scaled([score], factor)
    return draw_face(crop_face(small, scaled.face, scale=scale, size=CROP_SIDE), score, opacity=opacity)

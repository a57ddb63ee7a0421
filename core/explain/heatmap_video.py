"""A video with what was found in it drawn onto every frame: boxes, numbers, evidence, and the timeline below."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from core.analysis.feed import FrameFeed, queue_depth
from core.analysis.types import Report, VideoReport
from core.errors import Cancelled, MediaError
from core.explain.frame_marks import lay_evidence, mark_faces
from core.explain.overlay import Picture, in_picture
from core.explain.shown_faces import ShownFace, ShownFaces
from core.explain.timeline_strip import BACKGROUND, TimelineStrip
from core.faces.crop import crop_pixels
from core.media import H264Writer, VideoFrame, VideoInfo, VideoReader, media_kind, shown_name

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

MAX_SIDE = 1280
MIN_SIDE = 480
"""Smaller clips are enlarged to this, and narrow ones get bars: words and lines must find room."""
QUALITY = 23


def check_request(files: Sequence[Path], target: Path) -> None:
    """What can be said before any work: there must be one video, and a new MP4 file to make.

    Raises:
        MediaError: Otherwise, with what to do.
    """
    kind = None
    with suppress(MediaError):  # its analysis will tell
        kind = media_kind(files[0]) if files else None
    if len(files) != 1 or kind == "image":
        raise MediaError("A heatmap video is made of one video: give one video, and nothing else.")
    if target.suffix.lower() != ".mp4":
        raise MediaError(f'A heatmap video is an MP4 file: give a name that ends in .mp4 instead of "{target}".')
    if target.exists():
        raise MediaError(f'"{target}" is already there: remove it, or give the heatmap video another name.')
    if not target.parent.is_dir():
        raise MediaError(f'The folder of "{target}" does not exist: make it, or choose another place.')


def write_heatmap_video(
    report: Report,
    source: str | Path,
    target: str | Path,
    *,
    thresholds: "Thresholds",
    crop_scale: float,
    max_side: int = MAX_SIDE,
    should_cancel: Callable[[], bool] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> tuple[str, ...]:
    """Write a copy of an analysed video with its report drawn onto it, as H.264 and AAC in MP4.

    Nothing is analysed again. Frames that were not analysed show what is known from those beside them, and say so; see
    `core.explain.shown_faces`. Each frame keeps its time stamp. Frames are read, drawn and written one by one, so that
    memory does not grow with the length of the video.

    Args:
        report: Of this video; without activation maps only boxes and timeline are drawn.
        source: The video.
        target: The MP4 file to make; one that is there is replaced, as soon as the new one is complete.
        thresholds: The detector's, for the timeline.
        crop_scale: The detector's `crop.scale`, which says what part of the picture a map covers.
        max_side: Scale the video down so that no side is longer, in pixels.
        should_cancel: Asked before each frame.
        on_progress: Called after each frame with the frames done and all frames (None if unknown).

    Returns:
        What `VideoReader.warnings` says of the source.

    Raises:
        MediaError: The source cannot be read, the target cannot be written, or the report is on a file that failed.
        Cancelled: `should_cancel` said so; nothing remains on disk.
    """
    if not isinstance(report, VideoReport) or report.verdict == "error":
        raise MediaError(f'There is no heatmap video of "{shown_name(source)}": it could not be analysed as a video.')
    with VideoReader(source, max_side=max_side) as reader:
        info = reader.info
        painter = _Painter(report, info, thresholds, crop_scale, max_side)
        audio = Path(source) if info.has_audio else None
        with (
            H264Writer(target, painter.size_wh, info.fps, audio, quality=QUALITY, uneven=True) as writer,
            FrameFeed(reader, queue_depth(info.size_wh)) as feed,
        ):
            canvas, done, time_s = None, 0, 0.0
            for done, frame in enumerate(feed, start=1):
                if should_cancel and should_cancel():
                    raise Cancelled
                canvas, time_s = painter.paint(frame), frame.time_s
                writer.write(canvas, time_s)
                if on_progress:
                    on_progress(done, None if reader.expected_frames is None else max(done, reader.expected_frames))
            if canvas is not None and not reader.warnings:
                for later_s in _held_until_the_end(info, time_s):
                    writer.write(canvas, later_s)
            if canvas is None:
                raise MediaError(f'"{shown_name(source)}" has no frame that can be decoded: copy or download it again.')
        return tuple(reader.warnings)


def _held_until_the_end(info: VideoInfo, last_s: float) -> Iterator[float]:
    """When to show the last frame once more, so that it stays as long as in the source: a slide may end a film."""
    end_s = (info.duration_s or 0.0) - 1 / info.fps
    if end_s - last_s > 0.5 / info.fps:
        yield end_s


@dataclass(frozen=True)
class _Layout:
    """Where the clip lies on the canvas: its size, its left edge, and its scale against the source."""

    size_wh: tuple[int, int]
    left: int
    factor: float

    @classmethod
    def of(cls, source_wh: tuple[int, int], max_side: int) -> "_Layout":
        longest = max(source_wh)
        factor = min(max_side / longest, max(1.0, MIN_SIDE / longest))
        width, height = (max(1, round(side * factor)) for side in source_wh)
        return cls((width, height), max(0, MIN_SIDE - width) // 2, factor)


class _Painter:
    """Draws frame after frame onto one canvas."""

    def __init__(
        self, report: VideoReport, info: VideoInfo, thresholds: "Thresholds", crop_scale: float, max_side: int
    ) -> None:
        self._layout = _Layout.of(info.size_wh, max_side)
        self._faces, self._crop_scale = ShownFaces(report.frames), crop_scale
        width, height = self._layout.size_wh
        duration_s = info.duration_s or report.duration_s
        self._strip = TimelineStrip(report, thresholds, max(width, MIN_SIDE), duration_s)
        self.size_wh = self._strip.width, height + self._strip.height
        self._canvas = np.empty((self.size_wh[1], self.size_wh[0], 3), np.uint8)
        self._canvas[:] = BACKGROUND

    def paint(self, frame: VideoFrame) -> Picture:
        """The drawn frame; the same array every time, so it must be used before the next call."""
        (width, height), left = self._layout.size_wh, self._layout.left
        scene = self._canvas[:height]
        scene[:, :left], scene[:, left + width :] = BACKGROUND, BACKGROUND  # words may have run over the bars
        clip = scene[:, left : left + width]
        clip[:] = _fitted(frame.rgb, (width, height))
        state, faces = self._faces.at(frame.time_s)
        faces = tuple(self._placed(face) for face in faces)
        for face in faces:
            if face.score.activation_map is not None:
                here = replace(face.score.face, box_xyxy=face.box_xyxy)
                lay_evidence(clip, in_picture(face.score), crop_pixels(here, self._crop_scale))
        mark_faces(scene, [_shifted(face, left) for face in faces])
        self._strip.draw(self._canvas[height:], frame.time_s, state, faces)
        return self._canvas

    def _placed(self, face: ShownFace) -> ShownFace:
        left, top, right, bottom = (edge * self._layout.factor for edge in face.box_xyxy)
        return replace(face, box_xyxy=(left, top, right, bottom))


def _shifted(face: ShownFace, x: int) -> ShownFace:
    left, top, right, bottom = face.box_xyxy
    return replace(face, box_xyxy=(left + x, top, right + x, bottom))


def _fitted(rgb: Picture, size_wh: tuple[int, int]) -> Picture:
    if (rgb.shape[1], rgb.shape[0]) == size_wh:
        return rgb
    return np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_CUBIC), np.uint8)

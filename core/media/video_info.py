"""What a video file says of itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from core.media.files import open_file
from core.media.upright import Placement

_BROWSER_AUDIO = {"aac", "mp3", "opus", "vorbis", "flac"}


@dataclass(frozen=True)
class VideoInfo:
    """What a video is.

    Attributes:
        path: The file.
        size_wh: Width and height of the frames as they are delivered: upright, with square pixels.
        fps: Average frames per second.
        duration_s: Length in seconds; None where the file does not say (some recordings by browsers).
        frame_count: How many frames to expect; None where the file does not say. An estimate in most formats.
        codec: FFmpeg's name of the video codec: "h264", "vp9", …
        rotation_deg: By how much decoded frames are turned clockwise to stand upright: 0, 90, 180 or 270.
        has_audio: Whether there is sound.
        browser_playable: Whether the browsers in use play the file as it is; otherwise `make_preview` helps.
    """

    path: Path
    size_wh: tuple[int, int]
    fps: float
    duration_s: float | None
    frame_count: int | None
    codec: str
    rotation_deg: int
    has_audio: bool
    browser_playable: bool


def describe(path: Path, container: InputContainer, stream: VideoStream, placement: Placement) -> VideoInfo:
    """Gather it from an open file whose first frame is known."""
    duration_s, fps = _duration(container, stream), frame_rate(stream)
    return VideoInfo(
        path=path,
        size_wh=placement.size_wh,
        fps=fps,
        duration_s=duration_s,
        frame_count=stream.frames or (round(duration_s * fps) if duration_s else None),
        codec=stream.codec_context.codec.canonical_name,
        rotation_deg=placement.rotation_deg,
        has_audio=bool(container.streams.audio),
        browser_playable=_is_browser_playable(container, stream, path),
    )


def frame_rate(stream: VideoStream) -> float:
    """Average frames per second; 25 where the file says nothing that can be."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((float(rate) for rate in rates if rate and 0 < rate <= 1000), 25.0)


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if container.format.name == "avi" and stream.frames:  # cut off, it only knows the length of what is there
        seconds = stream.frames / frame_rate(stream)
    elif stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif stamp := stream.metadata.get("DURATION"):  # Matroska: hours:minutes:seconds
        seconds = _clock_seconds(stamp)
    else:
        seconds = (container.duration or 0) / av.time_base
    return seconds if seconds > 0 else None


def _clock_seconds(stamp: str) -> float:
    try:
        hours, minutes, seconds = (float(part) for part in stamp.split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def _is_browser_playable(container: InputContainer, stream: VideoStream, path: Path) -> bool:
    context = stream.codec_context
    if context.pix_fmt not in ("yuv420p", "yuvj420p"):
        return False
    sounds: list[Any] = [sound.codec_context for sound in container.streams.audio]  # None for an unknown codec
    if any(sound is None or sound.codec.canonical_name not in _BROWSER_AUDIO for sound in sounds):
        return False
    codec = context.codec.canonical_name
    if "mp4" in container.format.name.split(","):
        return container.metadata.get("major_brand", "qt").strip() != "qt" and codec in ("h264", "vp9", "av1")
    with open_file(path) as file:  # one demuxer reads both, and only WebM is for browsers
        return b"webm" in file.read(64) and codec in ("vp8", "vp9", "av1")

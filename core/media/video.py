"""Videos: files -> frames as RGB uint8 (H, W, 3) with their own time stamps, in bounded memory."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from av.video.frame import VideoFrame as RawFrame
from numpy.typing import NDArray

from core.errors import MediaError
from core.media.files import shown_name
from core.media.sampling import Sampling
from core.media.seeking import FrameMap, frames_at, map_frames
from core.media.upright import Converter
from core.media.video_file import VideoFile
from core.media.video_info import VideoInfo

_EPSILON_S = 1e-6


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a video.

    Attributes:
        index: Its number in the stream, from 0.
        time_s: Seconds from the start of the video stream, from the stream's own time stamp.
        rgb: (H, W, 3) uint8, upright.
        quantiser: How coarsely H.264 compressed it and what it is predicted from, as the mean quantisation parameter
            (QP) of its macroblocks, 0 to 51; None for other codecs.
    """

    index: int
    time_s: float
    rgb: NDArray[np.uint8] = field(compare=False, repr=False)
    quantiser: float | None = field(default=None, compare=False)


class VideoReader:
    """The chosen frames of a video, in order; a context manager and an iterator.

    Frames are decoded as they are asked for: memory does not grow with the length of the video. What goes wrong on the
    way does not end in an exception but in `warnings`, complete once the iteration has ended.

    Args:
        path: The file.
        sampling: Which frames.
        max_side: Scale frames down so that no side is longer, in pixels; None for their own size.
        name: What sentences call the file; its own name when None.

    Attributes:
        info: What the video is (its `size_wh` is that before any `max_side`).
        warnings: Sentences, such as up to which second a file that is cut off decodes.
        expected_frames: About how many frames will come; None where the file does not say.

    Raises:
        MediaError: The file cannot be read, or no frame in it can be decoded.

    Example:
        >>> with VideoReader("clip.mp4", Sampling.per_second(4)) as reader:
        ...     for frame in reader:
        ...         print(frame.index, frame.time_s, frame.rgb.shape)
    """

    def __init__(
        self,
        path: str | Path,
        sampling: Sampling | None = None,
        *,
        max_side: int | None = None,
        name: str | None = None,
    ) -> None:
        self.sampling = sampling or Sampling.every_frame()
        self.warnings: list[str] = []
        self._video = VideoFile(path, name)
        self.info: VideoInfo = self._video.info
        self.expected_frames = self.sampling.expected_frames(self.info.frame_count, self.info.duration_s)
        placement = self._video.placement
        self._converter = Converter(placement.within(max_side) if max_side else placement)
        self._frames = self._convert()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        return self._frames

    def close(self) -> None:
        """Release the file and the decoder."""
        self._frames.close()
        self._video.close()

    def _convert(self) -> Generator[VideoFrame, None, None]:
        for one in self._chosen():
            yield VideoFrame(one.index, one.time_s, self._converter.rgb(one.raw), one.quantiser)

    def _chosen(self) -> "Iterator[_Decoded]":
        if self.sampling.mode == "every":
            return self._to_the_end()
        frame_map = map_frames(self._video)
        if frame_map is not None and self._video.is_seekable:
            return self._mapped(frame_map)
        if self.sampling.mode == "per_second":
            return _on_screen(self._to_the_end(), self.sampling.moments(0.0))
        length_s = frame_map.end_s(self._video) if frame_map else _measured_length(self._video.path)
        return _on_screen(self._to_the_end(), self.sampling.moments(length_s))

    def _mapped(self, frame_map: FrameMap) -> "Iterator[_Decoded]":
        end_s = frame_map.end_s(self._video)
        moments = takewhile(lambda moment: moment < end_s - _EPSILON_S, self.sampling.moments(end_s))
        indexes = sorted({frame_map.shown_at(self._video.pts(moment)) for moment in moments})
        yield from (one for _, one in _picked(self._video, frame_map, indexes))
        self._video.damaged += not frame_map.is_whole
        self._complain(end_s)

    def _to_the_end(self) -> "Iterator[_Decoded]":
        end_s = 0.0
        for one in _decoded(self._video):
            end_s = one.end_s
            yield one
        self._complain(end_s)

    def _complain(self, end_s: float) -> None:
        if complaint := self._video.complaint(end_s):
            self.warnings.append(complaint)


def read_frame_at(path: str | Path, time_s: float) -> VideoFrame:
    """The frame that is on screen at a moment: as `read_frames_at`, for one."""
    return next(read_frames_at(path, [time_s]))[1]


def read_frames_at(path: str | Path, times_s: Iterable[float]) -> Iterator[tuple[float, VideoFrame]]:
    """The frames that are on screen at some moments: for each the last one that starts at or before it.

    Before the start that is the first frame, after the end the last. In MP4, MOV, MKV and WebM they are found by seeks
    to the key frames before them; other files are decoded from their start. The file is gone through once.

    Args:
        path: The file.
        times_s: The moments in seconds, in any order.

    Yields:
        Each moment once, ascending, with its frame.

    Raises:
        MediaError: The file cannot be read, or not at one of these moments.
    """
    moments = sorted(set(times_s))
    with VideoFile(path) as video:
        converter = Converter(video.placement)
        frame_map = map_frames(video) if video.is_seekable else None
        found = _by_decoding(video, moments) if frame_map is None else _by_seeking(video, frame_map, moments)
        for moment in moments:
            reached, one = next(found, (None, None))
            if one is None or reached != moment:
                raise MediaError(f'"{shown_name(path)}" is damaged: it cannot be decoded at second {moment:.1f}.')
            yield moment, VideoFrame(one.index, one.time_s, converter.rgb(one.raw), one.quantiser)


@dataclass(frozen=True)
class _Decoded:
    index: int
    raw: RawFrame
    time_s: float
    end_s: float
    quantiser: float | None


def _decoded(video: VideoFile) -> Iterator[_Decoded]:
    for index, (raw, time_s) in enumerate(video.timed(video.frames())):
        yield _Decoded(index, raw, time_s, video.end_of(raw, time_s), video.quantiser)


def _picked(video: VideoFile, frame_map: FrameMap, indexes: Iterable[int]) -> "Iterator[tuple[int, _Decoded]]":
    """The index asked for, and its frame."""
    for asked, index, raw in frames_at(video, frame_map, indexes):
        time_s = video.seconds(int(frame_map.pts[index]))
        yield asked, _Decoded(index, raw, time_s, video.end_of(raw, time_s), video.quantiser)


def _by_seeking(video: VideoFile, frame_map: FrameMap, moments: list[float]) -> Iterator[tuple[float, _Decoded]]:
    by_index: dict[int, list[float]] = {}
    for moment in moments:
        by_index.setdefault(frame_map.shown_at(video.pts(moment)), []).append(moment)
    for asked, one in _picked(video, frame_map, by_index):
        yield from ((moment, one) for moment in by_index[asked])


def _by_decoding(video: VideoFile, moments: list[float]) -> Iterator[tuple[float, _Decoded]]:
    waiting, held = deque(moments), None
    for one in _decoded(video):
        while held is not None and waiting and waiting[0] < one.time_s - _EPSILON_S:
            yield waiting.popleft(), held
        if not waiting:
            return
        held = one
    while held is not None and waiting:
        yield waiting.popleft(), held


def _on_screen(decoded: Iterator[_Decoded], moments: Iterator[float]) -> Iterator[_Decoded]:
    """Of all frames those that are on screen at ascending moments, each once; the rest is never converted.

    Args:
        decoded: All frames.
        moments: In seconds.
    """
    moment, held = next(moments, None), None
    for one in decoded:
        if held is not None and moment is not None and moment < one.time_s - _EPSILON_S:
            yield held
            while moment is not None and moment < one.time_s - _EPSILON_S:
                moment = next(moments, None)
        held = one
    if held is not None and moment is not None and moment < held.end_s - _EPSILON_S:
        yield held


def _measured_length(path: Path) -> float:
    """Seconds, by decoding all of a video whose packets lack time stamps: what its header says may be a guess."""
    end_s = 0.0
    with VideoFile(path) as video:
        for one in _decoded(video):
            end_s = one.end_s
    return end_s

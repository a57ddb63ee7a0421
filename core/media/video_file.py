"""A video file, opened: what it says of itself, and its decoded frames in order."""

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.video.frame import PictureType
from av.video.frame import VideoFrame as RawFrame
from av.video.stream import VideoStream

from core.errors import MediaError
from core.media.container import DECODER_OPTIONS, open_container, video_stream
from core.media.files import shown_name
from core.media.images import MAX_PIXELS
from core.media.quantiser import EXPORT, quantiser_of
from core.media.upright import Placement
from core.media.video_info import VideoInfo, describe, frame_rate

logger = logging.getLogger(__name__)

_PREDICTED_FROM = (PictureType.I, PictureType.P)
_OWN_TOLERANCE_S, _SHARED_TOLERANCE_S = 0.25, 1.0


def probe_video(path: str | Path) -> VideoInfo:
    """Describe a video; decodes its first frame and no more.

    Raises:
        MediaError: There is nothing to decode in it.
    """
    with VideoFile(path) as video:
        return video.info


class VideoFile:
    """An open video, positioned at its start. Its first frame is decoded at once: without one there is no video.

    Attributes:
        info: What the video is.
        stream: PyAV's stream.
        placement: How decoded frames become upright RGB.
        damaged: How many packets or frames could not be decoded so far.
        quantiser: Of the last frame that came and that others are predicted from (see `core.media.quantiser`); those
            between say little, as they mostly repeat these. None where the decoder does not tell.
        wanted: Time stamps of the only frames that are of interest, or None for all. Others may then be left out, where
            the decoder can do without them; the wanted ones are the same to the bit.

    Raises:
        MediaError: See `core.media.files.open_file`; and no video in the file, an unknown codec, no frame.
    """

    def __init__(self, path: str | Path, name: str | None = None) -> None:
        self.path = Path(path)
        self.name = shown_name(name or path)
        self.damaged = 0
        self.quantiser: float | None = None
        self.wanted: frozenset[int] | None = None
        self._alone = False
        self._open()
        try:
            self._format = self._container.format.name
            self._ahead: Iterator[RawFrame] = self._decode()
            self._first = next(self._ahead, None)
            if self._first is None:
                # A decoder that refuses a size leaves none behind.
                large = "" if self.stream.codec_context.width else f" or has more than {MAX_PIXELS // 10**6} megapixels"
                raise MediaError(
                    f'"{self.name}" has no frame that can be decoded: it is empty, cut off or damaged{large}.'
                )
            self.fps = frame_rate(self.stream)
            start = self.stream.start_time
            if start is None or self._format == "avi":  # AVI counts from the first frame decoded, not shown
                start = self._first.pts or 0
            self._start = start
            self.placement = Placement.of(self._first, self.stream.sample_aspect_ratio)
            self.info = describe(self.path, self._container, self.stream, self.placement)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder."""
        self._first, self._ahead = None, iter(())
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self.path, self.name)
        try:
            self.stream = video_stream(self._container, self.name)
        except MediaError:
            self._container.close()
            raise
        self.stream.thread_type = "NONE" if self._alone else "AUTO"
        of_gif = {"trans_color": str(0xFFFFFF)} if self.stream.codec_context.name == "gif" else {}
        self.stream.codec_context.options = DECODER_OPTIONS | EXPORT | of_gif

    @property
    def is_seekable(self) -> bool:
        """Whether a seek in this kind of file leads to exactly the frames that decoding from the start gives."""
        container = set(self._format.split(","))
        return bool(container & {"mp4", "matroska"}) and self.info.codec in {"h264", "hevc", "vp9", "av1"}

    def frames(self) -> Iterator[RawFrame]:
        """All frames from the start, as decoded. Once for each open file."""
        first, self._first = self._first, None
        if first is not None:
            yield first
            del first  # the decoder's buffer can be used again
            yield from self._ahead

    def frames_from(self, pts: int) -> Iterator[RawFrame]:
        """The frames from the last key frame at or before `pts` (in units of the stream) on."""
        self._first = None
        return self._decode(pts)

    def seconds(self, pts: int) -> float:
        """The time of a time stamp, in seconds from the start of the video stream."""
        return float((pts - self._start) * self._time_base)

    def pts(self, time_s: float) -> float:
        """The time stamp of a moment; a millionth of a second late, so that rounding cannot miss a frame's start."""
        return (time_s + 1e-6) / self._time_base + self._start

    def timed(self, frames: Iterator[RawFrame]) -> Iterator[tuple[RawFrame, float]]:
        """Frames with their times in seconds, strictly ascending.

        The times are the stream's own. Only where a time stamp is missing or does not come after the one before is the
        frame placed one frame length later.
        """
        last = None
        for frame in frames:
            pts = frame.pts if frame.pts is not None else frame.dts
            time_s = None if pts is None else self.seconds(pts)
            if last is not None and (time_s is None or time_s <= last):
                time_s = last + 1 / self.fps
            last = max(time_s or 0.0, 0.0) if last is None else time_s
            assert last is not None
            yield frame, last

    def end_of(self, frame: RawFrame, time_s: float) -> float:
        """Until when, in seconds, a frame is on screen."""
        length = float(frame.duration * self._time_base) if frame.duration else 0.0
        return time_s + (length if length > 0 else 1 / self.fps)

    def complaint(self, end_s: float) -> str | None:
        """A sentence on damage, once all has been decoded and the last frame ended at `end_s`; None if all is well."""
        expected = self.info.duration_s
        tolerance = _OWN_TOLERANCE_S if self._has_own_duration else _SHARED_TOLERANCE_S
        if self.damaged:
            tolerance = 1.5 / self.fps
        if expected is not None and expected - end_s > tolerance:
            return f'"{self.name}" is cut off or damaged: it decodes only up to second {end_s:.1f} of {expected:.1f}.'
        if self._format == "gif" and b"\0;" not in self.path.read_bytes()[-64:]:  # its length is that of what is there
            return f'"{self.name}" is cut off: it decodes only up to second {end_s:.1f}.'
        if self.damaged:
            return f'"{self.name}" is damaged: a part of its frames could not be decoded and is left out.'
        return None

    @property
    def _time_base(self) -> float:
        return float(self.stream.time_base or 0) or 1 / self.fps

    @property
    def _has_own_duration(self) -> bool:
        """Whether the length is that of the video stream; a file's may be that of a longer sound track."""
        return bool(self.stream.duration or "DURATION" in self.stream.metadata or not self.info.has_audio)

    def _decode(self, pts: int | None = None) -> Iterator[RawFrame]:
        """Decode from a time stamp on (None: from where the file stands); what is damaged is counted and left out.

        What a decoder makes of damage depends on which of the frames that it decodes at once was quicker. So at the
        first of it the file is opened anew and goes on frame by frame: one file gives the same frames each time.
        """
        if pts is not None:
            self._container.seek(pts, stream=self.stream)
        given, last = 0, pts
        for frame in self._decoded():
            if self.damaged and not self._alone:
                break
            given, last = given + 1, frame.pts
            yield frame
        if self.damaged and not self._alone:
            self._container.close()
            self._alone, self.damaged = True, 0
            self._open()
            if last is not None and given and self.is_seekable:
                self._container.seek(last, stream=self.stream)
                yield from (frame for frame in self._decoded() if frame.pts is None or frame.pts > last)
            else:
                if pts is not None:
                    self._container.seek(pts, stream=self.stream)
                yield from islice(self._decoded(), given, None)

    def _decoded(self) -> Iterator[RawFrame]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:  # the file ends within a packet: what the decoder still holds comes last
                logger.debug("%s: %s", self.name, error)
                self.damaged += 1
                yield from self._intact(None)
                return
            if packet is None:
                return
            if packet.is_corrupt:
                self.damaged += 1
            else:
                yield from self._intact(packet)

    def _intact(self, packet: "av.Packet[VideoStream] | None") -> Iterator[RawFrame]:
        if self.wanted is not None and packet is not None and self.info.codec == "h264":
            # H.264 marks frames that no other one refers to: leaving them out saves a third to a half of the time.
            # (HEVC has such a mark as well, but frames of a higher temporal layer may still refer to them.)
            self.stream.codec_context.skip_frame = "DEFAULT" if packet.pts in self.wanted else "NONREF"
        try:
            frames = self.stream.decode(packet)
        except EOFError:
            return
        except av.FFmpegError as error:
            logger.debug("%s: %s", self.name, error)
            self.damaged += 1
            return
        for frame in frames:
            if frame.is_corrupt:
                self.damaged += 1
            else:
                if frame.pict_type in _PREDICTED_FROM and (quantiser := quantiser_of(frame)) is not None:
                    self.quantiser = quantiser
                yield frame

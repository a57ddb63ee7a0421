"""RGB frames -> H.264 in MP4, which every browser plays."""

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import av
import numpy as np
from av.video.frame import VideoFrame as RawFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from core.errors import MediaError
from core.media.files import shown_name
from core.media.sound import SoundCopy

_TIME_BASE = Fraction(1, 90_000)  # fine enough for any frame rate, and what MPEG has always used
_BT709 = 1


class H264Writer:
    """Writes frames as H.264 (yuv420p, BT.709) into an MP4 file that starts to play before it is all there.

    A context manager. The file appears under its name only when it is complete: it is written beside it and moved, and
    removed where an exception ends the writing. Sides of odd length get one more row or column, a copy of the last.

    Args:
        path: The file to make; one that is there is replaced.
        size_wh: Width and height of the frames.
        fps: Frames per second, for frames written without a time.
        audio_from: A media file whose sound is taken along as AAC, from the moment its video starts.
        quality: x264's constant rate factor: 0 (lossless) .. 51, lower is better and larger.
        uneven: Frames come at times of their own. Without B-frames, then: MP4 counts the length of a film in the order
            of decoding, and is wrong by seconds where long frames and B-frames meet.

    Raises:
        MediaError: The file cannot be written.

    Example:
        >>> with H264Writer("out.mp4", (640, 480), 25) as writer:
        ...     for rgb in frames:
        ...         writer.write(rgb)
    """

    def __init__(
        self,
        path: str | Path,
        size_wh: tuple[int, int],
        fps: float,
        audio_from: Path | None = None,
        *,
        quality: int = 20,
        uneven: bool = False,
    ) -> None:
        if min(size_wh) < 1 or not 0 < fps <= 1000:
            raise ValueError(f"size_wh must be positive and fps within 0..1000, got {size_wh} and {fps}")
        self.path, self.size_wh, self.fps = Path(path), size_wh, fps
        self._part = self.path.with_name(f".{uuid4().hex}.part")
        self._frames, self._last_pts = 0, -1
        self._sound = SoundCopy.open(audio_from)
        try:
            self._part.touch()  # PyAV opens the file with the first frame: too late to say that it cannot
            self._container = av.open(
                f"file:{os.fspath(self._part)}", "w", format="mp4", options={"movflags": "+faststart"}
            )
        except (av.FFmpegError, OSError) as error:
            self._close_sound()
            self._part.unlink(missing_ok=True)
            raise self._failure(error) from error
        self._stream = self._add_stream(quality, uneven)
        if self._sound:
            self._sound.add_to(self._container)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def write(self, rgb: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Add a frame, (H, W, 3) uint8, at its time in seconds or one frame length after the one before.

        Raises:
            ValueError: It is of another size or kind.
            MediaError: The disk is full or gone.
        """
        width, height = self.size_wh
        if rgb.dtype != np.uint8 or rgb.shape != (height, width, 3):
            raise ValueError(f"rgb must be uint8 with shape ({height}, {width}, 3), got {rgb.dtype} {rgb.shape}")
        frame = RawFrame.from_ndarray(_even(rgb), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        seconds = self._frames / self.fps if time_s is None else time_s
        frame.pts = self._last_pts = max(self._last_pts + 1, round(seconds / _TIME_BASE))
        frame.time_base = _TIME_BASE
        try:
            self._container.mux(self._stream.encode(frame))
            if self._sound:  # in step with the picture: a player, and the muxer's memory, want them side by side
                self._sound.copy_until(seconds)
        except av.FFmpegError as error:
            raise self._failure(error) from error
        self._frames += 1

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            ValueError: No frame was written.
            MediaError: The disk is full or gone.
        """
        if not self._frames:
            self.abort()
            raise ValueError(f"no frame was written to {self.path}")
        try:
            self._container.mux(self._stream.encode(None))
            if self._sound:
                self._sound.copy_until(None)
            self._container.close()
            self._part.replace(self.path)
        except (av.FFmpegError, OSError) as error:
            self.abort()
            raise self._failure(error) from error
        self._close_sound()

    def abort(self) -> None:
        """Give up: nothing remains on disk."""
        self._close_sound()
        try:
            self._container.close()
        except (av.FFmpegError, OSError):  # the trailer of a file that is thrown away
            pass
        finally:
            self._part.unlink(missing_ok=True)

    def _add_stream(self, quality: int, uneven: bool) -> "av.VideoStream":
        options = {"preset": "veryfast", "crf": str(quality)} | ({"bf": "0"} if uneven else {})
        stream = self._container.add_stream("libx264", Fraction(self.fps).limit_denominator(100_000), options)
        stream.width, stream.height = (side + side % 2 for side in self.size_wh)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.colorspace, context.color_range = _BT709, int(ColorRange.MPEG)
        context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
        return stream

    def _close_sound(self) -> None:
        if self._sound:
            self._sound.close()
            self._sound = None

    def _failure(self, error: Exception) -> MediaError:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return MediaError(f'"{shown_name(self.path)}" cannot be written ({reason}): check the folder and the disk.')


def _even(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    if height % 2 or width % 2:
        rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(rgb)

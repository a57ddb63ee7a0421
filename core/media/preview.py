"""A copy of any video that browsers play."""

from collections.abc import Callable
from pathlib import Path

from core.errors import Cancelled
from core.media.sampling import Sampling
from core.media.upright import Placement
from core.media.video import VideoReader
from core.media.writer import H264Writer


def make_preview(
    source: str | Path,
    target: str | Path,
    *,
    max_side: int = 1280,
    should_cancel: Callable[[], bool] | None = None,
    on_progress: Callable[[float, float | None], None] | None = None,
) -> tuple[str, ...]:
    """Write an H.264 and AAC copy in MP4: upright, with the time stamps and the sound of the source.

    Args:
        source: Any video that can be read.
        target: The MP4 file to make; it appears when it is complete.
        max_side: Scale down so that no side is longer, in pixels.
        should_cancel: Asked before each frame.
        on_progress: Called after each frame with the seconds done and all seconds (None if unknown).

    Returns:
        What `VideoReader.warnings` says of the source.

    Raises:
        MediaError: The source cannot be read or the target cannot be written.
        Cancelled: `should_cancel` said so; nothing remains on disk.
    """
    with VideoReader(source, Sampling.every_frame(), max_side=max_side) as reader:
        info = reader.info
        size_wh = Placement(info.size_wh).within(max_side).size_wh
        with H264Writer(target, size_wh, info.fps, Path(source) if info.has_audio else None, quality=24) as writer:
            for frame in reader:
                if should_cancel and should_cancel():
                    raise Cancelled
                writer.write(frame.rgb, frame.time_s)
                if on_progress:
                    on_progress(frame.time_s, info.duration_s)
        return tuple(reader.warnings)

"""Clips to measure with, made from the project's own sample."""

import tempfile
from pathlib import Path

import av
import cv2

from core.media import H264Writer, Sampling, VideoReader
from core.samples import sample_video

SIZE_WH = (1920, 1080)
FPS = 30
FOLDER = Path(tempfile.gettempdir()) / "deepfake-detector-bench"


def clip_1080p(seconds: int = 10) -> Path:
    """The sample as a 1080p clip of 30 frames a second, `seconds` (a multiple of ten) long; made once."""
    FOLDER.mkdir(exist_ok=True)
    ten = FOLDER / "1080p30-10s.mp4"
    if not ten.exists():
        _enlarge(sample_video().path, ten)
    if seconds == 10:
        return ten
    long = FOLDER / f"1080p30-{seconds}s.mp4"
    if not long.exists():
        _repeat(ten, long, seconds // 10)
    return long


def _enlarge(source: Path, target: Path) -> None:
    with VideoReader(source, Sampling.every_frame()) as reader, H264Writer(target, SIZE_WH, FPS, quality=23) as writer:
        written = 0
        for frame in reader:
            picture = cv2.resize(frame.rgb, SIZE_WH, interpolation=cv2.INTER_CUBIC)
            while written / FPS <= frame.time_s and written < 10 * FPS:
                writer.write(picture)
                written += 1
        for _ in range(10 * FPS - written):
            writer.write(picture)


def _repeat(source: Path, target: Path, times: int) -> None:
    """The same packets again and again, with later time stamps: nothing is encoded twice."""
    with av.open(str(target), "w") as output:
        shift, stream = 0, None
        for _ in range(times):
            with av.open(str(source)) as file:
                video = file.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                for packet in file.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    output.mux(packet)
                shift += round(10 / video.time_base)

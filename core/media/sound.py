"""The sound of one media file, re-encoded as AAC into another, in step with its picture."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from core.media.container import open_container
from core.media.files import shown_name

logger = logging.getLogger(__name__)

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


class SoundCopy:
    """Copies sound; what cannot be decoded is left out, for a picture without sound is better than none."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._source, self._stream = container, stream
        video = container.streams.video
        start = video[0].start_time if video else None
        self._start_s = float((start or 0) * (video[0].time_base or 0)) if video else 0.0
        self._pending: AudioFrame | None = None
        self._frames = self._decode()

    @classmethod
    def open(cls, path: Path | None) -> Self | None:
        """Open the first sound track of a file; None where there is none that can be decoded."""
        if path is None:
            return None
        container = open_container(Path(path), shown_name(path))
        stream = next(iter(container.streams.audio), None)
        context: Any = stream.codec_context if stream else None  # None as well for an unknown codec
        if stream is None or context is None or not context.sample_rate:
            container.close()
            return None
        return cls(container, stream)

    def close(self) -> None:
        """Release the source."""
        self._pending = None
        self._source.close()

    def add_to(self, target: OutputContainer) -> None:
        """Add a sound track to a file that is being written, before its first frame."""
        rate = self._stream.codec_context.sample_rate
        self._target = target
        self._out = target.add_stream("aac", rate if rate in _AAC_RATES else 48000)
        self._out.codec_context.layout = "mono" if self._stream.codec_context.layout.nb_channels == 1 else "stereo"
        self._out.codec_context.bit_rate = 128_000

    def copy_until(self, time_s: float | None) -> None:
        """Write the sound up to a moment of the picture, in seconds; None for all that is left."""
        while (frame := self._next()) is not None:
            start_s = frame.time - self._start_s if frame.time is not None else 0.0
            if time_s is not None and start_s > time_s:
                self._pending = frame
                return
            if start_s >= 0 and frame.time_base:
                frame.pts = round(start_s / frame.time_base)
                self._target.mux(self._out.encode(frame))
        if time_s is None:
            self._target.mux(self._out.encode(None))

    def _next(self) -> AudioFrame | None:
        pending, self._pending = self._pending, None
        return pending if pending is not None else next(self._frames, None)

    def _decode(self) -> Iterator[AudioFrame]:
        packets = self._source.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except EOFError:
                return
            except av.FFmpegError as error:
                logger.debug("sound of %s: %s", self._source.name, error)

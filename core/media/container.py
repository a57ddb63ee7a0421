"""Opening a video container with PyAV, so that nothing but this one file is read."""

import logging
import os
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.errors import MediaError
from core.media.files import open_file
from core.media.images import MAX_PIXELS

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".3gp", ".webm", ".mkv", ".avi", ".gif", ".mpg", ".mpeg", ".m2ts", ".wmv", ".flv", ".ogv")
)
# Playlists and the like make FFmpeg open other files and addresses: only formats that hold their own frames are read.
_DEMUXERS = "mov,matroska,avi,gif,mpeg,mpegts,flv,asf,ogg"
# Stops a decoder before it takes the memory.
DECODER_OPTIONS = {"max_pixels": str(MAX_PIXELS)}


def open_container(path: Path, name: str) -> InputContainer:
    """Open a media file for reading by PyAV; nothing but this one file will be read.

    Raises:
        MediaError: The file cannot be opened or is of no known format.
    """
    with open_file(path, name) as file:
        head = file.read(12)
    try:
        return av.open(  # "file:" keeps a name such as "http:…" from being taken for an address
            f"file:{os.fspath(path)}",
            "r",
            options=DECODER_OPTIONS,
            container_options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        logger.debug("cannot open %s", name, exc_info=error)
        if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
            message = "is cut off or damaged: its index (moov) is missing, so nothing can be decoded; get it again."
        else:
            message = "is not a video that can be read: give MP4, MOV, WebM, MKV, AVI or GIF."
        raise MediaError(f'"{name}" {message}') from error


def video_stream(container: InputContainer, name: str) -> VideoStream:
    """The first video stream of a file, with a decoder.

    Raises:
        MediaError: There is none, its codec is unknown, or its frames are too large.
    """
    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        what = "only sound" if container.streams.audio else "no video stream, or is cut off before it"
        raise MediaError(f'"{name}" holds {what}: give a file with a picture.')
    stream = streams[0]
    context: Any = stream.codec_context  # None for an unknown codec, whatever PyAV's types say
    if context is None:
        raise MediaError(f'"{name}" uses a video codec that is not known here: convert it to H.264 in MP4.')
    if context.width * context.height > MAX_PIXELS:
        raise MediaError(f'"{name}" has more than {MAX_PIXELS // 10**6} megapixels a frame: scale it down.')
    return stream

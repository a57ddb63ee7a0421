"""Opening a user's file: each way in which that fails is one clear `MediaError`, and no name can spoil a message."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal

from core.errors import MediaError

_MAX_NAME = 80
_JOINERS = "\u200d\ufe0f"  # they hold composed emoji together, and `str.isprintable` refuses the first of them
_IMAGE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_IMAGE_BRANDS |= {b"mif1", b"mif2", b"msf1"}
_AUDIO_BRANDS = {b"M4A ", b"M4B "}
_IMAGE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_VIDEO_SIGNATURES = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG programme stream
    b"OggS",
)
_MOVIE_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # a QuickTime file may start with any of these


def shown_name(path: str | os.PathLike[str]) -> str:
    """The last part of a path, fit to be shown in one line.

    Control characters, line breaks, right-to-left overrides and bytes that are not text become "�"; names of more
    than 80 characters are shortened in the middle.
    """
    name = os.fspath(path).replace("\\", "/").rstrip("/").rpartition("/")[2] or "file"
    name = "".join(char if char.isprintable() or char in _JOINERS else "�" for char in name)
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 31]}…{name[-30:]}"


def open_file(path: str | os.PathLike[str], name: str | None = None) -> BinaryIO:
    """Open a file for reading in binary mode, at its start; sentences call it `name`, by default its own.

    Raises:
        MediaError: It is missing, a folder, not a regular file, empty, or may not be read.
    """
    name = shown_name(name or path)
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(f'"{name}" is a folder: give an image or a video file.')
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise MediaError(f'"{name}" is not a regular file: give an image or a video file.')
        if status.st_size == 0:
            raise MediaError(f'"{name}" is empty (0 bytes): copy or download it again.')
        return Path(path).open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise MediaError(f'"{name}" does not exist: check the path.') from None
    except PermissionError:
        raise MediaError(f'"{name}" may not be read: change its permissions or copy it to another folder.') from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise MediaError(f'"{name}" cannot be opened ({_reason(error)}): check the path and the disk.') from error


def media_kind(path: str | Path) -> Literal["image", "video"] | None:
    """Say by its first bytes, not by its suffix, whether a file is an image or a video; None if it is neither.

    An animated GIF is a video, a still one an image. Nothing is decoded: a file that is one of the two may still turn
    out to be damaged.

    Raises:
        MediaError: The file is missing, empty, a folder, or may not be read.
    """
    with open_file(path) as file:
        head = file.read(12)
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return "video" if _is_animated(file) else "image"
    if head.startswith(_IMAGE_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _AUDIO_BRANDS else "image" if head[8:12] in _IMAGE_BRANDS else "video"
    if head.startswith(_VIDEO_SIGNATURES) or head[4:8] in _MOVIE_BOXES:
        return "video"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "video"
    return "video" if _is_transport_stream(path) else None


def _is_transport_stream(path: str | Path) -> bool:
    with open_file(path) as file:
        head = file.read(189)
    return len(head) == 189 and head[0] == head[188] == 0x47


def _is_animated(file: BinaryIO) -> bool:
    """Whether a GIF has a second picture: walks over its blocks, decodes nothing."""
    file.seek(10)
    flags = file.read(3)[:1]
    if flags and flags[0] & 0x80:
        file.seek(3 << ((flags[0] & 7) + 1), os.SEEK_CUR)
    pictures = 0
    while pictures < 2:
        block = file.read(1)
        if block == b",":
            pictures += 1
            flags = file.read(9)[8:]
            if flags and flags[0] & 0x80:
                file.seek(3 << ((flags[0] & 7) + 1), os.SEEK_CUR)
            file.seek(1, os.SEEK_CUR)
        elif block == b"!":
            file.seek(1, os.SEEK_CUR)
        else:  # the trailer, the end of the file, or damage
            break
        while size := file.read(1):
            if size == b"\0":
                break
            file.seek(size[0], os.SEEK_CUR)
    return pictures > 1


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else "its name is not valid"

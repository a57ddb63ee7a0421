"""Face crops on disk, named by the content of the file that they were cut from; half-written ones never count."""

import json
import os
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.facts import Memory, cut_off, file_digest, stamp
from core.errors import MediaError, SetupError
from core.faces import Box, Face, FaceFinder, find_faces_or_tight
from core.faces.any_way_up import find_any_way_up
from core.faces.crop import cut_face
from core.faces.finder import working_scales
from core.media import Sampling, VideoReader, encode_image, load_image
from core.media.files import open_file

_JPEG, _PNG, _PNG_END = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_JPEG_END, _TAIL = b"\xff\xd9", 64
_PNG_PLAIN = ((8, 0), (8, 2))  # bits and colour type: grey or RGB without transparency
_FORGOTTEN_S = 3600  # a half-written file so old is nobody's
_NO_FACE = b"no face\n"
_GRID = 32  # working pixels: on this grid the finder sees a part as it sees the whole
_REACH = 1.25  # face heights around the middle of the last face


def face_crop(
    rgb: NDArray[np.uint8], finder: FaceFinder, scale: float, tight: bool | None = None
) -> NDArray[np.uint8] | None:
    """The crop of the largest face in the picture's own pixels, or None where there is no face."""
    face = max(find_faces_or_tight(rgb, finder, tight=tight), key=lambda one: one.height, default=None)
    return None if face is None else cut_face(rgb, face, scale)


def followed_face(rgb: NDArray[np.uint8], finder: FaceFinder, last: Face | None) -> Face | None:
    """The largest face of a frame, or the one that is where it was in the frame before.

    Looked for around there first, at the scale of the whole search: a third of the time. In the videos of
    ../shared/data the box's edges are where the whole search puts them, but for .8 % of its height (median; at most
    5 %). A face that is gone, or not wholly in that part, is looked for everywhere.
    """
    height, width = rgb.shape[:2]
    if last is not None:
        scale = working_scales((width, height))[0]
        grid, reach = round(_GRID / scale), _REACH * last.height
        middle_x, middle_y = (last.box_xyxy[0] + last.box_xyxy[2]) / 2, (last.box_xyxy[1] + last.box_xyxy[3]) / 2
        left, top = (max(0, int(middle - reach) // grid * grid) for middle in (middle_x, middle_y))
        part = rgb[top : round(middle_y + reach), left : round(middle_x + reach)]
        near = max(finder.find(part, scales=[scale]), key=lambda one: one.height, default=None) if part.size else None
        if near is not None and _lies_within(near.box_xyxy, part.shape):
            return near.shifted(left, top)
    return max(find_any_way_up(rgb, finder), key=lambda one: one.height, default=None)


def usable_as_is(path: Path) -> bool:
    """Whether a picture is whole and OpenCV reads it as `load_image` does: told by its first and last bytes.

    Raises:
        MediaError: It is missing, empty or may not be read.
    """
    with open_file(path) as file:
        head = file.read(26)
        file.seek(-min(_TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
    if head.startswith(_JPEG):
        return _JPEG_END in tail
    return head.startswith(_PNG) and tuple(head[24:26]) in _PNG_PLAIN and tail.endswith(_PNG_END)


class CropCache:
    """The crops of one scale in a folder; many threads and processes may share it.

    Args:
        folder: Made if missing.
        scale: Side of a crop in face-box heights.
        finder: Finds the faces.
        memory: Remembers the digests of files, so that what is cached is not read again.

    Raises:
        SetupError: The folder cannot be made.
    """

    def __init__(self, folder: Path, scale: float, finder: FaceFinder, memory: Memory) -> None:
        self._folder, self._scale, self._finder, self._memory = folder, scale, finder, memory
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob("*.part"):
                if time.time() - left.stat().st_mtime > _FORGOTTEN_S:
                    left.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def of_picture(self, path: Path, *, tight: bool) -> Path | None:
        """The crop's file, made if it is not there yet; None without a face.

        Raises:
            MediaError: The picture cannot be read, or is cut off.
            SetupError: The crop cannot be written.
        """
        known = self._digest(path)
        target = self._folder / f"{known[:32]}-{self._scale:.3f}{'-tight' if tight else '-upright'}.png"
        none = target.with_suffix(".none")
        if _is_whole(target):
            return target
        if none.exists():
            return None
        picture = load_image(path)
        if problem := cut_off(picture):
            raise MediaError(problem)
        crop = face_crop(picture.rgb, self._finder, self._scale, tight=tight)
        if crop is None:
            _write(none, _NO_FACE)
            return None
        _write(target, encode_image(crop, "png"))
        return target

    def of_video(self, path: Path, frames: int) -> list[tuple[Path, float]]:
        """Crops from frames spread over a video, with the seconds of each; made if they are not there yet.

        Raises:
            MediaError: The video cannot be read.
            SetupError: A crop cannot be written.
        """
        stem = f"{self._digest(path)[:32]}-{self._scale:.3f}-{frames}f-upright"
        listing = self._folder / f"{stem}.json"  # written last: what it lists is there
        if (known := _listed(listing)) is not None:
            return known
        crops, face = [], None
        with VideoReader(path, Sampling.evenly(frames)) as reader:
            for frame in reader:
                face = followed_face(frame.rgb, self._finder, face)
                if face is not None:
                    target = self._folder / f"{stem}-{frame.index:06d}.png"
                    _write(target, encode_image(cut_face(frame.rgb, face, self._scale), "png"))
                    crops.append((target, frame.time_s))
        _write(listing, json.dumps([[target.name, time_s] for target, time_s in crops]).encode())
        return crops

    def _digest(self, path: Path) -> str:
        before = stamp(path)
        known = self._memory.recall("digest", before) if before else None
        if known is None:
            known = file_digest(path)
            if before:
                self._memory.keep("digest", before, known)
        return known


def _lies_within(box: Box, shape: tuple[int, ...]) -> bool:
    return box[0] > 0 and box[1] > 0 and box[2] < shape[1] and box[3] < shape[0]


def _is_whole(png: Path) -> bool:
    """Whether a PNG is there to its last bytes: a power cut can leave an empty file under a finished name."""
    try:
        with png.open("rb") as file:
            file.seek(-len(_PNG_END), os.SEEK_END)
            return file.read() == _PNG_END
    except OSError:
        return False


def _listed(listing: Path) -> list[tuple[Path, float]] | None:
    """The crops that a listing names; None unless it and all of them are there."""
    try:
        crops = [(listing.with_name(str(name)), float(time_s)) for name, time_s in json.loads(listing.read_bytes())]
    except (OSError, ValueError, TypeError):
        return None
    return crops if all(_is_whole(crop) for crop, _ in crops) else None


def _write(target: Path, data: bytes) -> None:
    """Whole or not at all.

    Raises:
        SetupError: It cannot be written.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _unwritable(target.parent, error) from error


def _unwritable(folder: Path, error: OSError) -> SetupError:
    return SetupError(
        f"Face crops cannot be kept in {folder} ({error.strerror}): make room on that disk, or name another folder "
        "with --cache."
    )

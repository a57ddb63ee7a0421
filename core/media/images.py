"""Images: files and bytes -> RGB uint8 (H, W, 3), upright; and back."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

from core.errors import MediaError
from core.media.files import open_file, shown_name

logger = logging.getLogger(__name__)

MAX_PIXELS = 100_000_000
IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".gif")
)
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "DIB", "TIFF", "GIF")  # no EPS or the like: they run programs
_SEVERAL = {"GIF", "WEBP", "PNG", "AVIF", "TIFF"}
_ORIENTATION = 0x0112
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF tags

pillow_heif.register_heif_opener()
# What Pillow says of damaged metadata helps nobody who could read it; damaged pictures raise or are reported.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# One limit instead of two: Pillow would warn from 89 megapixels on, and it checks as soon as it has read a header.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # such a picture is refused, in a sentence


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        rgb: (H, W, 3) uint8, upright; transparent parts stand on white.
        format: "JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "TIFF" or "GIF".
        warnings: Sentences: what is missing or was left out.
    """

    rgb: NDArray[np.uint8]
    format: str
    warnings: tuple[str, ...] = ()


def load_image(source: str | Path | bytes | BinaryIO, *, name: str | None = None) -> Picture:
    """Read one image in any of the formats of `Picture.format`.

    EXIF orientation is applied; 16-bit, 32-bit and floating-point samples are scaled to 8 bits; CMYK and Lab go through
    their colour profile where one is embedded; of several frames or pages the first is taken. A file that is cut off
    gives what there is, and a warning.

    Args:
        source: A path, the bytes of a file, or an open binary file that can seek.
        name: What messages call it; the file's own name by default.

    Raises:
        MediaError: It cannot be read, is not an image, or has more than `MAX_PIXELS` (found before it is decoded).
    """
    with _opened(source, name) as file:
        shown = shown_name(name or _name_of(source))
        image = _open(file, shown)
        notes = [f'"{shown}" holds several pictures: only the first was looked at.'] if _has_several(image) else []
        image_format = {"MPO": "JPEG", "DIB": "BMP"}.get(image.format or "", image.format or "")
        image, complete = _decode(image, file, shown)
        if not complete:
            notes.append(f'"{shown}" is cut off: only a part of it could be decoded, the rest is blank.')
        rgb, on_white = _to_rgb(image, shown)
        if on_white:
            notes.append(f'"{shown}" is partly transparent: it was put on white.')
        return Picture(_upright(rgb, _orientation(image)), image_format, tuple(notes))


@contextmanager
def image_header(source: str | Path | bytes | BinaryIO, *, name: str | None = None) -> Iterator[Image.Image]:
    """An image opened by Pillow and not decoded, for those who want its metadata.

    Raises:
        MediaError: As `load_image` does before it decodes.
    """
    with _opened(source, name) as file:
        yield _open(file, shown_name(name or _name_of(source)))


def encode_image(rgb: NDArray[np.uint8], format: Literal["png", "jpeg", "webp"] = "png", quality: int = 92) -> bytes:  # noqa: A002
    """Encode a (H, W, 3) uint8 RGB array; `quality` (1..100) counts for JPEG and WebP.

    Raises:
        ValueError: The array or the format is of another kind.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"rgb must be uint8 with shape (h, w, 3), got {rgb.dtype} {rgb.shape}")
    if format not in ("png", "jpeg", "webp"):
        raise ValueError(f'format must be "png", "jpeg" or "webp", got "{format}"')
    buffer = io.BytesIO()
    options: dict[str, Any] = {"compress_level": 3} if format == "png" else {"quality": quality}
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format, **options)
    return buffer.getvalue()


@contextmanager
def _opened(source: str | Path | bytes | BinaryIO, name: str | None) -> Iterator[BinaryIO]:
    if isinstance(source, (str, os.PathLike)):
        with open_file(source, name) as file:
            yield file
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    else:
        source.seek(0)
        yield source


def _name_of(source: str | Path | bytes | BinaryIO) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name else "image"


def _open(file: BinaryIO, name: str) -> Image.Image:
    if file.seek(0, os.SEEK_END) == 0:
        raise MediaError(f'"{name}" is empty (0 bytes): copy or download it again.')
    file.seek(0)
    too_large = MediaError(f'"{name}" has more than {MAX_PIXELS // 10**6} megapixels: scale it down and try again.')
    try:
        image = Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except Exception as error:  # a damaged header can make a parser raise anything
        logger.debug("cannot open %s", name, exc_info=error)
        raise MediaError(
            f'"{name}" is not an image that can be read: give JPEG, PNG, WebP, AVIF, HEIC, BMP, TIFF or GIF.'
        ) from error
    if image.width * image.height > MAX_PIXELS:
        raise too_large
    return image


def _has_several(image: Image.Image) -> bool:
    try:
        return image.format in _SEVERAL and bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 - damage behind the first picture, of whatever kind, does not matter here
        return False


def _decode(image: Image.Image, file: BinaryIO, name: str) -> tuple[Image.Image, bool]:
    """Decode the pixels; the second value is False if some are missing."""
    try:
        image.load()
        return image, True
    except Exception as error:  # decoders of damaged data raise anything from OSError to struct.error
        logger.debug("cannot decode %s", name, exc_info=error)
        rescued = _rescue(image, file)
        if rescued is None:
            raise MediaError(f'"{name}" is damaged and cannot be decoded: copy or download it again.') from error
        return rescued, False


def _rescue(image: Image.Image, file: BinaryIO) -> Image.Image | None:
    """What can be had of an image that is cut off.

    Pillow's own switch for this (LOAD_TRUNCATED_IMAGES) is global, and the pages of several users share one process.
    """
    try:
        if image.format in ("JPEG", "MPO"):
            file.seek(0)
            image = Image.open(io.BytesIO(file.read() + b"\xff\xd9"), formats=("JPEG",))  # end of image
        elif getattr(image, "_im", None) is None:
            return None
        else:
            image.tile = []  # type: ignore[attr-defined]  # nothing is left to decode: the rows before the end are there
        image.load()
        return image
    except Exception as error:  # as above
        logger.debug("cannot rescue", exc_info=error)
        return None


def _to_rgb(image: Image.Image, name: str) -> tuple[NDArray[np.uint8], bool]:
    """(H, W, 3) uint8, and whether transparent parts were put on white."""
    try:
        if image.mode.startswith("I") or image.mode == "F":
            grey = _scaled(image)
            return np.repeat(grey[:, :, None], 3, axis=2), False
        if image.mode in ("CMYK", "LAB"):
            return np.array(_through_profile(image)), False
        if image.has_transparency_data:
            image = image.convert("RGBA")
            if image.getchannel("A").getextrema() != (255, 255):
                page = Image.new("RGB", image.size, (255, 255, 255))
                page.paste(image, mask=image.getchannel("A"))
                return np.array(page), True
        return np.array(image.convert("RGB")), False
    except Exception as error:  # a palette or a profile that is damaged
        logger.debug("cannot convert %s", name, exc_info=error)
        raise MediaError(f'"{name}" has colours that cannot be read: save it again as JPEG or PNG.') from error


def _scaled(image: Image.Image) -> NDArray[np.uint8]:
    """Grey samples of more than eight bits, scaled (not clipped) to 0..255."""
    values = np.nan_to_num(np.asarray(image).astype(np.float32), posinf=0, neginf=0)
    tags: Any = getattr(image, "tag_v2", {})
    bits, signed = tags.get(_BITS, (0,))[0], tags.get(_SAMPLE_FORMAT, (1,))[0] == 2
    if image.mode == "F" or (not bits and image.mode == "I"):
        # Nothing says which value is white: the first usual one that none exceeds.
        top = float(values.max(initial=0))
        white = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    else:
        white = float(2 ** ((bits or 16) - signed) - 1)
    grey: NDArray[np.uint8] = np.clip(values * (255 / white) + 0.5, 0, 255).astype(np.uint8)
    return 255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey  # Pillow inverts "white is zero" for 8 bits only


def _through_profile(image: Image.Image) -> Image.Image:
    """CMYK or Lab to RGB by the embedded colour profile, or plainly where there is none that works."""
    rgb = ImageCms.createProfile("sRGB")
    profile: Any = ImageCms.createProfile("LAB") if image.mode == "LAB" else None
    if embedded := image.info.get("icc_profile"):
        profile = io.BytesIO(embedded)
    if profile is not None:
        try:
            return ImageCms.profileToProfile(image, profile, rgb, outputMode="RGB") or image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            logger.debug("colour profile does not work")
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation that is still to be applied, 1..8; 1 where the EXIF data is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1
    except Exception:  # noqa: BLE001 - damaged EXIF data makes the parser raise anything
        return 1


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    if rgb.flags.c_contiguous:
        return rgb
    upright = np.empty(rgb.shape, np.uint8)
    for channel in range(3):  # by channel: half the time of copying pixels of three bytes
        upright[..., channel] = rgb[..., channel]
    return upright

"""What a picture's file says of itself: EXIF, PNG texts, XMP and how it was compressed. Nothing is decoded.

Every value is a stranger's: of a wrong type, endless, or written to break something. Each is read on its own, and what
fails is left out and said.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from core.media.images import image_header
from core.provenance.clean import clean, cleaned
from core.provenance.programs import kind_of
from core.provenance.types import Fact, Note, source_note

Base = ExifTags.Base
ISO_SPEED = 34855
MAX_XMP_BYTES = 1 << 20
_XMP_TOOL = re.compile(rb"CreatorTool(?:=\"|>)([^\"<]{1,200})")
_XMP_SOURCE = re.compile(rb"DigitalSourceType(?:=\"|>)[^\"<]{0,120}/([A-Za-z]{1,60})[\"<]")
_XMP_EDITS = re.compile(rb"stEvt:action")
_DAY = re.compile(r"^(\d{4}):(\d\d):(\d\d)")
_RECIPES = ("parameters", "prompt", "workflow", "sd-metadata", "invokeai_metadata", "dream")
"""PNG texts in which the usual front ends of image generators keep what a picture was made from."""

# The luminance table of the JPEG standard (annex K), by which nearly all encoders are scaled.
_STANDARD = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


@dataclass
class _Found:
    facts: list[Fact] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    damaged: bool = False

    def fact(self, key: str, value: Any) -> str:
        """Remember a value if there is any; returns it cleaned."""
        line = clean(value)
        if line:
            self.facts.append(Fact(key, line))
        return line

    def get(self, read: Callable[[], Any]) -> Any:
        """What `read` gives; None, and the file counts as damaged, where it fails."""
        try:
            return read()
        except Exception:  # noqa: BLE001  damaged metadata make their parsers raise anything
            self.damaged = True
            return None


def picture_facts(path: str | Path) -> tuple[tuple[Fact, ...], tuple[Note, ...]]:
    """Facts and notes of a picture's file.

    Raises:
        MediaError: It cannot be opened as a picture.
    """
    found = _Found()
    with image_header(path) as image:
        found.fact("format", {"MPO": "JPEG"}.get(image.format or "", image.format))
        found.fact("size", f"{image.width} × {image.height}")
        found.fact("jpeg_quality", found.get(lambda: _jpeg_quality(image)))
        exif = found.get(image.getexif)
        tags: dict[int, Any] = dict(exif or {}) | dict(found.get(lambda: exif.get_ifd(ExifTags.IFD.Exif)) or {})
        place = found.get(lambda: exif.get_ifd(ExifTags.IFD.GPSInfo)) or {}
        xmp = found.get(lambda: _xmp(image)) or b""
        info = dict(image.info)
    _camera(found, tags)
    _dates(found, tags)
    _place(found, place)
    _programs(found, tags, info, xmp)
    _sources(found, xmp)
    if found.damaged:
        found.notes.append(Note("damaged"))
    return tuple(found.facts), tuple(found.notes)


def _camera(found: _Found, tags: dict[int, Any]) -> None:
    maker, model = clean(tags.get(Base.Make), 60), clean(tags.get(Base.Model), 60)
    camera = model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()
    found.fact("camera", camera)
    found.fact("lens", tags.get(Base.LensModel))
    found.fact("exposure", _exposure(tags))
    for key, tag in (("author", Base.Artist), ("rights", Base.Copyright), ("description", Base.ImageDescription)):
        found.fact(key, tags.get(tag))
    found.notes.append(Note("camera", {"camera": camera}) if camera else Note("no_camera"))


def _exposure(tags: dict[int, Any]) -> str:
    seconds, aperture, speed = (clean(tags.get(tag), 12) for tag in (Base.ExposureTime, Base.FNumber, ISO_SPEED))
    with suppress(ValueError, ZeroDivisionError, OverflowError):
        seconds = f"1/{1 / float(seconds):.0f}" if 0 < float(seconds) < 0.5 else seconds
    parts = [f"{seconds} s" if seconds else "", f"f/{aperture}" if aperture else "", f"ISO {speed}" if speed else ""]
    return ", ".join(filter(None, parts))


def _dates(found: _Found, tags: dict[int, Any]) -> None:
    taken = found.fact("taken", _date(tags.get(Base.DateTimeOriginal)))
    changed = found.fact("changed", _date(tags.get(Base.DateTime)))
    if taken and changed and taken != changed:
        found.notes.append(Note("dates_differ", {"taken": taken, "changed": changed}))


def _date(value: Any) -> str:
    """EXIF writes 2024:05:01; everybody else 2024-05-01."""
    return _DAY.sub(r"\1-\2-\3", clean(value))


def _place(found: _Found, place: dict[int, Any]) -> None:
    north = _degrees(place.get(ExifTags.GPS.GPSLatitude), place.get(ExifTags.GPS.GPSLatitudeRef), "S")
    east = _degrees(place.get(ExifTags.GPS.GPSLongitude), place.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if north is not None and east is not None:
        found.fact("place", f"{north:.5f}, {east:.5f}")
        found.notes.append(Note("place"))


def _degrees(value: Any, side: Any, negative: str) -> float | None:
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        degrees, minutes, seconds = (float(part) for part in value)
        total = degrees + minutes / 60 + seconds / 3600
        if abs(total) <= 180:  # false for what is not a number
            return -total if clean(side) == negative else total
    return None


def _programs(found: _Found, tags: dict[int, Any], info: dict[Any, Any], xmp: bytes) -> None:
    named = [tags.get(Base.Software), info.get("Software"), info.get("software"), *_XMP_TOOL.findall(xmp)[:4]]
    programs = cleaned(named)
    found.fact("software", ", ".join(programs))
    for program in programs:
        found.notes.append(Note(kind_of(program) or "program", {"program": program}))
    recipe = next((key for key in _RECIPES if isinstance(info.get(key), str)), None)
    if recipe:
        found.fact("recipe", info[recipe])
        found.notes.append(Note("recipe", {"field": recipe}))
    found.fact("comment", info.get("comment") or info.get("Comment") or tags.get(Base.UserComment))


def _sources(found: _Found, xmp: bytes) -> None:
    for source in cleaned(_XMP_SOURCE.findall(xmp)[:4]):
        found.notes.append(source_note(source))
    if edits := len(_XMP_EDITS.findall(xmp)):
        found.notes.append(Note("history", {"count": str(edits)}))


def _xmp(image: Image.Image) -> bytes:
    """The XMP packet, of which no more than a mebibyte is looked at; by pattern, for an XML parser can be blown up."""
    packets: Iterator[Any] = (image.info.get(key) for key in ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp"))
    packet = next((packet for packet in packets if packet), b"")
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else bytes(packet)
    return data[:MAX_XMP_BYTES]


def _jpeg_quality(image: Image.Image) -> str:
    """The usual quality, 1..100, whose tables come nearest; "" for other formats."""
    tables: dict[int, Any] = getattr(image, "quantization", None) or {}
    if 0 not in tables or len(tables[0]) != 64:
        return ""
    # Sums, so that the order in which a table is stored does not matter
    share = 100 * sum(tables[0]) / sum(_STANDARD)
    quality = (200 - share) / 2 if share <= 100 else 5000 / share
    return f"{min(100, max(1, round(quality)))}"

"""What a video's container says of itself: format, codec, times, and the programs that left their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.media.container import open_container, video_stream
from core.media.files import shown_name
from core.provenance.clean import clean, cleaned
from core.provenance.programs import kind_of
from core.provenance.types import Fact, Note

PROGRAM_TAGS = ("encoder", "software", "com.apple.quicktime.software", "handler_name", "writing_application", "tool")
DATE_TAGS = ("com.apple.quicktime.creationdate", "creation_time", "date")
PLACE_TAGS = ("com.apple.quicktime.location.iso6709", "location")
MAKERS, MODELS = ("com.apple.quicktime.make", "make"), ("com.apple.quicktime.model", "model", "com.android.model")
_USUAL_HANDLERS = (
    "videohandler",
    "soundhandler",
    "core media video",
    "core media audio",
    "gpac",
    "vide",
    "video media",
)


def video_facts(path: str | Path) -> tuple[tuple[Fact, ...], tuple[Note, ...]]:
    """Facts and notes of a video's file.

    Raises:
        MediaError: It cannot be opened as a video.
    """
    name = shown_name(path)
    with open_container(Path(path), name) as container:
        stream = video_stream(container, name)
        tags = {str(key).lower(): value for key, value in container.metadata.items()}
        programs = cleaned(_programs(tags, [one.metadata for one in container.streams]))
        facts = dict(_stream_facts(container, stream))
    camera = " ".join(filter(None, (_first(tags, MAKERS), _first(tags, MODELS))))
    place = _first(tags, PLACE_TAGS)
    facts |= {
        "camera": camera,
        "taken": _first(tags, DATE_TAGS),
        "place": place,
        "software": ", ".join(programs),
        "title": clean(tags.get("title")),
        "author": clean(tags.get("artist")),
        "comment": clean(tags.get("comment") or tags.get("description")),
    }
    notes = [Note("camera", {"camera": camera}) if camera else Note("no_camera")]
    notes += [Note(kind_of(program) or "program", {"program": program}) for program in programs]
    notes += [Note("place")] if place else []
    return tuple(Fact(key, value) for key, value in facts.items() if value), tuple(notes)


def _stream_facts(container: Any, stream: Any) -> Iterator[tuple[str, str]]:
    yield "format", _format(container)
    yield "size", f"{stream.codec_context.width} × {stream.codec_context.height}"
    yield "codec", clean(stream.codec_context.codec.canonical_name)
    if container.bit_rate:
        yield "bit_rate", f"{container.bit_rate / 1e6:.2f} Mbit/s"
    sound = next(iter(container.streams.audio), None)
    if sound is not None and sound.codec_context is not None:
        yield "sound", clean(sound.codec_context.codec.canonical_name)


def _format(container: Any) -> str:
    """Of the family of MP4, which one reader takes for all of QuickTime's, the member that the file says it is."""
    brand = clean(container.metadata.get("major_brand"))
    if "mp4" not in container.format.name.split(",") or not brand or brand.startswith("qt"):
        return clean(container.format.long_name)
    return f"{'3GP' if brand.startswith('3g') else 'MP4'} ({brand})"


def _programs(tags: dict[str, Any], streams: list[Any]) -> Iterator[str]:
    """Programs named in the file; the names that every second file bears are left out."""
    for place in (tags, *streams[:4]):
        for key in PROGRAM_TAGS:
            program = clean(place.get(key) or place.get(key.upper()))
            if program and not program.lower().startswith(_USUAL_HANDLERS):
                yield program


def _first(tags: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((line for key in keys if (line := clean(tags.get(key)))), "")

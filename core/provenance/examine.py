"""All that a file says of itself, in one call."""

from pathlib import Path

from core.errors import MediaError
from core.media.files import media_kind, shown_name
from core.provenance.container import video_facts
from core.provenance.credentials import read_credentials
from core.provenance.exif import picture_facts
from core.provenance.types import Findings


def examine(path: str | Path) -> Findings:
    """Metadata and Content Credentials of an image or a video; offline, and the pixels are not looked at.

    Raises:
        MediaError: The file is missing, may not be read, or is neither an image nor a video.
    """
    kind = media_kind(path)
    if kind is None:
        raise MediaError(f'"{shown_name(path)}" is neither an image nor a video that can be read here.')
    facts, notes = picture_facts(path) if kind == "image" else video_facts(path)
    return Findings(read_credentials(path), facts, notes)

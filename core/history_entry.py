"""What the history lists of one analysis: the part of a report that is small enough to be read for all at once."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.analysis.types import ImageReport, Verdict, VideoReport


@dataclass(frozen=True)
class HistoryEntry:
    """One analysis of one file.

    Attributes:
        digest, settings_key: What `load_report` wants.
        analysed_at: Seconds since 1970, UTC.
        sampling: Which frames of a video were looked at, in words; empty for pictures and for what an older app wrote.
        thumbnail_path: A small picture, None when none was saved.
        media_path: The file, None when it is no longer there.
    """

    digest: str
    settings_key: str
    name: str
    kind: str
    verdict: Verdict
    fake_probability: float | None
    model: str
    analysed_at: float
    sampling: str = ""
    thumbnail_path: Path | None = None
    media_path: Path | None = None


def entry_fields(report: ImageReport | VideoReport, settings_key: str, name: str) -> dict[str, Any]:
    """All of an entry that is written down; where its files are is found when it is read."""
    return {
        "settings_key": settings_key,
        "name": name,
        "kind": "image" if isinstance(report, ImageReport) else "video",
        "verdict": report.verdict,
        "fake_probability": None if report.fake_probability is None else float(report.fake_probability),
        "model": report.model,
        "analysed_at": time.time(),
        "sampling": report.sampling if isinstance(report, VideoReport) else "",
    }

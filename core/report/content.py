"""All that a report tells, gathered once, in no language yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.analysis.types import ImageReport, VideoReport
from core.disk import digest_file
from core.errors import MediaError
from core.provenance import Findings, examine
from core.report.pictures import View, views

if TYPE_CHECKING:
    from core.detector import Detector
    from core.detector.spec import DetectorSpec

FileState = Literal["same", "changed", "gone"]


@dataclass(frozen=True)
class Content:
    """What is known.

    Attributes:
        report: The analysis; its `path` is how the report calls the file.
        sha256: Of the file as it was analysed.
        size_bytes: Of the file as it was analysed.
        analysed_at: When, with a time zone; None when nobody wrote it down.
        made_at: When this report was made.
        file: Whether the file is still the one that was analysed.
        sha256_now: Of a file that changed.
        spec: Of the detector that gave the result; None when that is not at hand.
        engine: What ran it, and in which precision.
        findings: What the file says of itself; None where the file is not the same any more.
        views: Pictures with heatmaps; none where the file is not the same any more.
    """

    report: ImageReport | VideoReport
    sha256: str
    size_bytes: int
    analysed_at: datetime | None
    made_at: datetime
    file: FileState = "same"
    sha256_now: str = ""
    spec: DetectorSpec | None = None
    engine: str = ""
    findings: Findings | None = None
    views: tuple[View, ...] = ()


def gather(
    report: ImageReport | VideoReport,
    path: str | Path,
    *,
    sha256: str,
    size_bytes: int,
    detector: Detector | None = None,
    analysed_at: datetime | None = None,
    made_at: datetime | None = None,
) -> Content:
    """Look at the file again and put together what a report tells.

    Args:
        report: With activation maps, or else the pictures come without heatmaps.
        path: Where the file lay when it was analysed. One that is gone, changed or no longer readable raises nothing:
            the report then says so in one sentence and does without pictures and metadata.
        sha256: Of the file as it was analysed, hexadecimal.
        size_bytes: Of the file as it was analysed.
        detector: The one at hand; its settings are told only if it is the one that gave the result.
        analysed_at, made_at: With a time zone; `made_at` is now by default.
    """
    same_detector = detector is not None and detector.sha256 == report.model_sha256
    content = Content(
        report=report,
        sha256=sha256,
        size_bytes=size_bytes,
        analysed_at=analysed_at,
        made_at=made_at or datetime.now(UTC),
        spec=detector.spec if detector and same_detector else None,
        engine=f"{detector.engine}, {detector.precision}" if detector and same_detector else "",
    )
    try:
        now, _ = digest_file(Path(path))
        if now != sha256:
            return replace(content, file="changed", sha256_now=now)
        scale = content.spec.crop.scale if content.spec else None
        return replace(content, findings=examine(path), views=tuple(views(report, Path(path), scale)))
    except MediaError:
        return replace(content, file="gone")

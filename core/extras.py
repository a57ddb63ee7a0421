"""What is made of a file beside its record: metadata, heatmaps, a heatmap video, a report. What fails is told of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from core.errors import MediaError, UserError
from core.explain.heatmap_video import check_request, write_heatmap_video
from core.explain.heatmaps import write_heatmaps
from core.provenance import examine
from core.report import Reporter

if TYPE_CHECKING:
    from core.analysis.types import ImageReport, VideoReport
    from core.detector.engine import Detector


class Extras:
    """Made before the analysis: a report has the hash of what is analysed, and what cannot be is said at once.

    Args:
        files: To be analysed.
        metadata: Whether a record has what the file says of itself; None there where it cannot be read.
        heatmaps: A folder for pictures of the evidence, which a record names; made if missing.
        film: A heatmap video, of the one file.
        report: A report, on the one file.
        language: Of that report.

    Raises:
        UserError: It cannot be made of these files, or not there.
        OSError: The folder cannot be made.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        metadata: bool = False,
        heatmaps: Path | None = None,
        film: Path | None = None,
        report: Path | None = None,
        language: str = "en",
    ) -> None:
        self._metadata, self._heatmaps, self._film = metadata, heatmaps, film
        if film:
            check_request(files, film)
        self._reporter = Reporter(files, report, language) if report else None
        if heatmaps:
            heatmaps.mkdir(parents=True, exist_ok=True)

    @property
    def drawn(self) -> bool:
        """Whether activation maps are needed."""
        return any((self._heatmaps, self._film, self._reporter))

    def make(self, report: ImageReport | VideoReport, detector: Detector) -> tuple[dict[str, Any], list[str]]:
        """All of it for one file.

        Returns:
            What its record gets, and a sentence for each thing that could not be made.
        """
        record: dict[str, Any] = {}
        problems: list[str] = []
        if self._metadata:
            record["metadata"] = _metadata(report)
        try:
            if self._heatmaps:
                record["heatmaps"] = []
                written = write_heatmaps(report, self._heatmaps, crop_scale=detector.spec.crop.scale)
                record["heatmaps"] = [str(path) for path in written]
        except (MediaError, OSError) as error:
            problems.append(f"no heatmap: {error}")
        try:
            if self._film:
                _write_film(report, detector, self._film)
        except (MediaError, OSError) as error:
            problems.append(f"no heatmap video: {error}")
        try:
            if self._reporter:
                self._reporter.write(report, detector)
        except UserError as error:
            problems.append(f"no report: {error}")
        return record, problems


def _metadata(report: ImageReport | VideoReport) -> dict[str, Any] | None:
    try:
        return examine(report.path).to_dict()
    except MediaError:
        return None


def _write_film(report: ImageReport | VideoReport, detector: Detector, target: Path) -> None:
    spec = detector.spec
    with tqdm(desc="heatmap video", unit="frame", disable=not sys.stderr.isatty(), leave=False) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        write_heatmap_video(
            report,
            report.path,
            target,
            thresholds=spec.limits(video=True),
            crop_scale=spec.crop.scale,
            on_progress=show,
        )

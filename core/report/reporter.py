"""A report on a file that is about to be analysed, for command lines."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.analysis.types import ImageReport, VideoReport
from core.detector import Detector
from core.disk import digest_file
from core.errors import MediaError, UserError
from core.report.content import gather
from core.report.write import check_place, write_report


class Reporter:
    """Writes the report on one file; made before the analysis, for the hash must be that of what is analysed.

    Args:
        files: The one file.
        place: Where the report goes; ends in .html or .pdf.
        language: One of `core.words.LANGUAGES`.

    Raises:
        UserError: What can be said before the work: several files, or a place that cannot be written to.
    """

    def __init__(self, files: Sequence[Path], place: Path, language: str) -> None:
        if len(files) != 1:
            raise UserError(f"A report is about one file, and {len(files)} were given: call once for each.")
        check_place(place)
        if place.resolve() == files[0].resolve():
            raise UserError(f'"{place}" is the file to be analysed: choose another name for the report.')
        self._place, self._language = place, language
        self._stamp: tuple[str, int] | None = None
        with suppress(MediaError):  # the analysis will say so
            self._stamp = digest_file(files[0])

    def write(self, report: ImageReport | VideoReport, detector: Detector) -> None:
        """Write the report.

        Raises:
            UserError: The file could not be read, or the place cannot be written to any more.
        """
        if self._stamp is None or report.verdict == "error":
            raise UserError("the file could not be read.")
        sha256, size_bytes = self._stamp
        now = datetime.now(UTC)
        content = gather(
            report, report.path, sha256=sha256, size_bytes=size_bytes, detector=detector, analysed_at=now, made_at=now
        )
        write_report(content, self._place, self._language)

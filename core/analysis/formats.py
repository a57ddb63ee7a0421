"""Reports written down: as JSON, JSON lines, CSV and a table to read. Records arrive one by one."""

import csv
import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TextIO

from core.analysis.types import ImageReport, Report, VideoReport
from core.analysis.verdict import VERDICT_WORDS, percent

CSV_COLUMNS = (
    "path",
    "kind",
    "verdict",
    "fake_probability",
    "faces",
    "tracks",
    "stretches",
    "frames",
    "reasons",
    "warnings",
    "error",
    "model",
    "model_sha256",
    "seconds",
)
TABLE_HEAD = ("path", "verdict", "fake probability", "worst", "reasons")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet computes (OWASP, "CSV injection")
MAX_REASONS = 3  # in the table; the records hold all
_JOINERS = "\u200d\ufe0f"  # hold composed emoji together


class Writer(AbstractContextManager["Writer"]):
    """Writes reports to a text stream. Used as a context; leaving it writes what must stand at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @abstractmethod
    def write(self, report: Report, more: Mapping[str, Any] | None = None) -> None:
        """Take in one report; `more` is added to its record where records are whole (JSON)."""

    def close(self) -> None:
        """Write what stands at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class JsonLines(Writer):
    """One record a line, flushed at once."""

    def write(self, report: Report, more: Mapping[str, Any] | None = None) -> None:
        self._stream.write(_json(record_of(report) | dict(more or {})) + "\n")
        self._stream.flush()


class JsonList(Writer):
    """One list of records."""

    _count = 0

    def write(self, report: Report, more: Mapping[str, Any] | None = None) -> None:
        self._stream.write(("[\n" if not self._count else ",\n") + _json(record_of(report) | dict(more or {})))
        self._count += 1

    def close(self) -> None:
        self._stream.write("\n]\n" if self._count else "[]\n")


class Csv(Writer):
    """One row a file; what is a list in the record is its length here, and sentences are joined."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._rows = csv.DictWriter(stream, CSV_COLUMNS, lineterminator="\n")
        self._rows.writeheader()

    def write(self, report: Report, more: Mapping[str, Any] | None = None) -> None:
        self._rows.writerow(self._row(report))

    def _row(self, report: Report) -> dict[str, Any]:
        return csv_row(report)


class SpreadsheetCsv(Csv):
    """For a spreadsheet: a file name that it would compute as a formula (`=…`) gets an apostrophe before it."""

    def _row(self, report: Report) -> dict[str, Any]:
        row = csv_row(report)
        texts = {key: f"'{text}" for key, text in row.items() if isinstance(text, str) and text.startswith(FORMULAS)}
        return row | texts


class Table(Writer):
    """Aligned columns for reading, and a line that counts the verdicts."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._stopped = False
        self._rows: list[tuple[str, ...]] = []
        self._verdicts: Counter[str] = Counter()

    def write(self, report: Report, more: Mapping[str, Any] | None = None) -> None:
        self._rows.append(table_row(report))
        self._verdicts[VERDICT_WORDS[report.verdict]] += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = kind is not None
        super().__exit__(kind, error, trace)

    def close(self) -> None:
        if not self._rows:
            return
        widths = [max(len(row[i]) for row in [TABLE_HEAD, *self._rows]) for i in range(len(TABLE_HEAD))]
        for row in (TABLE_HEAD, [*("-" * width for width in widths[:-1]), "-------"], *self._rows):
            self._stream.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() + "\n")
        counts = ", ".join(f"{count} {words}" for words, count in self._verdicts.most_common())
        looked_at = f"{len(self._rows)} {'file' if len(self._rows) == 1 else 'files'}"
        self._stream.write(f"\n{'Stopped after ' if self._stopped else ''}{looked_at}: {counts}\n")


FORMATS: dict[str, type[Writer]] = {"table": Table, "json": JsonList, "jsonl": JsonLines, "csv": Csv}


def record_of(report: Report) -> dict[str, Any]:
    """The record of a report, as `to_dict` gives it."""
    if not isinstance(report, ImageReport | VideoReport):
        raise TypeError(f"report must be an ImageReport or a VideoReport, got {type(report).__name__}")
    return report.to_dict()


def csv_row(report: Report) -> dict[str, Any]:
    """The record with plain values only."""
    record = record_of(report)
    row = {key: record.get(key) for key in CSV_COLUMNS}
    row["stretches"] = sum(len(track["stretches"]) for track in record["tracks"]) if "tracks" in record else None
    for key in ("faces", "tracks", "frames"):
        row[key] = len(record[key]) if key in record else None
    for key in ("reasons", "warnings"):
        row[key] = " ".join(record[key])
    return row


def table_row(report: Report) -> tuple[str, ...]:
    """What a person reads of a report; the path with control characters escaped."""
    probability = "" if report.fake_probability is None else percent(report.fake_probability)
    return (
        printable(report.path),
        VERDICT_WORDS[report.verdict],
        probability,
        _worst(report),
        _sentences(report),
    )


def printable(text: str) -> str:
    """Text for one line of a terminal: line breaks, escapes and bytes that are not text are spelled out."""
    return "".join(
        char if char.isprintable() or char in _JOINERS else char.encode("unicode_escape").decode() for char in text
    )


def _worst(report: Report) -> str:
    if isinstance(report, ImageReport) and report.faces:
        place = next((i for i, f in enumerate(report.faces, 1) if _decides(f, report)), 1)
        return f"face {place} of {len(report.faces)}"
    if isinstance(report, VideoReport) and report.tracks:
        track = next((t for t in report.tracks if _decides(t, report)), report.tracks[0])
        return f"person {track.id}, {track.start_s:.1f}-{track.end_s:.1f} s"
    return ""


def _decides(part: Any, report: Report) -> bool:
    return part.verdict == report.verdict and part.fake_probability == report.fake_probability


def _sentences(report: Report) -> str:
    reasons = [*report.reasons, *report.warnings, *([report.error] if report.error else [])]
    more = [f"(and {len(reasons) - MAX_REASONS} more)"] if len(reasons) > MAX_REASONS else []
    return printable(" ".join(reasons[:MAX_REASONS] + more))


def _json(record: dict[str, Any]) -> str:
    # ASCII with escapes: no terminal's encoding and no broken file name can stop it
    return json.dumps(record, allow_nan=False)

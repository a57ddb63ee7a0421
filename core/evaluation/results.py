"""Evaluations on disk: those that ship with detectors, and those that were made on this machine."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.detector.library import DetectorEntry
from core.errors import SetupError
from core.evaluation.cache import evaluations_folder
from core.evaluation.document import Document, to_json
from core.evaluation.shape import moment_of
from core.home import make_folder

SHIPPED_FILES = "evaluation*.json"
"""In a detector's folder: what was measured of it, without names of files; evaluation.json is opened first."""


@dataclass(frozen=True)
class StoredEvaluation:
    """One that can be opened.

    Attributes:
        path: Its file.
        detector: Name of the detector that it came with; None for one made on this machine.
        modified_ns: When it was written.
    """

    path: Path
    detector: str | None
    modified_ns: int


def shipped(entries: Iterable[DetectorEntry]) -> list[StoredEvaluation]:
    """Those in the detectors' own folders."""
    folders = [entry for entry in entries if entry.path.is_dir()]
    # by stem, for "-" comes before "."
    found = [(path, entry.name) for entry in folders for path in sorted(entry.path.glob(SHIPPED_FILES), key=_stem)]
    return [StoredEvaluation(path, name, path.stat().st_mtime_ns) for path, name in found if path.is_file()]


def _stem(path: Path) -> str:
    return path.stem


def finished() -> list[StoredEvaluation]:
    """Those made on this machine, the latest first."""
    paths = [path for path in evaluations_folder().glob("*.json") if path.is_file()]
    found = [StoredEvaluation(path, None, path.stat().st_mtime_ns) for path in paths]
    return sorted(found, key=lambda one: (one.modified_ns, one.path.name), reverse=True)


def keep(document: Document) -> Path:
    """Store one that was made on this machine, whole or not at all.

    Raises:
        SetupError: The folder cannot be written to.
    """
    folder = make_folder(evaluations_folder())
    words = re.sub(r"[^\w-]+", "-", f"{document['detector']['name']}-{document['data']['name']}")[:60].strip("-")
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{words}-{uuid.uuid4().hex[:4]}.json"
    part = path.with_suffix(".part")
    try:
        part.write_text(to_json(document), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SetupError(
            f"Nothing can be written to {folder} ({error.strerror}): make room on that disk, or set DEEPFAKE_HOME to "
            "another folder."
        ) from error
    return path


def remove(evaluation: StoredEvaluation) -> None:
    """Forget one that was made on this machine; one that shipped stays."""
    if evaluation.detector is None:
        evaluation.path.unlink(missing_ok=True)


def titles_of(found: Sequence[tuple[StoredEvaluation, Document]], moment: Callable[[float], str]) -> list[str]:
    """For people, one line each and no two alike: where they would be, faces tell them apart, or else a number.

    Args:
        found: Evaluations with their documents, the latest first.
        moment: Seconds since 1970 in words, on the clock of the one who reads them.
    """
    plain = [_title(one, document, moment) for one, document in found]
    titles = [
        f"{title}, {document['figures']['all']['real'] + document['figures']['all']['fake']} faces"
        if plain.count(title) > 1
        else title
        for title, (_, document) in zip(plain, found, strict=True)
    ]
    # counted from the oldest: a newer one takes no older one's name
    again = [titles[at:].count(title) for at, title in enumerate(titles)]
    return [f"{title}, no. {number}" if number > 1 else title for title, number in zip(titles, again, strict=True)]


def _title(evaluation: StoredEvaluation, document: Document, moment: Callable[[float], str]) -> str:
    detector, data = document["detector"]["name"], document["data"]
    against = f" against {document['comparison']['other']['name']}" if document.get("comparison") else ""
    whose = "came with the detector" if evaluation.detector else moment(moment_of(document))
    return f"{detector}{against} on {data['name']}, {data['split']} ({whose})"

"""What was computed for a file, kept on disk: a line of JSON each, so that a run that was stopped goes on there."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.analysis.types import RECIPE
from core.errors import SetupError
from core.home import home_folder, make_folder

if TYPE_CHECKING:
    from core.detector.engine import Detector

KEPT = 12
"""Caches that are kept; the least used goes when another is opened."""

log = logging.getLogger(__name__)


def evaluations_folder() -> Path:
    """Where finished evaluations and caches lie; it may not exist yet."""
    return home_folder() / "evaluations"


def stamp(path: Path) -> str:
    """Names a file and its state: another one after each change, and no path that could be read back."""
    try:
        status = path.stat()
        said = f"{path.absolute()}|{status.st_size}|{status.st_mtime_ns}"
    except OSError:
        said = f"{path.absolute()}|gone"
    return hashlib.sha256(said.encode(errors="surrogateescape")).hexdigest()[:20]


def detector_key(detector: Detector) -> str:
    """Names all of a detector that its answers depend on: weights, engine, crop, calibration, thresholds, gates."""
    spec = detector.spec.to_dict()
    for name in ("name", "metrics", "training", "licence", "description"):
        spec.pop(name, None)
    said = json.dumps([RECIPE, spec, detector.sha256, detector.engine, detector.precision], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


class RowCache:
    """Rows by key, appended to a file as they come; safe for several threads.

    A line that is half written, by a kill or a full disk, is passed over. A disk that cannot be written to costs the
    memory of the disk only, never the work.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._rows = _read(path)
        self._broken = False

    @classmethod
    def named(cls, name: str) -> RowCache:
        """The cache of this name in the user's folder; the least used ones go.

        Raises:
            SetupError: The folder cannot be made.
        """
        folder = make_folder(evaluations_folder() / "cache")
        path = folder / f"{name}.jsonl"
        path.touch()
        for old in sorted(folder.glob("*.jsonl"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        return cls(path)

    def get(self, key: str) -> dict[str, Any] | None:
        """The row, None where there is none."""
        return self._rows.get(key)

    def put(self, key: str, row: dict[str, Any]) -> None:
        """Keep a row, in memory and on disk."""
        line = json.dumps([key, row], separators=(",", ":"))
        with self._lock:
            self._rows[key] = row
            if self._broken:
                return
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
            except OSError as error:
                self._broken = True
                log.warning("%s cannot be written (%s): results are not kept", self._path, error.strerror)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return rows
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error
    for line in text.splitlines():
        try:
            key, row = json.loads(line)
        except (ValueError, TypeError):
            continue
        if isinstance(key, str) and isinstance(row, dict):
            rows[key] = row
    return rows

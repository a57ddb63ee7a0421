"""What the app remembers on this machine: uploaded media, reports and thumbnails, each by the digest of its file.

    history/<sha256>/
      media.mp4             the upload; absent where a file was opened by its path (meta.json says where that is)
      meta.json             name and size; its time stamp is when the entry was used last
      preview.mp4           what a browser can play, made on demand
      reports/<key>/        entry.json  report.json  arrays.npz  thumbnail  heatmap-video.mp4

Every change is made aside and put in place by one rename, so that tabs, processes and a crash in the middle leave whole
files or none. Whatever cannot be read counts as not there. Nothing is ever unpickled.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core import disk
from core.analysis.serialize import read_report, write_report
from core.analysis.types import ImageReport, VideoReport
from core.history_entry import HistoryEntry, entry_fields
from core.home import home_folder, make_folder
from core.media.files import shown_name
from core.pins import is_pinned, pin

CAP_BYTES = 5 * 1024**3
LEFTOVER_AFTER_S = 3600.0
DOOMED = "doomed"
"""Marks an entry that was cleared while it was being analysed: it goes when the analysis lets go of it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredMedia:
    """A file that can be analysed.

    Attributes:
        digest: sha256 of its content, hexadecimal.
        path: Where it can be read: a copy of ours for an upload, the file itself when it was given by its path.
        name: Its name, for people: no folders, no control characters.
        size_bytes: Its size.
    """

    digest: str
    path: Path
    name: str
    size_bytes: int


class Store:
    """History on disk, at most `cap_bytes` of it: what was not used for longest goes first.

    Args:
        root: Folder to live in; $DEEPFAKE_HOME or ~/.deepfake-detector when None.
        cap_bytes: Bytes that media, previews and reports may take together.

    Raises:
        SetupError: The folder cannot be made or written to.
    """

    def __init__(self, root: str | Path | None = None, cap_bytes: int = CAP_BYTES) -> None:
        self.root = Path(root) if root is not None else home_folder()
        self.cap_bytes = cap_bytes
        self._entries = make_folder(self.root / "history")
        self._aside = make_folder(self._entries / ".aside")
        self._lock = threading.RLock()
        disk.sweep(self._aside, older_than_s=LEFTOVER_AFTER_S)

    def add(self, source: str | Path | BinaryIO, name: str | None = None) -> StoredMedia:
        """Take in a file.

        An open file (an upload) is copied in chunks, never held in memory; a path is only read through and remembered.

        Raises:
            MediaError: There is no such file, it may not be read, or it is larger than the cap.
            SetupError: The disk is full.
        """
        if isinstance(source, str | Path):
            path = Path(source).absolute()
            digest, size_bytes = disk.digest_file(path)
            meta = {"name": shown_name(name or path.name), "source": disk.stamp(path)}
            return self._remember(digest, meta, size_bytes)
        shown = shown_name(name or str(getattr(source, "name", "")))
        aside = self._aside / uuid.uuid4().hex
        try:
            digest, size_bytes = disk.spool(source, aside, limit_bytes=self.cap_bytes, name=shown)
            return self._remember(digest, {"name": shown}, size_bytes, aside)
        finally:
            aside.unlink(missing_ok=True)

    def media(self, digest: str) -> StoredMedia | None:
        """A file taken in before; None when it was evicted, moved away or changed since."""
        folder = self._folder(digest)
        meta = disk.read_json(folder / "meta.json")
        path = _media_path(folder, meta)
        if meta is None or path is None or (folder / DOOMED).exists():
            return None
        return StoredMedia(digest, path, str(meta["name"]), int(meta["size_bytes"]))

    def preview_path(self, digest: str) -> Path:
        """Where the copy for browsers belongs; whoever makes it writes it there, whole."""
        return self._folder(digest) / "preview.mp4"

    @contextmanager
    def pinned(self, digest: str) -> Iterator[None]:
        """Neither the cap nor `clear` takes this entry away while the block runs; for as long as it is analysed."""
        folder = self._folder(digest)
        try:
            with pin(folder):
                yield
        finally:
            if (folder / DOOMED).exists() or not (folder / "meta.json").exists():
                self._discard(digest)

    def save_report(
        self, digest: str, settings_key: str, report: ImageReport | VideoReport, thumbnail: bytes | None = None
    ) -> None:
        """Remember a report; one saved before under the same digest and settings is replaced.

        Args:
            digest: Of the file that was analysed.
            settings_key: All that the result depends on besides the file: weights, sampling, engine precision.
            report: It comes back from `load_report` exactly.
            thumbnail: A small encoded picture for the history.

        Raises:
            SetupError: The disk is full.
        """
        folder = self._folder(digest)
        meta = disk.read_json(folder / "meta.json") or {"name": shown_name(report.path), "size_bytes": 0}
        aside = self._aside / uuid.uuid4().hex
        try:
            with disk.disk_errors(self.root):
                write_report(aside, report)
                if thumbnail is not None:
                    (aside / "thumbnail").write_bytes(thumbnail)
                (aside / "entry.json").write_text(json.dumps(entry_fields(report, settings_key, meta["name"])))
            with self._lock:
                if (folder / DOOMED).exists():
                    return  # its user cleared the history while it was being analysed
                disk.write_json(folder / "meta.json", meta, self._aside)
                self._replace_folder(aside, self.report_folder(digest, settings_key))
                self._enforce_cap(keep=digest)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def load_report(self, digest: str, settings_key: str) -> ImageReport | VideoReport | None:
        """The report saved under this digest and settings, with its arrays; None when there is none that is whole."""
        folder = self._folder(digest)
        if (folder / DOOMED).exists():
            return None
        report = read_report(self.report_folder(digest, settings_key))
        if report is not None:
            with suppress(OSError):
                os.utime(folder / "meta.json")  # used just now: the last that the cap takes
        return report

    def history(self) -> list[HistoryEntry]:
        """All analyses, newest first."""
        found = [
            self._entry(folder, report)
            for folder in self._folders()
            for report in (folder / "reports").glob("*/entry.json")
        ]
        return sorted((entry for entry in found if entry), key=lambda entry: entry.analysed_at, reverse=True)

    def remove(self, entry: HistoryEntry) -> None:
        """Forget one analysis; with the last one of a file, the file goes as well."""
        with self._lock:
            disk.throw_away(self.report_folder(entry.digest, entry.settings_key), self._aside)
            if not any((self._folder(entry.digest) / "reports").glob("*/entry.json")):
                self._discard(entry.digest)

    def clear(self) -> None:
        """Forget everything. What is being analysed right now goes as soon as that ends."""
        with self._lock:
            for folder in self._folders():
                self._discard(folder.name)

    def size_bytes(self) -> int:
        """Bytes that the history takes on disk."""
        return sum(disk.size_of(folder) for folder in self._folders())

    def _folder(self, digest: str) -> Path:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", digest):
            raise ValueError(f"digest must be hexadecimal, got {digest!r}")
        return self._entries / digest

    def report_folder(self, digest: str, settings_key: str) -> Path:
        """Where a report lives; what is put beside it goes when it goes."""
        return self._folder(digest) / "reports" / hashlib.sha256(settings_key.encode()).hexdigest()[:24]

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [folder for folder in self._entries.iterdir() if folder.is_dir() and folder != self._aside]
        return []

    def _remember(self, digest: str, meta: dict[str, Any], size_bytes: int, upload: Path | None = None) -> StoredMedia:
        folder = self._folder(digest)
        with self._lock, disk.disk_errors(self.root):
            (folder / DOOMED).unlink(missing_ok=True)
            kept = _media_path(folder, {})
            if upload is not None and kept is None:
                kept = folder / f"media{disk.safe_suffix(meta['name'])}"
                folder.mkdir(exist_ok=True)
                upload.replace(kept)
            disk.write_json(folder / "meta.json", {**meta, "size_bytes": size_bytes}, self._aside)
            self._enforce_cap(keep=digest)
        return StoredMedia(digest, kept or Path(meta["source"]["path"]), meta["name"], size_bytes)

    def _entry(self, folder: Path, path: Path) -> HistoryEntry | None:
        stored = disk.read_json(path)
        if stored is None or (folder / DOOMED).exists():
            return None
        thumbnail = path.with_name("thumbnail")
        stored["thumbnail_path"] = thumbnail if thumbnail.exists() else None
        stored["media_path"] = _media_path(folder, disk.read_json(folder / "meta.json"))
        with suppress(TypeError):  # written by another version of the app
            return HistoryEntry(folder.name, **stored)
        return None

    def _replace_folder(self, new: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(10):  # another process may put its own there in between; both hold the same report
            disk.throw_away(target, self._aside)
            with suppress(OSError):
                new.rename(target)
                return

    def _enforce_cap(self, keep: str) -> None:
        sizes = {folder: disk.size_of(folder) for folder in self._folders()}
        excess = sum(sizes.values()) - self.cap_bytes
        for folder in sorted(sizes, key=lambda folder: disk.modified(folder / "meta.json")):
            if excess <= 0:
                return
            if folder.name != keep and not is_pinned(folder):
                log.info("the history is over its cap: %s goes", folder.name)
                disk.throw_away(folder, self._aside)
                excess -= sizes[folder]

    def _discard(self, digest: str) -> None:
        folder = self._folder(digest)
        with self._lock:
            if is_pinned(folder):
                (folder / DOOMED).touch()
                disk.throw_away(folder / "reports", self._aside)
            else:
                disk.throw_away(folder, self._aside)


def _media_path(folder: Path, meta: dict[str, Any] | None) -> Path | None:
    """The upload in an entry, or else the file that was given by its path, if it is still the same."""
    copy = next(iter(folder.glob("media*")), None)
    return copy or disk.unchanged((meta or {}).get("source", {}))

"""What a look at a file tells: size, format, damage, and what its copies are found by. Looked at once, remembered."""

import hashlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.duplicates import SMALL_SIDE, mirrored_hash, near_copies, perceptual_hash, small_copy
from core.data.sample import VIDEOS
from core.errors import Cancelled, MediaError
from core.home import home_folder
from core.media import Picture, load_image, probe_video
from core.media.files import open_file

logger = logging.getLogger(__name__)

RECIPE = 2  # of `Look`; what was remembered by another one is looked at again
_FLUSH_AFTER = 500
Progress = Callable[[int, int], None]
Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class Look:
    """What is known of a picture or a video.

    Attributes:
        digest: sha256 of the file, "" where it cannot be read.
        width, height: In pixels, upright; 0 where it cannot be decoded.
        format: "JPEG", "PNG", … or a video's codec.
        size_bytes: Of the file.
        hash, mirrored: `perceptual_hash` and `mirrored_hash`, 0 for a video.
        small: `small_copy` in hexadecimal, "" for a video.
        problem: The sentence that says why it cannot be used; "" when it can.
    """

    digest: str = ""
    width: int = 0
    height: int = 0
    format: str = ""
    size_bytes: int = 0
    hash: int = 0
    mirrored: int = 0
    small: str = ""
    problem: str = ""

    @property
    def side_px(self) -> float:
        """Side of a square of as many pixels."""
        return float((self.width * self.height) ** 0.5)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The small copy, uint8 (256,); zeros where there is none."""
        return np.frombuffer(bytes.fromhex(self.small) or bytes(SMALL_SIDE**2), np.uint8)


def copies_among(looks: Sequence[Look]) -> NDArray[np.intp]:
    """Pairs (m, 2) of pictures that are nearly the same, mirrored ones among them: indices into `looks`."""
    pictures = np.array([index for index, one in enumerate(looks) if one.small], np.intp)
    if not len(pictures):
        return np.empty((0, 2), np.intp)
    chosen = [looks[index] for index in pictures]
    small = np.array([one.pixels for one in chosen])
    return pictures[near_copies([one.hash for one in chosen], small, [one.mirrored for one in chosen])]


def look(path: Path) -> Look:
    """Looks at a file; what is wrong with it becomes its `problem`."""
    try:
        if path.suffix.lower() in VIDEOS:
            info = probe_video(path)
            return Look(file_digest(path), *info.size_wh, info.codec, path.stat().st_size)
        with open_file(path) as file:
            data = file.read()
        picture = load_image(data, name=path.name)
    except (MediaError, OSError, ValueError) as error:  # ValueError: a null byte in the name
        return Look(problem=str(error))
    height, width = picture.rgb.shape[:2]
    grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    return Look(
        digest=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        format=picture.format,
        size_bytes=len(data),
        hash=perceptual_hash(grey),
        mirrored=mirrored_hash(grey),
        small=small_copy(grey).tobytes().hex(),
        problem=cut_off(picture),
    )


def cut_off(picture: Picture) -> str:
    """The sentence that says a picture is cut off; "" when it is whole. Its rest is blank: nothing to learn from."""
    return next((sentence for sentence in picture.warnings if "is cut off" in sentence), "")


def look_at_all(
    paths: Sequence[Path],
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Look]:
    """Looks at files, several at a time; those that did not change since last time are not opened.

    Raises:
        Cancelled: `should_stop` said so. What was seen until then is remembered.
    """

    def one(path: Path) -> Look:
        if should_stop and should_stop():
            raise Cancelled
        before = stamp(path)
        if before and (known := memory.recall("look", before)):
            return Look(**json.loads(known))
        seen = look(path)
        if before:
            memory.keep("look", before, json.dumps(asdict(seen)))
        return seen

    looks: list[Look] = []
    with Memory() as memory, ThreadPoolExecutor(os.cpu_count()) as pool:
        for seen in pool.map(one, paths):
            looks.append(seen)
            if on_progress:
                on_progress(len(looks), len(paths))
    return looks


def file_digest(path: Path) -> str:
    """The sha256 of a file in hexadecimal, read in parts.

    Raises:
        MediaError: It is missing, empty or may not be read.
    """
    with open_file(path) as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def stamp(path: Path) -> Stamp | None:
    """Path, size in bytes and time of change in ns: as long as they stay, the file does. None when it is gone."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return str(path.absolute()), status.st_size, status.st_mtime_ns


class Memory:
    """Texts about files by kind and stamp, in a small database in the home folder; a context manager.

    Many threads and processes may use it at once. One that is damaged or cannot be written remembers nothing, and
    nobody need know: everything in it can be found out again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[object, ...]] = []
        self._database: sqlite3.Connection | None = None
        try:
            home_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            path = home_folder() / "file-facts.sqlite"
            self._database = sqlite3.connect(path, timeout=10, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS facts (kind TEXT, path TEXT, size INT, changed INT, recipe INT, value TEXT,"
                " PRIMARY KEY (kind, path)) WITHOUT ROWID"
            )
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._flush()
            if self._database:
                self._database.close()
                self._database = None

    def recall(self, kind: str, known: Stamp) -> str | None:
        """What was kept for this stamp."""
        with self._lock:
            if self._database is None:
                return None
            try:
                row = self._database.execute(
                    "SELECT value FROM facts WHERE kind=? AND path=? AND size=? AND changed=? AND recipe=?",
                    (kind, *known, RECIPE),
                ).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
                return None
        return row[0] if row else None

    def keep(self, kind: str, known: Stamp, value: str) -> None:
        """Remember a text; it is written with others, later."""
        with self._lock:
            self._waiting.append((kind, *known, RECIPE, value))
            if len(self._waiting) >= _FLUSH_AFTER:
                self._flush()

    def _flush(self) -> None:
        if self._database and self._waiting:
            try:
                with self._database:
                    self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?,?,?,?,?,?)", self._waiting)
            except sqlite3.Error as error:
                self._give_up(error)
        self._waiting.clear()

    def _give_up(self, error: Exception) -> None:
        logger.info("file facts are not remembered: %s", error)
        if self._database:
            self._database.close()
        self._database = None

"""Files for the store: hashed while they are copied, written whole, measured, and told apart when they changed."""

import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from core.errors import MediaError, SetupError
from core.media.files import open_file

CHUNK_BYTES = 1 << 20


def safe_suffix(name: str) -> str:
    """The suffix of a name, such as ".mp4", if it is an ordinary one, else ""."""
    found = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return found[0].lower() if found else ""


def spool(source: BinaryIO, target: Path, *, limit_bytes: int, name: str) -> tuple[str, int]:
    """Copy an open file in chunks.

    Returns:
        Its sha256, hexadecimal, and its size in bytes.

    Raises:
        MediaError: It is larger than `limit_bytes`.
        SetupError: The disk is full.
    """
    digest, size_bytes = hashlib.sha256(), 0
    if source.seekable():
        source.seek(0)
    with disk_errors(target.parent), target.open("wb") as out:
        while chunk := source.read(CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > limit_bytes:
                raise MediaError(
                    f"{name} is larger than the {limit_bytes / 1024**3:.1f} GB that the history may take. "
                    "Give its path on this machine instead of uploading it."
                )
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest(), size_bytes


def digest_file(path: Path) -> tuple[str, int]:
    """The sha256, hexadecimal, and the size in bytes of a file.

    Raises:
        MediaError: It is missing, empty, not a file, or may not be read.
    """
    with open_file(path) as stream:
        return hashlib.file_digest(cast(BufferedReader, stream), "sha256").hexdigest(), os.fstat(
            stream.fileno()
        ).st_size


def stamp(path: Path) -> dict[str, Any]:
    """What tells whether a file is still the one that it was, without reading it again."""
    status = path.stat()
    return {"path": str(path), "size_bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def unchanged(stamped: dict[str, Any]) -> Path | None:
    """The path of a stamped file, None when it is gone or has changed."""
    try:
        path = Path(stamped["path"])
        return path if stamp(path) == stamped else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None when there is none or it is damaged."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write_json(path: Path, document: dict[str, Any], aside: Path) -> None:
    """Write a JSON file whole or not at all, by way of a folder on the same disk; its own folder is made if missing."""
    half = aside / uuid.uuid4().hex
    half.write_text(json.dumps(document))
    path.parent.mkdir(parents=True, exist_ok=True)
    half.replace(path)


def throw_away(folder: Path, aside: Path) -> None:
    """Remove a folder: at once for everybody who looks, then file by file."""
    gone = aside / uuid.uuid4().hex
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all files under `folder`; what vanishes meanwhile counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent, name)).st_size
            except OSError:
                continue
    return total


def modified(path: Path) -> float:
    """Time stamp of a file or folder in seconds since 1970; 0 when it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def sweep(folder: Path, *, older_than_s: float) -> None:
    """Remove everything in `folder` that was not written to for so long."""
    for path in folder.iterdir():
        if time.time() - modified(path) < older_than_s:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn what a full or read-only disk raises into a sentence.

    Raises:
        SetupError: In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"Nothing can be written to {folder} ({error.strerror}). "
            "Make room on that disk, clear the history, or set DEEPFAKE_HOME to another folder."
        ) from error

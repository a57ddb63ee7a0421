"""Data sets that a browser brings, as a ZIP or file by file: whole or not at all, into the home folder."""

import errno
import json
import re
import shutil
import stat
import tempfile
import time
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from core.data.arrivals import MANIFEST, SafeNames, is_wanted, without_lone_top
from core.data.roots import READ_ONLY_VARIABLE, datasets_folder, read_only
from core.errors import DataError, SetupError
from core.home import make_folder
from core.media import shown_name

MAX_FILES = 300_000
MAX_BYTES = 50 << 30
MAX_RATIO = 100  # pictures and videos hardly shrink in a ZIP; what swells like that is made to fill disks
SWELL_FROM_BYTES = 64 << 20
SPARE_BYTES = 1 << 30  # left free on the disk
CHUNK_BYTES = 1 << 20
NAME_LENGTH = 60
ENCRYPTED = 1  # the flag of a ZIP's member
FACTS_FILE = ".data-set.json"
FORGOTTEN_S = 86_400

Member = tuple[str, Callable[[], IO[bytes]]]


@dataclass(frozen=True)
class DataSet:
    """A data set that was brought: its name, its folder, and the bytes that it takes."""

    name: str
    path: Path
    size_bytes: int


def add_zip(fileobj: BinaryIO, name: str) -> Path:
    """Unpack the pictures, the videos and the manifest of a ZIP; everything else in it is left out.

    Args:
        fileobj: The ZIP, open for reading; it must be able to seek.
        name: What to call the data set; made fit for a folder, and numbered where it is taken.

    Returns:
        The new folder: the one that holds the classes, also where the ZIP holds that in another.

    Raises:
        DataError: It is no ZIP, damaged, encrypted, unsafe or too large, or holds no picture or video.
        SetupError: The disk is full or cannot be written to.
    """
    shown = shown_name(name)
    with _zip_errors(shown), zipfile.ZipFile(fileobj) as archive:
        members = [member for member in archive.infolist() if _is_plain_file(member)]
        if any(member.flag_bits & ENCRYPTED for member in members):
            raise DataError(f"{shown} is encrypted, and no password is asked for here: make a plain ZIP of the folder.")
        unpacked = sum(member.file_size for member in members)
        packed = sum(member.compress_size for member in members)
        if unpacked > max(SWELL_FROM_BYTES, MAX_RATIO * packed):
            raise DataError(f"{shown} would swell to more than {MAX_RATIO} times its size, as no pictures do: refused.")
        return _install([(member.filename, partial(archive.open, member)) for member in members], name, unpacked)


def add_files(files: Iterable[tuple[str, BinaryIO]], name: str) -> Path:
    """As `add_zip`, from the files of a folder with their paths relative to it or to the one above."""

    def opened(file: BinaryIO) -> IO[bytes]:
        file.seek(0)
        return file

    return _install(((path, partial(opened, file)) for path, file in files), name)


def list_datasets() -> list[DataSet]:
    """The data sets that were brought, by name."""
    home = datasets_folder()
    folders = [path for path in home.iterdir() if path.is_dir()] if home.is_dir() else []
    return [
        DataSet(path.name, path, _size(path)) for path in sorted(folders) if not path.name.startswith((".", "__MACOSX"))
    ]


def remove_dataset(name: str) -> None:
    """Delete a data set.

    Raises:
        DataError: There is none of this name, or the server is read-only.
        SetupError: It cannot be deleted.
    """
    _check_writable()
    known = {one.name: one.path for one in list_datasets()}
    if name not in known:
        raise DataError(f"There is no uploaded data set {shown_name(name)}: it may have been removed already.")
    gone = datasets_folder() / f".removed-{uuid.uuid4().hex}"
    with _disk_errors():
        known[name].rename(gone)  # at once for everybody who looks, then file by file
    shutil.rmtree(gone, ignore_errors=True)


def _install(members: Iterable[Member], name: str, size_bytes: int = 0) -> Path:
    _check_writable()
    home, shown = make_folder(datasets_folder()), shown_name(name)
    _sweep(home)
    _check_room(home, size_bytes, shown)
    with _disk_errors(), tempfile.TemporaryDirectory(prefix=".incoming-", dir=home) as scratch:
        size_bytes = _copy_all(members, Path(scratch) / "data", shown)
        data = without_lone_top(Path(scratch) / "data")
        (data / FACTS_FILE).write_text(json.dumps({"size_bytes": size_bytes}), encoding="utf-8")
        return _into_place(data, home, name)


def _copy_all(members: Iterable[Member], folder: Path, shown: str) -> int:
    """The wanted files under safe names; returns their bytes."""
    names, count, size_bytes = SafeNames(shown), 0, 0
    for path, opened in members:
        parts = names.parts(path)
        if not is_wanted(parts):
            continue
        count += parts[-1].lower() != MANIFEST
        target = folder / names.place(parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            source = opened()  # not closed here: an upload's file is its page's
            while chunk := source.read(CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > MAX_BYTES or count > MAX_FILES:
                    raise DataError(
                        f"{shown} has more than {MAX_FILES:,} files or {MAX_BYTES >> 30} GB: copy it to this machine "
                        "and give its path instead."
                    )
                out.write(chunk)
    if not count:
        raise DataError(f"{shown} holds no pictures or videos: it should hold Real and Fake with files inside.")
    return size_bytes


def _into_place(data: Path, home: Path, name: str) -> Path:
    stem = re.sub(r"(?i)\.zip$", "", shown_name(name))
    clean = re.sub(r"[^\w. -]+", "-", stem).strip(" -._")[:NAME_LENGTH].strip(" -._") or "data-set"
    number = 1
    while True:
        target = home / (clean if number == 1 else f"{clean}-{number}")
        try:
            if not target.exists():
                return data.rename(target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another upload was quicker
                raise
        number += 1


def _is_plain_file(member: zipfile.ZipInfo) -> bool:
    return not member.is_dir() and not stat.S_ISLNK(member.external_attr >> 16)


def _size(folder: Path) -> int:
    try:
        return int(json.loads((folder / FACTS_FILE).read_bytes())["size_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _sweep(home: Path) -> None:
    """Remove what uploads left that were cut short by a crash."""
    for left in (*home.glob(".incoming-*"), *home.glob(".removed-*")):
        if time.time() - left.stat().st_mtime > FORGOTTEN_S:
            shutil.rmtree(left, ignore_errors=True)


def _check_writable() -> None:
    if read_only():
        raise DataError(f"This server takes no data: {READ_ONLY_VARIABLE} is set.")


def _check_room(home: Path, size_bytes: int, shown: str) -> None:
    if size_bytes > MAX_BYTES:
        raise DataError(
            f"{shown} would take {size_bytes / (1 << 30):.0f} GB, more than the {MAX_BYTES >> 30} GB allowed: copy it "
            "to this machine and give its path instead."
        )
    free = shutil.disk_usage(home).free
    if size_bytes + SPARE_BYTES > free:
        raise SetupError(
            f"{shown} needs {size_bytes / (1 << 20):.0f} MB and the disk of {home} has {free / (1 << 20):.0f} MB left, "
            "of which 1024 MB stay free: make room there, or set DEEPFAKE_HOME to a folder on another disk."
        )


@contextmanager
def _zip_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"{shown} is no ZIP, or a damaged one: make or upload it again.") from error
    except NotImplementedError as error:  # zipfile, of a compression that it does not know
        raise DataError(f"{shown} is packed in a way that cannot be read: make a plain ZIP of the folder.") from error


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "The disk is full" if error.errno == errno.ENOSPC else f"The disk does not take it ({error.strerror})"
        raise SetupError(
            f"{what}: make room for {datasets_folder()}, or set DEEPFAKE_HOME to a folder on another disk."
        ) from error

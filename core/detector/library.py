"""The detectors of this machine: those that ship in model/, and the user's own. Finds, lists, takes in uploads."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.detector.artifact import load_spec, save_spec
from core.detector.source import open_source
from core.detector.spec import SPEC_FILE, WEIGHT_SUFFIXES, DetectorSpec
from core.detector.weights import HDF5_MAGIC, WEIGHTS_MEMBER, ZIP_MAGIC, check_archive, refuse_pickle
from core.errors import DetectorError
from core.home import home_folder, make_folder

MAX_UPLOAD_BYTES = 500 << 20
CHUNK_BYTES = 1 << 20
NAME_LENGTH = 60
TEXT_FILES = ("MODEL_CARD.md", "LICENSE", "README.md")


@dataclass(frozen=True)
class DetectorEntry:
    """A detector that can be chosen, or the sentence that says why it cannot.

    Attributes:
        name: Unique among those listed; what `load_detector` and the command line take.
        path: Its folder or its bare file.
        spec: None where there is an error.
        error: None where it can be read. Its weights are first checked when it is loaded.
    """

    name: str
    path: Path
    spec: DetectorSpec | None = None
    error: str | None = None


def models_folder() -> Path:
    """Where the detectors that ship lie: model/ beside the program, or what $DEEPFAKE_MODELS names."""
    named = os.environ.get("DEEPFAKE_MODELS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "model"


def user_models_folder() -> Path:
    """Where uploaded detectors lie; it may not exist yet."""
    return home_folder() / "models"


def list_detectors(models_dir: Path | None = None) -> list[DetectorEntry]:
    """All detectors of `models_dir` (by default those that ship) and then the user's own, by name.

    Folders and bare .keras and .h5 files are listed, damaged ones with their error.
    """
    entries: dict[str, DetectorEntry] = {}
    for folder in (models_dir or models_folder(), user_models_folder()):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _is_detector(path):
                name = path.name if path.is_dir() else path.stem
                name = path.name if name in entries else name
                name = str(path) if name in entries else name
                entries[name] = _entry(name, path)
    return list(entries.values())


def resolve_detector(name_or_path: str | Path, models_dir: Path | None = None) -> Path:
    """The folder or file of a detector, by its name in `list_detectors` or by its path.

    Raises:
        DetectorError: There is none; the sentence names those that there are.
    """
    entries = list_detectors(models_dir)
    for entry in entries:
        if entry.name == str(name_or_path):
            return entry.path
    path = Path(name_or_path).expanduser()
    if path.exists():
        return path
    known = ", ".join(entry.name for entry in entries) or "none yet"
    elsewhere = models_dir is None and os.environ.get("DEEPFAKE_MODELS")
    own = " $DEEPFAKE_MODELS names that folder: unset it for the detector that ships." if elsewhere else ""
    raise DetectorError(
        f'There is no detector "{name_or_path}", neither in {models_dir or models_folder()} nor as a path. '
        f"Detectors that there are: {known}.{own}"
    )


def add_uploaded(filename: str, fileobj: BinaryIO, models_dir: Path | None = None) -> DetectorEntry:
    """Check an uploaded detector and install it in the user's own folder.

    Args:
        filename: As the browser sent it; only letters, digits and a few signs of it are kept.
        fileobj: A .keras or .h5 file, or a .zip of a detector's folder.
        models_dir: Where the other detectors lie, whose names are taken.

    Raises:
        DetectorError: It is too large, damaged, unsafe or no detector; nothing is left behind.
        SetupError: The user's folder cannot be written to.
    """
    home = make_folder(user_models_folder())
    taken = {entry.name for entry in list_detectors(models_dir)}
    with tempfile.TemporaryDirectory(prefix=".upload-", dir=home) as scratch:
        upload = Path(scratch) / "upload"
        start = _spool(filename, fileobj, upload)
        if filename.lower().endswith(".zip") and not zipfile.is_zipfile(upload):
            raise DetectorError(f"{filename} is cut off or damaged, or no ZIP file: copy or download it again.")
        packed = start.startswith(ZIP_MAGIC) and not _is_keras(upload)
        if packed:
            checked = _unpack(upload, Path(scratch) / "folder", filename)
        else:
            checked = upload.rename(upload.with_suffix(".h5" if start.startswith(HDF5_MAGIC) else ".keras"))
        name = _free_name(filename, taken, home)
        checked = checked.rename(checked.with_name(name + ("" if checked.is_dir() else checked.suffix)))
        if checked.is_dir():
            save_spec(checked, dataclasses.replace(load_spec(checked), name=name))
        open_source(checked).read_weights()  # all of it is read once: a damaged one is refused now, not when it is used
        installed = checked.rename(home / checked.name)
    return _entry(name, installed)


def is_own(entry: DetectorEntry) -> bool:
    """Whether the user has added it, so that it can be removed; the others ship with the app."""
    return entry.path.parent == user_models_folder()


def remove_detector(entry: DetectorEntry) -> None:
    """Deletes a detector that the user has added; what it said of media stays in the history.

    Raises:
        DetectorError: It ships with the app, or its files cannot be deleted.
    """
    if not is_own(entry):
        raise DetectorError(f"{entry.name} ships with the app and cannot be removed here.")
    gone = entry.path.with_name(f".gone-{uuid.uuid4().hex}")
    try:
        entry.path.rename(gone)  # it is gone at once, whatever becomes of its files
        if gone.is_dir():
            shutil.rmtree(gone, ignore_errors=True)
        else:
            gone.unlink()
    except FileNotFoundError:
        return  # somebody else was quicker
    except OSError as error:
        raise DetectorError(f"{entry.name} cannot be removed ({error.strerror}): {entry.path}.") from error


def _is_detector(path: Path) -> bool:
    if path.name.startswith((".", "_")):
        return False
    if path.is_dir():
        return any(child.is_file() for child in path.iterdir())
    return path.suffix.lower() in WEIGHT_SUFFIXES


def _entry(name: str, path: Path) -> DetectorEntry:
    try:
        return DetectorEntry(name, path, spec=load_spec(path))
    except DetectorError as error:
        return DetectorEntry(name, path, error=str(error))


def _spool(filename: str, fileobj: BinaryIO, target: Path) -> bytes:
    size, start = 0, b""
    with target.open("wb") as out:
        while chunk := fileobj.read(CHUNK_BYTES):
            start = start or chunk[:16]
            size += len(chunk)
            if size > MAX_UPLOAD_BYTES:
                raise DetectorError(
                    f"{filename} is larger than {MAX_UPLOAD_BYTES >> 20} MB, which no detector needs: save it without "
                    "its optimizer."
                )
            out.write(chunk)
    refuse_pickle(filename, start)
    if not start.startswith((ZIP_MAGIC, HDF5_MAGIC)):
        raise DetectorError(f"{filename} is neither a .keras nor an .h5 file, nor a .zip of a detector's folder.")
    return start


def _is_keras(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return WEIGHTS_MEMBER in archive.namelist()
    except zipfile.BadZipFile:
        return True  # to be refused as a damaged .keras file


def _unpack(path: Path, folder: Path, filename: str) -> Path:
    """The detector in a .zip: a folder with model.json or, where it holds one bare file, that file."""
    folder.mkdir()
    with zipfile.ZipFile(path) as archive:
        check_archive(archive)
        members = {member: archive.getinfo(member) for member in archive.namelist() if not member.endswith("/")}
        for member in members:
            if ".." in re.split(r"[/\\]", member) or member.startswith(("/", "\\")) or ":" in member:
                raise DetectorError(
                    f'{filename} holds a file called "{member}", which lies outside of it: it is refused.'
                )
        specs = [member for member in members if PurePosixPath(member).name == SPEC_FILE]
        weights = [member for member in members if member.lower().endswith(WEIGHT_SUFFIXES)]
        if len(specs) > 1 or len(weights) != 1:
            raise DetectorError(
                f"{filename} must hold one detector, {SPEC_FILE} and its weights, and holds {len(weights)} weights "
                f"file(s): zip the detector's folder."
            )
        texts = [member for member in members if PurePosixPath(member).name in TEXT_FILES]
        for member in specs + weights + (texts if specs else []):
            # by its last part alone, so that nothing can be written elsewhere
            with archive.open(member) as source, (folder / PurePosixPath(member).name).open("wb") as target:
                shutil.copyfileobj(source, target)
    return folder if specs else folder / PurePosixPath(weights[0]).name


def _free_name(filename: str, taken: set[str], home: Path) -> str:
    last = re.split(r"[/\\]", filename)[-1]
    stem = re.sub(r"(?i)\.(keras|h5|hdf5|zip)$", "", last)
    clean = re.sub(r"[^\w.-]+", "-", stem).strip("-._")[:NAME_LENGTH] or "detector"
    name, count = clean, 1
    while name in taken or any(home.glob(f"{name}.*")) or (home / name).exists():
        count += 1
        name = f"{clean}-{count}"
    return name

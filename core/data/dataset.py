"""What a training folder holds: pictures with class, source, split and group, from a manifest or from class folders."""

import csv
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import DataError
from core.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES

SPLITS = ("train", "val", "test")
REAL = "real"


@dataclass(frozen=True)
class Sample:
    """One picture. `group` holds what must never stand in two splits, such as the frames of one video."""

    path: Path
    label: str
    source: str
    split: str
    group: str

    @property
    def fake(self) -> bool:
        return self.label != REAL


def index_data(folders: Iterable[Path | str]) -> list[Sample]:
    """All samples below the folders, in a stable order, fit to train on.

    A `manifest.csv` (path, label, split, and optionally source and group) rules where there is one; otherwise class
    folders are looked for: a picture's class is the nearest folder above it named `Real` or `Fake` (any case), its
    split the nearest one named train, val or test, or drawn by group (80, 10 and 10 %).

    Raises:
        DataError: A folder is missing, nothing was found, or a class is missing in train or val.
    """
    samples = find_samples(folders)
    for split in ("train", "val"):
        missing = {True, False} - {sample.fake for sample in samples if sample.split == split}
        if missing:
            lacking = "fake" if True in missing else "real"
            raise DataError(f"The {split} split has no {lacking} pictures; a detector needs both classes there.")
    return samples


def find_samples(folders: Iterable[Path | str]) -> list[Sample]:
    """As `index_data`, but whatever classes there are.

    Raises:
        DataError: A folder is missing, or nothing was found.
    """
    samples: list[Sample] = []
    for folder in map(Path, folders):
        if not folder.exists():
            raise DataError(f"There is no folder {folder}: name one that holds Real/ and Fake/ or a manifest.csv.")
        manifest = folder if folder.is_file() else folder / "manifest.csv"
        samples += _from_manifest(manifest) if manifest.is_file() else _from_folders(folder)
    if not samples:
        raise DataError("No pictures were found: the data folder should hold Real/ and Fake/ with images inside.")
    return samples


def _from_manifest(path: Path) -> list[Sample]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"path", "label", "split"} <= set(rows[0]):
        raise DataError(f"{path} must have the columns path, label and split; it has {', '.join(rows[0])}.")
    return [
        Sample(
            path=path.parent / row["path"],
            label=row["label"].strip().lower(),
            source=row.get("source") or path.parent.name,
            split=row["split"].strip().lower(),
            group=row.get("group") or row["path"],
        )
        for row in rows
    ]


def _from_folders(folder: Path) -> list[Sample]:
    samples = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES | VIDEO_SUFFIXES or not path.is_file():
            continue
        above = [part.lower() for part in path.relative_to(folder).parts[:-1]]
        label = next((part for part in reversed(above) if part in ("real", "fake")), None)
        if label is None:
            continue
        named = next((part for part in reversed(above) if part in SPLITS), None)
        samples.append(Sample(path, label, folder.name, named or _drawn_split(path.stem), path.stem))
    return samples


def _drawn_split(group: str) -> str:
    draw = hashlib.sha256(group.encode()).digest()[0]
    return "train" if draw < 205 else "val" if draw < 230 else "test"

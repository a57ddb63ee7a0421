"""Reading what a data folder says of its files: from a manifest, or from the names of the folders.

A split that nothing names is the empty string here; `core.data.splits` fills it in.
"""

import csv
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from core.data.roots import check_allowed
from core.data.sample import PICTURES, REAL, VIDEOS, Sample
from core.errors import DataError

SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
NO_CLASS = {"unlabelled", "unlabeled", "unknown", "unsorted"}
MOST_SOURCES = 20  # more folders than this are people or shards of one source, not sources
PLAIN_NAME = re.compile(r"[\w -]{1,24}")  # what may be repeated of a file that is no manifest, and may hold secrets
MOST_NAMES = 6


class Found(NamedTuple):
    """A sample and where it lies.

    Attributes:
        folder: The one below its class ("" for none), of a manifest the one that a row names; None where a row says
            the group.
        from_manifest: Whether a row of a manifest named it.
    """

    sample: Sample
    folder: str | None
    from_manifest: bool = False


@dataclass(frozen=True)
class _Place:
    """What the names down to a folder say: class, split, source, and the folders below the class."""

    label: str | None = None
    split: str = ""
    source: str = ""
    below: tuple[str, ...] = ()

    def into(self, name: str, beside_real: bool) -> "_Place":
        """The place one folder further down; `beside_real`: it or a neighbour of it is named real."""
        lower = name.lower()
        if lower in SPLIT_NAMES:
            return replace(self, split=SPLIT_NAMES[lower])
        if (beside_real and lower not in NO_CLASS) or (self.label is None and lower in (REAL, "fake")):
            return replace(self, label=lower, below=())
        if self.label is None:
            return replace(self, source=self.source or name)
        return replace(self, below=(*self.below, name))


def read_folder(root: Path, source: str) -> list[Found]:
    """All pictures and videos in class folders below `root`, in a stable order.

    A folder that holds one named `real` (any case) holds classes: its folders. A folder between `root` and the classes
    names a source; without one, `source` does.

    Raises:
        DataError: A folder may not be read by this server.
    """
    found = []
    for place, folder, files in _walk(root):
        if place.label is None:
            continue
        for name in files:
            if Path(name).suffix.lower() in PICTURES | VIDEOS:
                below = "/".join(place.below)
                group = f"{below}/{Path(name).stem}".lstrip("/")
                sample = Sample(folder / name, place.label, place.source or source, place.split, group)
                found.append(Found(sample, below))
    if len({one.sample.source for one in found}) > MOST_SOURCES:
        found = [
            Found(replace(sample, source=source, group=f"{sample.source}/{sample.group}"), f"{sample.source}/{folder}")
            for sample, folder, _ in found
        ]
    return found


def _walk(root: Path) -> Iterator[tuple[_Place, Path, list[str]]]:
    """Every folder with what its name means and its files, sorted; linked folders too, but none of them twice."""
    waiting, seen = [(root, _Place())], set()
    while waiting:
        folder, place = waiting.pop()
        real = os.path.realpath(check_allowed(folder))
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"The folder {folder} cannot be read ({error.strerror}): check its permissions.") from error
        entries = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
        folders = [entry.name for entry in entries if entry.is_dir()]
        yield place, folder, [entry.name for entry in entries if not entry.is_dir()]
        beside_real = any(name.lower() == REAL for name in folders)
        waiting += [(folder / name, place.into(name, beside_real)) for name in reversed(folders)]


def read_manifest(path: Path, source: str) -> list[Found]:
    """The rows of a manifest: path and label, and where they are known split, source and group.

    Raises:
        DataError: It is no CSV in UTF-8, lacks a column, or has a row without path or label or with an unknown split.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = [name or "" for name in reader.fieldnames or []]
            if not {"path", "label"} <= set(columns):
                raise DataError(
                    f"{path} must have the columns path, label and, where they are known, split, source and group, "
                    f"separated by commas; it has {few(columns) or 'none with a plain name'}."
                )
            rows = list(reader)
            if not rows:
                raise DataError(f"{path} has a head and no rows: write a line for each picture or video below it.")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        if zipfile.is_zipfile(path):
            raise DataError(
                f"{path} is a ZIP file: unpack it and give the folder, or upload it as a ZIP file."
            ) from error
        raise DataError(f"{path} cannot be read as a table: save it as CSV in UTF-8, separated by commas.") from error
    return [_row(path, number, row, source) for number, row in enumerate(rows, 2)]


def few(names: Iterable[str]) -> str:
    """The first few of names that somebody else wrote, those that are plain and short."""
    plain = [name for name in names if PLAIN_NAME.fullmatch(name)]
    return ", ".join(plain[:MOST_NAMES]) + (" and more" if len(plain) > MOST_NAMES else "")


def _row(manifest: Path, line: int, row: Mapping[str, str | None], source: str) -> Found:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    name, label, split = cell("path").replace("\\", "/"), cell("label").lower(), cell("split").lower()
    if not name or "\0" in name or not label:
        raise DataError(
            f"Line {line} of {manifest} has no {'label' if name and not label else 'path'}: fill it in or delete it."
        )
    if split and split not in SPLIT_NAMES:
        raise DataError(
            f'Line {line} of {manifest} has the split "{split}": write train, val or test, or leave it out.'
        )
    sample = Sample(
        path=manifest.parent / name,
        label=label,
        source=cell("source") or source,
        split=SPLIT_NAMES.get(split, ""),
        group=cell("group") or str(Path(name).with_suffix("")),
    )
    return Found(sample, None if cell("group") else Path(name).parent.as_posix(), from_manifest=True)
